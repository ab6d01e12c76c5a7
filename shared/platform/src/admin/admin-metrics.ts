import { release } from '@gatehouse/core/release';
import type { AdminApp } from '../http/admin-app.ts';
import type { Metrics } from '../metrics/metrics.ts';

/** Counts and times every request by its route's pattern, never by its path: a scanner must not make new series. */
export const countRequests = (app: AdminApp, metrics: Metrics): void => {
  const requests = metrics.counter({
    name: 'gatehouse_admin_requests_total',
    help: 'Requests to the admin port by method, route and status.',
    labelNames: ['method', 'route', 'status'],
  });
  const seconds = metrics.histogram({
    name: 'gatehouse_admin_request_duration_seconds',
    help: 'How long requests to the admin port took to answer.',
    labelNames: ['route'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    requests.inc({ method: request.method, route, status: reply.statusCode });
    seconds.observe({ route }, reply.elapsedTime / 1000);
  });
};

/** Always 1: says by its label which release runs, so that a roll-out can be seen. */
export const tellRelease = (metrics: Metrics): void =>
  metrics
    .gauge({
      name: 'gatehouse_build_info',
      help: 'Always 1; `version` is the release that the service is of.',
      labelNames: ['version'],
    })
    .set({ version: release }, 1);

/** Counts connections that did not come so far as to make a request, by reason. */
export const countRefusals = (metrics: Metrics): ((reason: string) => void) => {
  const counter = metrics.counter({
    name: 'gatehouse_admin_connections_refused_total',
    help: 'Connections to the admin port that were closed before a request or to make room for others, by reason.',
    labelNames: ['reason'],
  });
  return (reason) => counter.inc({ reason });
};
