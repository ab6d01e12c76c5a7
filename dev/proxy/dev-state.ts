import { readIp } from '@gatehouse/core/ip-network';
import { answerText } from './admin.ts';
import type { CertificateFacts, EventClient, RowSummary } from './event-log.ts';
import type { HttpAnswer, HttpRequest } from './http-message.ts';
import type { InboundListener } from './inbound.ts';
import { eventClient, type InboundClient } from './inbound-client.ts';
import { type PortPolicy, summarize } from './port-policy.ts';

/** What a proxy holds now, for people and for the demo: the answer of `GET /dev/state` on the admin port. */
export interface DevState {
  readonly identity: string;
  /** Undefined until the first was accepted. */
  readonly certificate: CertificateFacts | undefined;
  readonly ports: readonly {
    readonly port: number;
    /** Undefined while the proxy goes by its own environment. */
    readonly hash: string | undefined;
    /** When the row came, in milliseconds since the epoch. */
    readonly at: number | undefined;
    /** Why the last message admits nobody. */
    readonly invalid: string | undefined;
    readonly row: RowSummary;
    readonly connections: readonly ({ readonly connection: string } & EventClient)[];
  }[];
  /** Connections of the pod's own applications. */
  readonly outbound: readonly string[];
  readonly targets: readonly { readonly target: string; readonly endpoints: readonly string[] }[];
}

export const portState = (
  { port, row: { value } }: PortPolicy,
  listener: InboundListener | undefined,
): DevState['ports'][number] => {
  const { origin, server } = value;
  const came = origin.kind === 'initial' ? undefined : origin;
  return {
    port,
    hash: came?.hash,
    at: came?.at,
    invalid: origin.kind === 'invalid' ? origin.reason : undefined,
    row: summarize(server),
    connections: (listener?.connections ?? []).map((client) => ({
      connection: client.connection,
      ...eventClient(client),
    })),
  };
};

const localhost = readIp('127.0.0.1')?.bits;

/** Answers `GET /dev/state` to 127.0.0.1, whatever the admin port's policy says; a real proxy has no such thing. */
export const answerDevState =
  (state: () => DevState) =>
  (request: HttpRequest, client: InboundClient): HttpAnswer | undefined => {
    const asked = request.method === 'GET' && request.path === '/dev/state';
    if (!asked || client.address.bits !== localhost) return undefined;
    return answerText(200, 'application/json', `${JSON.stringify(state(), undefined, 2)}\n`);
  };
