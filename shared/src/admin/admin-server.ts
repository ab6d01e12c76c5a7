import type { Socket } from 'node:net';
import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify';
import { type TSchema, Type } from 'typebox';
import { type HostPort, printHostPort } from '../core/host-port.ts';
import type { Source } from '../kube/changes.ts';
import { cannotListen } from '../listen-error.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { ServiceName } from '../service.ts';
import type { AdminAuthenticator } from './authenticator.ts';
import { commonRoutes } from './common-routes.ts';
import { guard, pathOf } from './guard.ts';
import {
  httpProblems,
  type ProblemDetails as ProblemBody,
  ProblemDetails,
  problemDetails,
  problemMediaType,
  problemOf,
} from './problem-details.ts';
import { RouteTable } from './route-table.ts';
import type { StreamFacts } from './streams.ts';
import { validatorCompiler } from './validate.ts';

/** What a service adds its own `/v1` routes to; TypeBox schemas give them types, validation and OpenAPI. */
export type AdminApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export interface AdminOptions {
  readonly service: ServiceName;
  readonly address: HostPort;
  readonly authenticator: AdminAuthenticator;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly source: Pick<Source, 'health'>;
  /** What the service waits for beside its source, each a sentence; empty = ready. */
  readonly reasons: () => readonly string[];
  readonly streams: () => Iterable<StreamFacts>;
  /** Adds the service's own routes, all below `/v1`. */
  readonly routes?: (app: AdminApp) => void;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

export interface AdminServer {
  /** `http://host:port` as bound. */
  readonly url: string;
  readonly app: AdminApp;
  /** Every route with its method, for tests that walk them all. */
  readonly routes: readonly { readonly method: string; readonly pattern: string }[];
  close(): Promise<void>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Served to everybody; every route without it asks the authenticator. */
    open?: true;
  }
}

/** Serves the admin port. Throws when the address cannot be had. */
export const startAdmin = async (options: AdminOptions): Promise<AdminServer> => {
  const { service, address, authenticator, log, routes } = options;
  const table = new RouteTable();
  const app: AdminApp = fastify({
    logger: false,
    // Bodies are small questions; nothing is uploaded here.
    bodyLimit: 1024 * 1024,
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket),
    frameworkErrors: (error, request, reply) => {
      // A path that cannot be decoded never reaches the hooks.
      guard(request as FastifyRequest, authenticator)
        .then(() => problemOf(error), problemOf)
        .then((problem) => sendProblem(reply as FastifyReply, problem))
        .catch((thrown) => log.error({ err: thrown }, 'answering a bad URL failed'));
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler<TSchema>(validatorCompiler);
  app.addHook('onRequest', (request) => guard(request, authenticator));
  app.addHook('onRoute', (route) => {
    table.add(route.method, route.url);
    if (route.config?.open === true) return;
    // Without a schema of its own a route takes no parameters, and any is refused.
    route.schema = { querystring: Type.Object({}), ...route.schema };
    route.schema.response = {
      ...(route.schema.response as object | undefined),
      default: {
        description: 'Problem details (RFC 9457)',
        content: { [problemMediaType]: { schema: ProblemDetails } },
      },
    };
  });
  app.setErrorHandler((thrown, request, reply) => {
    const problem = problemOf(thrown);
    const about = { method: request.method, path: pathOf(request), status: problem.status };
    if (problem.status >= 500) log.error({ err: thrown, ...about }, 'an admin request failed');
    else log.debug({ ...about, detail: problem.detail }, 'an admin request was refused');
    sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => {
    const allowed = table.methodsOf(pathOf(request));
    const path = pathOf(request);
    if (allowed.length === 0)
      return sendProblem(reply, problemDetails('not-found', `there is no ${path} here`));
    reply.header('allow', allowed.join(', '));
    return sendProblem(
      reply,
      problemDetails('method-not-allowed', `${path} has ${allowed.join(', ')}, not ${request.method}`),
    );
  });

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: `Gatehouse ${service}`, version: 'v1' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
  });
  commonRoutes(app, options);
  routes?.(app);
  try {
    await app.listen({ host: address.host, port: address.port });
  } catch (cause) {
    await app.close();
    throw cannotListen('GATEHOUSE_ADMIN_ADDR', address, cause);
  }
  const bound = app.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  return {
    url: `http://${printHostPort({ host: address.host, port })}`,
    app,
    routes: table.all,
    close: () => app.close(),
  };
};

const sendProblem = (reply: FastifyReply, problem: ProblemBody): FastifyReply => {
  // RFC 9110 §15.5.2: a 401 says how to authenticate.
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="gatehouse"');
  return reply.code(problem.status).type(problemMediaType).serializer(JSON.stringify).send(problem);
};

/** Bytes that are no HTTP request: there is no reply object, so the answer is written by hand. */
const answerBrokenRequest = (error: Error & { code?: string }, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemDetails(brokenRequestCode(error.code), 'this is no HTTP/1.1 request');
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${httpProblems[brokenRequestCode(error.code)].title}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
};

const brokenRequestCode = (code: string | undefined) => {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'headers-too-large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'request-timeout';
    default:
      return 'invalid-argument';
  }
};
