import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { type AccessRules, authenticate, requireAccess, requirePathAccess } from './access-control.ts';
import { ApiStatus, badRequest, noSuchPath } from './api-status.ts';
import type { ResolveService } from './call-webhook.ts';
import { answerDiscovery } from './discovery.ts';
import type { Faults } from './faults.ts';
import { injectFault } from './inject-fault.ts';
import { answerIssuerDiscovery, isAccepted, keySetType } from './issuer-discovery.ts';
import { answerOpenApi } from './openapi.ts';
import { printTable, wantsTable } from './print-table.ts';
import { protobufType, readProtobuf } from './read-protobuf.ts';
import { parseRequest, type RequestInfo } from './request-info.ts';
import type { ResourceRequest } from './resource-request.ts';
import { podType, serviceAccountType } from './resource-types.ts';
import { answerReview } from './reviews.ts';
import { forwardedPod } from './serve-forward.ts';
import { noSuchMethod, parseBody, type Sent, serveResource } from './serve-resource.ts';
import { type OpenWatch, serveWatch, type WatchTimes } from './serve-watch.ts';
import { type ServerState, servedAt, servedTypes } from './server-state.ts';
import { requestToken } from './service-account-tokens.ts';

/** Everything a request is answered from. */
export interface Parts {
  readonly state: ServerState;
  readonly rules: AccessRules;
  readonly faults: Faults;
  readonly times: WatchTimes;
  readonly resolveService: ResolveService;
  readonly onWatch: (watch: OpenWatch, response: ServerResponse) => void;
}

/** Answers one request, whatever it asks; what is refused is answered with a Status. */
export const answerRequest = async (
  parts: Parts,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  try {
    await answer(parts, incoming, response);
  } catch (thrown) {
    if (response.destroyed) return;
    const status =
      thrown instanceof ApiStatus
        ? thrown
        : new ApiStatus({ code: 500, reason: 'InternalError', message: String(thrown) });
    if (status.retryAfterSeconds !== undefined) response.setHeader('retry-after', status.retryAfterSeconds);
    send(response, status.code, status.toObject());
  }
};

const answer = async (parts: Parts, incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { state, rules } = parts;
  const { store } = state;
  const { method = 'GET', headers } = incoming;
  const url = new URL(incoming.url ?? '/', 'http://fake');
  const bytes = asJson(await readBody(incoming), headers['content-type'] ?? '');
  if (isProbe(url.pathname)) return sendText(response, 200, 'ok');
  const user = await authenticate(state, rules, headers.authorization);
  const issued = method === 'GET' ? answerIssuerDiscovery(url, rules.keys) : undefined;
  if (issued !== undefined) {
    const broken = parts.faults.takeAt(url.pathname);
    if (broken !== undefined && (await injectFault(broken, response, false))) return;
    requirePathAccess(rules, user, url.pathname);
    if (!isAccepted(url.pathname, headers.accept)) {
      return sendText(response, 406, `406: Not Acceptable\n\nAvailable representations: ${keySetType}`);
    }
    return send(response, 200, issued);
  }
  const found =
    method === 'GET'
      ? (answerDiscovery(store, url.pathname) ?? answerOpenApi(store, url.pathname))
      : undefined;
  if (found !== undefined) return send(response, 200, found);
  const info = parseRequest(method, url);
  // Where no group is served there is nobody to answer with a Status: the real server's last resort is plain text.
  if (info === undefined) return sendText(response, 404, '404 page not found');
  const fault = parts.faults.take(info);
  if (fault !== undefined && (await injectFault(fault, response, info.verb === 'watch'))) return;
  requireAccess(rules, user, info);
  const review = await answerReview(state, info, () => ({ user, body: parseBody(bytes), rules }));
  if (review !== undefined) return send(response, 201, review);
  const type = servedAt(store, info);
  if (type === undefined) {
    if (isCustomPath(parts, info)) return sendText(response, 404, '404 page not found');
    throw noSuchPath();
  }
  const request: ResourceRequest = { ...info, type, query: url.searchParams };
  const { verb } = info;
  if (type === serviceAccountType && request.subresource === 'token') {
    if (verb !== 'create') throw noSuchMethod();
    return send(
      response,
      201,
      await requestToken(state, request, { body: parseBody(bytes), keys: rules.keys }),
    );
  }
  if (type === podType && request.subresource === 'portforward') {
    forwardedPod(parts, { user, info });
    throw badRequest('Upgrade request required');
  }
  checkSubresource(request, verb);
  if (verb === 'watch') {
    const asTable = wantsTable(headers.accept);
    parts.onWatch(serveWatch(state, request, { response, fault, times: parts.times, asTable }), response);
    return;
  }
  const warnings: string[] = [];
  const sent: Sent = {
    contentType: headers['content-type'] ?? '',
    userAgent: headers['user-agent'] ?? '',
    bytes,
  };
  const admitting = {
    user,
    resolveService: parts.resolveService,
    warn: (text: string) => warnings.push(`299 - ${JSON.stringify(text)}`),
  };
  const { code, body } = await serveResource(state, { ...request, verb }, { sent, admitting });
  if (warnings.length > 0) response.setHeader('warning', warnings);
  const isTable =
    code === 200 &&
    (verb === 'get' || verb === 'list') &&
    request.subresource !== 'scale' &&
    wantsTable(headers.accept);
  send(response, code, isTable ? printTable(state, type, { version: info.version, body }) : body);
};

/** kubectl sends built-in kinds as protobuf. */
const asJson = (bytes: Uint8Array, contentType: string): Uint8Array =>
  contentType.startsWith(protobufType) && bytes.length > 0
    ? Buffer.from(JSON.stringify(readProtobuf(bytes)))
    : bytes;

const isProbe = (path: string): boolean => ['/healthz', '/livez', '/readyz'].includes(path);

/** Groups that only CRDs could serve: built-in ones are always there and answer with a Status. */
const isCustomPath = ({ state }: Parts, { group }: RequestInfo): boolean =>
  !servedTypes(state.store).some((type) => type.origin === 'built-in' && type.group === group);

const checkSubresource = (request: ResourceRequest, verb: RequestInfo['verb']): void => {
  const { subresource, type, name } = request;
  if (subresource !== '') {
    const isServed =
      (subresource === 'status' && type.hasStatus) || (subresource === 'scale' && type.hasScale);
    if (!isServed) throw noSuchPath();
    if (!['get', 'update', 'patch'].includes(verb)) throw noSuchMethod();
  } else if (verb === 'create' && name !== '') throw noSuchMethod();
};

const readBody = async (incoming: IncomingMessage): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const send = (response: ServerResponse, code: number, body: WireObject): void => {
  const text = JSON.stringify(body);
  response.writeHead(code, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
};

const sendText = (response: ServerResponse, code: number, text: string): void => {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(text);
};
