import { Type } from 'typebox';
import type { AdminApp } from '../http/admin-app.ts';
import { namespaceQuery } from '../http/page.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { mergedList } from '../replicas/merged-list.ts';
import { KnownReplicas, knownReplicas, type Replicas } from '../replicas/replicas.ts';
import type { ServiceName } from '../service/service.ts';
import { HealthReport, healthReport, type Watched } from './health.ts';
import { namespaceOfStream, type StreamFacts, StreamItem, streamItem } from './streams.ts';

export interface CommonFacts {
  readonly service: ServiceName;
  readonly metrics: Metrics;
  readonly source: Watched;
  readonly reasons: () => readonly string[];
  readonly warnings?: () => readonly string[];
  readonly streams: () => Iterable<StreamFacts>;
  readonly replicas: Replicas;
  /** The OpenAPI description of all routes. */
  readonly describe: () => Promise<object>;
  readonly now?: () => number;
}

/** What every service serves: `/live`, `/ready`, `/metrics` for the cluster, `/v1/health` and `/v1/streams` for people. */
export const commonRoutes = (app: AdminApp, facts: CommonFacts): void => {
  const {
    service,
    source,
    reasons,
    warnings = () => [],
    metrics,
    streams,
    replicas,
    describe,
    now = Date.now,
  } = facts;
  const kinds = () => (source === 'watches nothing' ? source : source.health());
  const report = () =>
    healthReport({ service, reasons: reasons(), warnings: warnings(), kinds: kinds(), now: now() });
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
      schema: {
        summary: 'Readiness with reasons, staleness per kind, other replicas',
        response: { 200: Type.Object({ ...HealthReport.properties, replicas: KnownReplicas }) },
      },
    },
    async () => ({ ...report(), replicas: await knownReplicas(replicas) }),
  );
  mergedList(app, replicas, {
    path: 'streams',
    reads: 'streams',
    summary: 'Who is connected to any replica, what version each was sent and when',
    query: namespaceQuery,
    item: StreamItem,
    own: ({ namespace }) => {
      const all = Iterator.from(streams());
      return namespace === undefined ? all : all.filter((one) => namespaceOfStream(one) === namespace);
    },
    print: streamItem,
    // Each replica numbers its own.
    keyOf: ({ id }, replica) => `${replica}/${id}`,
    keyOfItem: ({ id, replica }) => `${replica}/${id}`,
    namespaceOf: ({ namespace }) => namespace ?? undefined,
  });
  app.get(
    '/v1/openapi.json',
    {
      config: { access: 'mesh' },
      schema: { summary: 'This description', response: { 200: Type.Unknown() } },
    },
    async () => describe(),
  );
};
