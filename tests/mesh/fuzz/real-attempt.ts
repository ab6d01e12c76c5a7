import type { Attempt, ClientTls } from '@gatehouse/core/inbound/evaluate-inbound';
import type { InboundProtocol } from '@gatehouse/core/inbound/inbound-server';
import { type IpAddress, printIp } from '@gatehouse/core/ip-network';
import type { Call, OwnTls } from '../agent/messages.ts';
import { inboundPort } from '../rig/redirect-rules.ts';

export interface RealAttempt {
  /** The attempt as it really is: what no client can do was replaced by the nearest that one can. */
  readonly attempt: Attempt;
  readonly call: Call;
}

export interface Surroundings {
  readonly port: number;
  readonly protocol: InboundProtocol['kind'];
  /** Alternates between HTTP/1 and HTTP/2 where the port takes both. */
  readonly turn: number;
  /** The pod's addresses, and the addresses that the client has. */
  readonly target: { readonly 4: string; readonly 6: string; readonly serverName: string };
  readonly canCallFrom: (client: IpAddress) => boolean;
  readonly stranger: IpAddress;
  /** The client's certificate and key for an identity, in PEM. */
  readonly certify: (tls: Extract<ClientTls, { kind: 'identified' }>) => Pick<OwnTls, 'certificate' | 'key'>;
}

/** An HTTP/2 client of Node always names an authority. */
const http2Authority = 'hand';

/** How a client outside the mesh, with whatever certificate, makes the attempt on a real proxy. */
export const realAttempt = (wanted: Attempt, around: Surroundings): RealAttempt => {
  const { port, protocol, turn, target } = around;
  const client = around.canCallFrom(wanted.client) ? wanted.client : around.stranger;
  const tls = tlsOn(protocol, wanted.tls);
  const own: OwnTls | undefined =
    tls.kind === 'none' || tls.kind === 'port-skipped'
      ? undefined
      : {
          serverName: target.serverName,
          ...(tls.kind === 'identified' ? around.certify(tls) : {}),
          // On an opaque port the proxy ends TLS only behind a transport header (contract/proxy.md §0 row 11).
          ...(protocol === 'opaque' ? { transportHeaderPort: port } : {}),
        };
  const base = {
    host: target[client.family],
    port: own?.transportHeaderPort === undefined ? port : inboundPort,
    from: printIp(client),
    timeoutMs: 15_000,
    ...(own === undefined ? {} : { tls: own }),
  };
  const { traffic } = wanted;
  if (traffic.kind === 'tcp') {
    return { attempt: { client, tls, traffic }, call: { ...base, speaks: 'tcp' } };
  }
  const speaks =
    protocol === 'http2' || protocol === 'grpc' || (protocol === 'detect' && turn % 2 === 1)
      ? 'http2'
      : 'http1';
  // Up to v2.360 the proxy compares hosts with their case, later ones and `evaluate` do not (docs/proxy-contract.md).
  const host = traffic.host?.toLowerCase() ?? (speaks === 'http2' ? http2Authority : undefined);
  return {
    attempt: { client, tls, traffic: { ...traffic, host } },
    call: {
      ...base,
      speaks,
      method: traffic.method,
      path: traffic.target,
      authority: host ?? null,
      headers: traffic.headers.map(({ name, value }) => [name, value]),
    },
  };
};

const tlsOn = (protocol: InboundProtocol['kind'], tls: ClientTls): ClientTls => {
  if (protocol === 'opaque') return tls.kind === 'identified' ? tls : { kind: 'port-skipped' };
  return tls.kind === 'port-skipped' ? { kind: 'none' } : tls;
};
