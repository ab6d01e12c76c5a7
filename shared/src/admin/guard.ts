import type { FastifyRequest } from 'fastify';
import { isLoopback } from '../core/host-port.ts';
import { GatehouseError } from '../error.ts';
import type { AdminAuthenticator } from './authenticator.ts';

/**
 * Lets a request pass or throws. Every route asks for an accepted caller unless it says `config: { open: true }`, so a
 * route that somebody forgot to think about is closed. What the router matched counts, not what the URL looks like:
 * `/%76%31/health` is `/v1/health` too.
 */
export const guard = async (request: FastifyRequest, authenticator: AdminAuthenticator): Promise<void> => {
  if (request.routeOptions.config.open === true) return;
  if (request.is404 && !isBelowV1(pathOf(request))) return;
  if (!isPrivate(request)) {
    // A token that crossed the network in the clear proves nothing any more, so it is not even looked at.
    throw new GatehouseError(
      'unauthenticated',
      'over plain HTTP the REST API answers only on loopback: use TLS, or kubectl port-forward',
    );
  }
  const token = bearerToken(request);
  const path = request.routeOptions.url ?? pathOf(request);
  const verdict = await authenticator.authenticate({
    token,
    verb: request.method.toLowerCase(),
    path,
    namespace: namespaceOf(request),
  });
  switch (verdict.kind) {
    case 'accepted':
      return;
    case 'unknown':
      throw new GatehouseError(
        'unauthenticated',
        token === undefined
          ? 'a bearer token is needed: Authorization: Bearer TOKEN'
          : 'the bearer token is not accepted',
      );
    case 'refused':
      throw new GatehouseError(
        'permission-denied',
        `${verdict.caller.name} may not ${request.method.toLowerCase()} ${path}`,
      );
  }
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

/** From the path's `:namespace` or the query; what is no single text is refused later by the route's schema. */
const namespaceOf = (request: FastifyRequest): string | undefined => {
  for (const part of [request.params, request.query]) {
    const value =
      typeof part === 'object' && part !== null && 'namespace' in part ? part.namespace : undefined;
    if (typeof value === 'string') return value;
  }
  return undefined;
};
