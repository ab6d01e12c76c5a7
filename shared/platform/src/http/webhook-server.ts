import { createServer, type Server } from 'node:https';
import { type AdmissionRequest, parseReview, type Verdict } from '@gatehouse/core/admission/review';
import { asGatehouseError, GatehouseError } from '@gatehouse/core/error';
import { type HostPort, printHostPort } from '@gatehouse/core/host-port';
import { printProblem } from '@gatehouse/core/problem';
import { type FastifyReply, fastify } from 'fastify';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { cannotListen } from '../process/listen-error.ts';
import { lateCompilers } from './late-compilers.ts';

/** One webhook: where it is called, and what it says. A call that it cannot answer is rejected, and the failure policy decides. */
export interface Webhook {
  readonly path: string;
  readonly admit: (request: AdmissionRequest, signal: AbortSignal) => Promise<Verdict>;
}

/** How long admission reviews took. */
export const admissionSeconds = (metrics: Metrics) =>
  metrics.histogram({
    name: 'gatehouse_admission_seconds',
    help: 'How long admission reviews took, by webhook and verdict.',
    labelNames: ['webhook', 'verdict'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
  });

export type AdmissionSeconds = ReturnType<typeof admissionSeconds>;

export interface WebhookServerOptions {
  readonly address: HostPort;
  readonly webhooks: readonly Webhook[];
  readonly log: Log;
  /** Told how long each review took. */
  readonly seconds: AdmissionSeconds;
}

export interface WebhookServer {
  /** `https://host:port` as bound. */
  readonly url: string;
  /** Handshakes fail until there is a certificate. */
  replaceTls(tls: { readonly certificate: string; readonly key: string }): void;
  close(): Promise<void>;
}

/** An object of etcd has at most 1.5 MiB, and an update comes with the old one; JSON is longer than what etcd keeps. */
const bodyLimit = 8 * 1024 * 1024;

/** An API server waits 10 s by default, and calls from a few connections. */
const handlerTimeoutMs = 9_000;
const admitTimeoutMs = 8_000;
const maxConnections = 256;
/**
 * Longer than API servers keep a connection without calls (90 s, the default of Go's transport): it is theirs to close. Were we
 * first, a review could meet a connection that is being closed, and with the failure policy `Fail` its pod would be refused.
 */
const idleMs = 120_000;

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/** Errors are told as the API server tells them: a Status, whose message it repeats to the client that applied the object. */
const sendStatus = (reply: FastifyReply, code: number, message: string): FastifyReply =>
  reply
    .code(code)
    .type('application/json')
    .send({
      apiVersion: 'v1',
      kind: 'Status',
      status: 'Failure',
      code,
      reason: reasons[code] ?? 'Unknown',
      message,
    });

const printReview = (uid: string, verdict: Verdict) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response:
    verdict.kind === 'denied'
      ? { uid, allowed: false, status: { code: 403, reason: 'Forbidden', message: verdict.message } }
      : {
          uid,
          allowed: true,
          ...(verdict.warnings.length === 0 ? {} : { warnings: verdict.warnings }),
          ...(verdict.patch.length === 0
            ? {}
            : {
                patchType: 'JSONPatch',
                patch: Buffer.from(JSON.stringify(verdict.patch)).toString('base64'),
              }),
        },
});

/** Serves the webhooks over HTTPS. Throws when the address cannot be had. */
export const startWebhookServer = async ({
  address,
  webhooks,
  log,
  seconds,
}: WebhookServerOptions): Promise<WebhookServer> => {
  let server: Server | undefined;
  const app = fastify({
    logger: false,
    bodyLimit,
    return503OnClosing: false,
    handlerTimeout: handlerTimeoutMs,
    // It has no schemas; Fastify's own compilers would be loaded all the same.
    ...lateCompilers,
    serverFactory: (handler) => {
      server = createServer(
        { minVersion: 'TLSv1.3', handshakeTimeout: 5_000, requestTimeout: 10_000 },
        handler,
      );
      server.maxConnections = maxConnections;
      server.keepAliveTimeout = idleMs;
      return server;
    },
  });
  for (const { path, admit } of webhooks) {
    app.post(path, async (request, reply) => {
      const review = parseReview(request.body);
      if (!review.ok) return sendStatus(reply, 400, review.problems.map(printProblem).join('; '));
      const end = seconds.startTimer({ webhook: path.slice(1) });
      try {
        const verdict = await admit(review.value, AbortSignal.timeout(admitTimeoutMs));
        end({ verdict: verdict.kind });
        return printReview(review.value.uid, verdict);
      } catch (thrown) {
        end({ verdict: 'failed' });
        throw thrown;
      }
    });
  }
  app.setNotFoundHandler((request, reply) =>
    sendStatus(
      reply,
      404,
      `no webhook is at ${request.method} ${request.url.slice(0, 80)}: POST to ${webhooks.map(({ path }) => path).join(', ')}`,
    ),
  );
  app.setErrorHandler(
    (thrown: { readonly statusCode?: number; readonly message: string }, _request, reply) => {
      const given = thrown.statusCode;
      if (given !== undefined && given < 500) return sendStatus(reply, given, thrown.message);
      const error = asGatehouseError(thrown);
      const isAway = error instanceof GatehouseError && error.code === 'unavailable';
      log.warn({ err: thrown }, 'an admission review could not be answered');
      return sendStatus(
        reply,
        isAway ? 503 : 500,
        isAway ? error.message : 'the review could not be answered: see the log of gatehouse-policy',
      );
    },
  );
  try {
    await app.listen({ host: address.host, port: address.port });
  } catch (cause) {
    await app.close();
    throw cannotListen('GATEHOUSE_WEBHOOK_ADDR', address, cause);
  }
  const bound = app.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  return {
    url: `https://${printHostPort({ host: address.host, port })}`,
    replaceTls: ({ certificate, key }) =>
      server?.setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.3' }),
    close: async () => {
      server?.closeIdleConnections();
      await app.close();
    },
  };
};
