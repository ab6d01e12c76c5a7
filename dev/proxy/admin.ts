import { Readable } from 'node:stream';
import type { AuthzMetrics } from './authz-metrics.ts';
import type { HttpAnswer, HttpHandler } from './http-message.ts';

export interface AdminOptions {
  /** Whether a certificate has been accepted; it never goes back (contract/proxy.md §4.5). */
  readonly ready: () => boolean;
  readonly metrics: AuthzMetrics;
}

/** An answer whose whole body is at hand. */
export const answerText = (status: number, type: string, body: string): HttpAnswer => ({
  status,
  headers: [
    ['content-type', type],
    ['content-length', String(Buffer.byteLength(body))],
  ],
  body: Readable.from([Buffer.from(body)]),
  trailers: () => [],
});

/** The admin port's application: `/live`, `/ready` and `/metrics`, as of linkerd2-proxy. */
export const adminHandler =
  ({ ready, metrics }: AdminOptions): HttpHandler =>
  async ({ path }) => {
    switch (path.split('?')[0]) {
      case '/live':
        return answerText(200, 'text/plain', 'live\n');
      case '/ready':
        return ready()
          ? answerText(200, 'text/plain', 'ready\n')
          : answerText(503, 'text/plain', 'no certificate yet\n');
      case '/metrics':
        return answerText(200, metrics.contentType, await metrics.text());
      default:
        return answerText(404, 'text/plain', 'not found\n');
    }
  };
