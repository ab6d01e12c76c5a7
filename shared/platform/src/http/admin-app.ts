import type { Socket } from 'node:net';
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
import { Type } from 'typebox';
import type { Log } from '../log/log.ts';
import { isForReplicas, isInternal, requirePeer } from '../replicas/require-peer.ts';
import type { ServiceName } from '../service/service.ts';
import type { AdminAuthenticator } from './authenticator.ts';
import { guard, pathOf } from './guard.ts';
import { lateCompilers, loadSerializers } from './late-compilers.ts';
import type { DescribedRoute } from './openapi.ts';
import type { PlainOrTls } from './plain-or-tls.ts';
import {
  httpProblems,
  type ProblemDetails as ProblemBody,
  ProblemDetails,
  problemDetails,
  problemMediaType,
  problemOf,
} from './problem-details.ts';
import { printNeeds } from './route-access.ts';
import { RouteTable } from './route-table.ts';

/** What routes are added to; TypeBox schemas give them types, validation and OpenAPI. */
export type AdminApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export interface AdminAppOptions {
  readonly service: ServiceName;
  readonly authenticator: AdminAuthenticator;
  readonly log: Log;
  readonly listener: PlainOrTls;
  /** The mesh name of this service's replicas, whom alone `/internal` answers; undefined where it has none. */
  readonly replicaName: string | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Bodies are small questions; nothing is uploaded here. */
const bodyLimit = 1024 * 1024;

/** No question takes longer to answer. */
const handlerTimeoutMs = 10_000;

export interface CreatedAdminApp {
  readonly app: AdminApp;
  readonly table: RouteTable;
  /** The OpenAPI description of the routes that were added. */
  readonly describe: () => Promise<object>;
}

/** Fastify with what every route needs: the guard, strict validation, problem details, OpenAPI. */
export const createAdminApp = (options: AdminAppOptions): CreatedAdminApp => {
  const { service, authenticator, log, listener, replicaName, now } = options;
  const admit = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (!isForReplicas(request)) return guard(request, authenticator);
    requirePeer(request, reply, { name: replicaName, trustAnchors: listener.trustAnchors, now: now() });
  };
  const table = new RouteTable();
  const described: DescribedRoute[] = [];
  const app: AdminApp = fastify({
    logger: false,
    bodyLimit,
    // What comes in on open connections while we close is answered as ever, not with an error of another form.
    return503OnClosing: false,
    handlerTimeout: handlerTimeoutMs,
    ...lateCompilers,
    serverFactory: (handler) => listener.createServer(handler),
    clientErrorHandler: answerBrokenRequest,
    // A path that cannot be decoded never reaches the hooks.
    frameworkErrors: (error, request, reply) => {
      admit(request as FastifyRequest, reply as FastifyReply)
        .then(() => problemOf(error), problemOf)
        .then((problem) => sendProblem(reply as FastifyReply, problem))
        .catch((thrown) => log.error({ err: thrown }, 'answering a bad URL failed'));
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.decorateRequest('caller', undefined);
  app.addHook('onRequest', admit);
  app.addHook('preHandler', async (request) => {
    if (request.routeOptions.schema?.response !== undefined) await loadSerializers();
  });
  app.addHook('preClose', async () => listener.hangUp());
  app.addHook('onRoute', (route) => {
    const access = route.config?.access;
    if (access === undefined) throw new TypeError(`${route.url} does not say what its callers need`);
    if (isInternal(route.url) !== (access === 'replicas')) {
      throw new TypeError(`${route.url}: what is for replicas is below /internal, and nothing else is`);
    }
    table.add({ methods: route.method, pattern: route.url, access });
    if (access === 'open') return;
    // Without a schema of its own a route takes no parameters, and any is refused.
    route.schema = { querystring: Type.Object({}), description: printNeeds(access), ...route.schema };
    route.schema.response = {
      ...(route.schema.response as object | undefined),
      default: {
        description: 'Problem details (RFC 9457)',
        content: { [problemMediaType]: { schema: ProblemDetails } },
      },
    };
    const { method, url, schema } = route;
    if (method !== 'HEAD') described.push({ method, url, schema });
  });
  app.setErrorHandler((thrown, request, reply) => {
    const problem = problemOf(thrown);
    const about = { method: request.method, path: pathOf(request), status: problem.status };
    if (problem.status >= 500) log.error({ err: thrown, ...about }, 'an admin request failed');
    else log.debug({ ...about, detail: problem.detail }, 'an admin request was refused');
    sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => sendProblem(reply, notServed(request, reply, table)));
  const describe = async (): Promise<object> => {
    const { describeRoutes } = await import('./openapi.ts');
    return describeRoutes(service, described);
  };
  return { app, table, describe };
};

const notServed = (request: FastifyRequest, reply: FastifyReply, table: RouteTable): ProblemBody => {
  const path = pathOf(request);
  const methods = table.methodsOf(path).join(', ');
  if (methods === '') return problemDetails('not-found', `there is no ${path} here`);
  reply.header('allow', methods);
  return problemDetails('method-not-allowed', `${path} has ${methods}, not ${request.method}`);
};

const sendProblem = (reply: FastifyReply, problem: ProblemBody): FastifyReply => {
  // RFC 9110 §15.5.2: a 401 says how to authenticate.
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="gatehouse"');
  // RFC 6585 §4: what is refused as too much says when to come back; buckets gain one in that time.
  if (problem.status === 429) reply.header('retry-after', '1');
  return reply.code(problem.status).type(problemMediaType).serializer(JSON.stringify).send(problem);
};

/** Bytes that are not an HTTP request: there is no reply object, so the answer is written by hand. */
const answerBrokenRequest = (error: Error & { code?: string }, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = brokenRequestCode(error.code);
  const body = JSON.stringify(problemDetails(code, 'this is no HTTP/1.1 request'));
  const head = [
    `HTTP/1.1 ${httpProblems[code].status} ${httpProblems[code].title}`,
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
