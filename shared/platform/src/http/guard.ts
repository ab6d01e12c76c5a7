import { GatehouseError } from '@gatehouse/core/error';
import { isLoopback } from '@gatehouse/core/host-port';
import type { FastifyRequest } from 'fastify';
import type { AdminAuthenticator } from './authenticator.ts';
import { requireRead } from './permitted.ts';
import type { RouteAccess } from './route-access.ts';

/**
 * Lets a request pass or throws, and leaves who sent it in `request.caller`. Every route asks for an accepted caller
 * unless it says that it is open. What the router matched counts, not what the URL looks like: `/%76%31/health` is
 * `/v1/health` too.
 */
export const guard = async (request: FastifyRequest, authenticator: AdminAuthenticator): Promise<void> => {
  const { access } = request.routeOptions.config;
  if (access === 'open') return;
  if (request.is404 && !isBelowV1(pathOf(request))) return;
  if (!isPrivate(request)) {
    // A token that crossed the network in the clear proves nothing any more, so it is not even looked at.
    throw new GatehouseError(
      'unauthenticated',
      'over plain HTTP the REST API answers only on loopback: use TLS, or kubectl port-forward',
    );
  }
  const token = bearerToken(request);
  const [verb, path] = [verbOf(request), servedPath(request)];
  const verdict = await authenticator.authenticate({ token, verb, path, from: request.ip });
  switch (verdict.kind) {
    case 'accepted':
      request.caller = verdict.caller;
      await requireNamespace(request, access);
      return;
    case 'unknown':
      throw new GatehouseError(
        'unauthenticated',
        token === undefined
          ? 'a bearer token is needed: Authorization: Bearer TOKEN'
          : 'the bearer token is not accepted',
      );
    case 'refused':
      throw new GatehouseError('permission-denied', `${verdict.caller.name} may not ${verb} ${path}`);
  }
};

/** HEAD shows less than GET, and nobody thinks of it when writing a rule. */
const verbOf = ({ method }: FastifyRequest): string => (method === 'HEAD' ? 'get' : method.toLowerCase());

/**
 * The path that permissions are asked for. It is made of what the router matched, so that `/v1/%63ertificates` is
 * `/v1/certificates`; a parameter stays in its own segment whatever it holds, as `%2F` is not a slash.
 */
const servedPath = (request: FastifyRequest): string => {
  const { url: pattern } = request.routeOptions;
  if (request.is404 || pattern === undefined) return pathOf(request);
  const params = request.params as Readonly<Record<string, string | undefined>>;
  return pattern
    .split('/')
    .map((part) => (part.startsWith(':') ? encodeURIComponent(params[part.slice(1)] ?? '') : part))
    .join('/');
};

const requireNamespace = async (request: FastifyRequest, access: RouteAccess | undefined): Promise<void> => {
  const namespace = namespaceOf(request);
  if (typeof access === 'object' && namespace !== undefined) await requireRead(request, namespace);
};

/** The path as it came, without its query. */
export const pathOf = ({ url }: FastifyRequest): string => url.split(/[?#]/, 1)[0] ?? url;

// A path that cannot be decoded might be anything, so it is guarded.
const isBelowV1 = (path: string): boolean => {
  try {
    return /^\/+v1(?:\/|$)/i.test(decodeURIComponent(path));
  } catch {
    return true;
  }
};

const isPrivate = ({ socket }: FastifyRequest): boolean =>
  ('encrypted' in socket && socket.encrypted === true) || isLoopback(socket.localAddress ?? '');

const bearerToken = ({ headers }: FastifyRequest): string | undefined =>
  /^bearer +([^\s]+) *$/i.exec(headers.authorization ?? '')?.[1];

/** From the path's `:namespace` or the query; what is not a single text is refused later by the route's schema. */
const namespaceOf = (request: FastifyRequest): string | undefined => {
  for (const part of [request.params, request.query]) {
    const value =
      typeof part === 'object' && part !== null && 'namespace' in part ? part.namespace : undefined;
    if (typeof value === 'string') return value;
  }
  return undefined;
};
