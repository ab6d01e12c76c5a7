import type { ClientTls } from '@gatehouse/core/inbound/evaluate-inbound';
import { type IpAddress, printIp } from '@gatehouse/core/ip-network';
import type { EventClient } from './event-log.ts';

/** Who is at the other end of an inbound connection, as far as TCP and TLS can tell. */
export interface InboundClient {
  /** Named as in connection-id.ts. */
  readonly connection: string;
  readonly address: IpAddress;
  readonly tls: ClientTls;
  /** Set for TLS that is not ours to end; undefined in it = the hello named nobody. */
  readonly passedThrough: { readonly serverName: string | undefined } | undefined;
}

/** Mesh clients are told why they were refused; others are not (contract/proxy.md §6.5). */
export const isMeshClient = ({ tls }: InboundClient): boolean => tls.kind === 'identified';

export const identityOf = ({ tls }: InboundClient): string | undefined =>
  tls.kind === 'identified' ? tls.name : undefined;

const eventTls = ({ tls, passedThrough }: InboundClient): EventClient['tls'] => {
  if (passedThrough !== undefined) return 'opaque';
  switch (tls.kind) {
    case 'identified':
      return 'mtls';
    case 'anonymous':
      return 'tls';
    case 'port-skipped':
      return 'skipped';
    case 'none':
      return 'none';
  }
};

export const eventClient = (client: InboundClient): EventClient => ({
  address: printIp(client.address),
  tls: eventTls(client),
  identity: identityOf(client),
});

/** The TLS labels of the proxy's metrics (contract/proxy.md §6.6). */
export const tlsLabels = (client: InboundClient): Readonly<Record<string, string>> => {
  const kind = eventTls(client);
  switch (kind) {
    case 'mtls':
    case 'tls':
      return { tls: 'true', client_id: identityOf(client) ?? '' };
    case 'opaque':
      return { tls: 'opaque', sni: client.passedThrough?.serverName ?? '' };
    case 'skipped':
      return { tls: 'no_identity', no_tls_reason: 'port_skipped' };
    case 'none':
      return { tls: 'no_identity', no_tls_reason: 'no_tls_from_remote' };
  }
};
