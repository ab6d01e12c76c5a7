import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type AccessRules, authenticate, requireAccess } from './access-control.ts';
import { ApiStatus, badRequest, noSuchPath, notFound } from './api-status.ts';
import { type Forwarding, forwardPort, type PodAddress } from './forward-port.ts';
import { fieldsOf } from './object-meta.ts';
import { parseRequest, type RequestInfo } from './request-info.ts';
import { podType, resourceKey } from './resource-types.ts';
import type { ServerState, User } from './server-state.ts';

interface ForwardParts {
  readonly state: ServerState;
  readonly rules: AccessRules;
}

/**
 * Returns a request that would leave HTTP: a port-forward, and nothing else. Bytes go to `status.podIP`, where the real
 * server would have a kubelet connect inside the pod.
 */
export const answerUpgrade = async (parts: ForwardParts, forwarding: Forwarding): Promise<void> => {
  const { incoming, socket } = forwarding;
  // A client that goes away is no error of ours.
  socket.on('error', () => socket.destroy());
  try {
    forwardPort(forwarding, await podAddress(parts, incoming));
  } catch (thrown) {
    const status =
      thrown instanceof ApiStatus
        ? thrown
        : new ApiStatus({ code: 500, reason: 'InternalError', message: String(thrown) });
    refuse(socket, status);
  }
};

const podAddress = async (parts: ForwardParts, incoming: IncomingMessage): Promise<PodAddress> => {
  const url = new URL(incoming.url ?? '/', 'http://fake');
  const user = await authenticate(parts.state, parts.rules, incoming.headers.authorization);
  const info = parseRequest(incoming.method ?? 'GET', url);
  if (info?.resource !== podType.plural || info.subresource !== 'portforward') throw noSuchPath();
  const host = forwardedPod(parts, { user, info });
  const port = Number(url.searchParams.get('ports'));
  if (!Number.isInteger(port) || port < 1) throw badRequest('one port must be given');
  return { host, port };
};

/**
 * The address of the pod that a request would forward to. Throws a Status as the server does before it connects to the
 * kubelet. Leaving HTTP counts as `create` beside the verb of the
 * method, and that refusal has no reason in its message.
 */
export const forwardedPod = (
  { state, rules }: ForwardParts,
  { user, info }: { readonly user: User; readonly info: RequestInfo },
): string => {
  requireAccess(rules, user, info);
  const { namespace, name } = info;
  const resource = { group: '', resource: podType.plural, subresource: info.subresource, namespace, name };
  if (!rules.authorize({ user, verb: 'create', resource })) {
    const message = `pods "${name}" is forbidden: `;
    throw new ApiStatus({ code: 403, reason: 'Forbidden', message, details: { name, kind: 'pods' } });
  }
  const pod = state.store.get(resourceKey(podType), `${namespace}/${name}`);
  if (pod === undefined) throw notFound(podType, name);
  if (fieldsOf(pod.spec).nodeName === undefined)
    throw badRequest(`pod ${name} does not have a host assigned`);
  const { podIP } = fieldsOf(pod.status);
  return typeof podIP === 'string' ? podIP : '127.0.0.1';
};

const refuse = (socket: Duplex, status: ApiStatus): void => {
  const body = JSON.stringify(status.toObject());
  const head = [
    `HTTP/1.1 ${status.code} ${status.reason}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
};
