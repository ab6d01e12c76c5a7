import type { Duplex } from 'node:stream';
import { evaluate, type Verdict } from '@gatehouse/core/inbound/evaluate-inbound';
import type { AuthzCount } from './authz-metrics.ts';
import { eventClient, type InboundClient } from './inbound-client.ts';
import type { InboundContext } from './inbound-context.ts';
import { printMeta } from './port-policy.ts';
import { splice } from './splice.ts';

const counts = {
  allowed: 'tcp_authz_allow',
  denied: 'tcp_authz_deny',
  terminated: 'tcp_authz_terminate',
} as const satisfies Record<string, AuthzCount>;

/**
 * Passes a raw connection to the application for as long as the newest row admits it: asked at its start and at every
 * change of policy, and cut by the first that does not. Resolves when the connection is over.
 */
export const forwardInbound = async (
  socket: Duplex,
  client: InboundClient,
  context: InboundContext & { readonly head?: Buffer },
): Promise<void> => {
  const { policy, app, matchesRegex, metrics, log, head } = context;
  const judge = (): Verdict =>
    evaluate(
      policy.row.value.server,
      { client: client.address, tls: client.tls, traffic: { kind: 'tcp' } },
      matchesRegex,
    );
  const tell = (word: keyof typeof counts, verdict: Verdict): void => {
    const { meta } = policy.row.value.server;
    const authorization = verdict.kind === 'allowed' ? verdict.authorization : undefined;
    metrics.count(counts[word], { client, port: policy.port, server: meta, route: undefined, authorization });
    log({
      event: 'inbound-tcp',
      connection: client.connection,
      port: policy.port,
      client: eventClient(client),
      verdict: word,
      server: printMeta(meta),
      authorization: authorization && printMeta(authorization),
    });
  };
  const first = judge();
  tell(first.kind, first);
  if (first.kind === 'denied') {
    socket.destroy();
    return;
  }
  const recheck = policy.row.subscribe(() => {
    const verdict = judge();
    if (verdict.kind === 'allowed' || socket.destroyed) return;
    tell('terminated', verdict);
    socket.destroy();
  });
  try {
    await splice(socket, await app.connect(), head);
  } catch {
    // The application cannot be reached: to a raw client that looks like a closed connection, as with the real proxy.
    socket.destroy();
  } finally {
    recheck();
  }
};
