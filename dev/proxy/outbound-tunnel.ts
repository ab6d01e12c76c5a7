import type { Duplex } from 'node:stream';
import { printTarget } from './discovery.ts';
import type { HttpHandler } from './http-message.ts';
import { detectHttp } from './http-preface.ts';
import type { OutboundOptions } from './outbound.ts';
import type { OutboundClient } from './outbound-client.ts';
import { findWay, mayDetect, sendOutbound } from './outbound-request.ts';
import type { OutboundTarget } from './outbound-target.ts';
import { peek } from './peek.ts';
import { serveHttp2 } from './serve-http2.ts';
import { splice } from './splice.ts';

const detectTimeoutMs = 10_000;

/** Serves what comes out of a CONNECT tunnel: HTTP by requests, anything else raw. */
export const serveTunnel = async (
  socket: Duplex,
  {
    client,
    target,
    options,
  }: {
    readonly client: OutboundClient;
    readonly target: OutboundTarget;
    readonly options: Pick<OutboundOptions, 'plane' | 'http1'>;
  },
): Promise<void> => {
  const { plane, http1 } = options;
  const lease = client.lease(target);
  const context = { plane, target, lease, connection: client.connection };
  const handler: HttpHandler = (request) => sendOutbound(request, context);
  const { signal } = client.gone;
  let head: Buffer | undefined;
  if (await mayDetect(lease, signal)) {
    const seen = await peek(socket, {
      look: (bytes) => {
        const found = detectHttp(bytes);
        return found === 'more' ? undefined : found;
      },
      timeoutMs: detectTimeoutMs,
    });
    if (seen.kind === 'seen' && seen.value === 'http1') return http1.serve(socket, handler);
    if (seen.kind === 'seen' && seen.value === 'http2') return void serveHttp2(socket, handler);
    if (seen.kind === 'ended') head = seen.head;
  }
  const tell = (outcome: { upstream?: string; identity?: string | undefined; reason?: string }): void =>
    plane.log({
      event: 'outbound-tcp',
      connection: client.connection,
      upstream: outcome.upstream,
      target: printTarget(target),
      identity: outcome.identity,
      reason: outcome.reason,
    });
  try {
    const way = await findWay({ kind: 'tcp' }, context, signal);
    if (way.kind === 'refuse') throw new Error(way.reason);
    const balancer = lease.balancer(way.kind === 'balance' ? way : { endpoint: way.endpoint });
    const { upstream, opened } = await balancer.use(async (upstream) => ({
      upstream,
      opened: await upstream.connect(),
    }));
    tell({ upstream: opened.connection, identity: upstream.endpoint.identity?.name });
    await splice(socket, opened.socket, head);
  } catch (error) {
    tell({ reason: error instanceof Error ? error.message : String(error) });
    socket.destroy();
  }
};
