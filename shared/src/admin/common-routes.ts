import { Type } from 'typebox';
import type { AdminApp, AdminOptions } from './admin-server.ts';
import { HealthReport, healthReport } from './health.ts';
import { pageOf, pageQuery, paginate } from './page.ts';
import { StreamItem, streamItem } from './streams.ts';

/** What every service serves: `/live`, `/ready`, `/metrics` for the cluster, `/v1/health` and `/v1/streams` for people. */
export const commonRoutes = (app: AdminApp, options: AdminOptions): void => {
  const { service, source, reasons, metrics, streams, now = Date.now } = options;
  const report = () => healthReport({ service, reasons: reasons(), kinds: source.health(), now: now() });
  const open = { config: { open: true as const }, schema: { hide: true } };

  app.get('/live', open, async (_request, reply) => reply.type('text/plain').send('live\n'));
  app.get('/ready', open, async (_request, reply) => {
    const found = report();
    const text = found.ready ? 'ready' : found.reasons.join('\n');
    return reply
      .code(found.ready ? 200 : 503)
      .type('text/plain')
      .send(`${text}\n`);
  });
  app.get('/metrics', open, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );

  app.get(
    '/v1/health',
    { schema: { summary: 'Readiness with reasons, staleness per kind', response: { 200: HealthReport } } },
    async () => report(),
  );
  app.get(
    '/v1/streams',
    {
      schema: {
        summary: 'Who is connected, what version each was sent and when',
        querystring: Type.Object(pageQuery),
        response: { 200: pageOf(StreamItem) },
      },
    },
    async (request) => {
      const page = paginate(streams(), ({ id }) => id, request.query);
      return { ...page, items: page.items.map(streamItem) };
    },
  );
  app.get(
    '/v1/openapi.json',
    { schema: { summary: 'This description', response: { 200: Type.Unknown() } } },
    async () => app.swagger(),
  );
};
