import { Type } from 'typebox';
import type { Metrics } from '../metrics.ts';
import type { ServiceName } from '../service.ts';
import type { AdminApp } from './admin-app.ts';
import { HealthReport, healthReport, type Watched } from './health.ts';
import { namespaceQuery, pageOf, pageQuery } from './page.ts';
import { permittedPage } from './permitted.ts';
import { namespaceOfStream, type StreamFacts, StreamItem, streamItem } from './streams.ts';

export interface CommonFacts {
  readonly service: ServiceName;
  readonly metrics: Metrics;
  readonly source: Watched;
  readonly reasons: () => readonly string[];
  readonly streams: () => Iterable<StreamFacts>;
  readonly now?: () => number;
}

/** What every service serves: `/live`, `/ready`, `/metrics` for the cluster, `/v1/health` and `/v1/streams` for people. */
export const commonRoutes = (app: AdminApp, facts: CommonFacts): void => {
  const { service, source, reasons, metrics, streams, now = Date.now } = facts;
  const kinds = () => (source === 'watches nothing' ? source : source.health());
  const report = () => healthReport({ service, reasons: reasons(), kinds: kinds(), now: now() });
  const open = { config: { access: 'open' as const }, schema: { hide: true } };

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
    {
      config: { access: 'mesh' },
      schema: { summary: 'Readiness with reasons, staleness per kind', response: { 200: HealthReport } },
    },
    async () => report(),
  );
  app.get(
    '/v1/streams',
    {
      config: { access: { reads: 'streams' } },
      schema: {
        summary: 'Who is connected, what version each was sent and when',
        querystring: Type.Object({ ...pageQuery, ...namespaceQuery }),
        response: { 200: pageOf(StreamItem) },
      },
    },
    async (request) => {
      const { namespace } = request.query;
      const all = Iterator.from(streams());
      const asked = namespace === undefined ? all : all.filter((one) => namespaceOfStream(one) === namespace);
      const page = await permittedPage(request, asked, {
        keyOf: ({ id }) => id,
        namespaceOf: namespaceOfStream,
        query: request.query,
      });
      return { ...page, items: page.items.map(streamItem) };
    },
  );
  app.get(
    '/v1/openapi.json',
    {
      config: { access: 'mesh' },
      schema: { summary: 'This description', response: { 200: Type.Unknown() } },
    },
    async () => app.swagger(),
  );
};
