import { setTimeout as sleep } from 'node:timers/promises';
import { printHostPort } from '@gatehouse/core/host-port';
import { printIp } from '@gatehouse/core/ip-network';
import type { GrpcClient } from '@gatehouse/platform/grpc/client';
import {
  DestinationProfile,
  GetDestination,
  type TlsIdentity,
  Update,
  type WeightedAddr,
} from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { decodeIp } from '@gatehouse/wire/ip';
import { answersWithinMs } from '../linkerd-peer.ts';

export interface Question {
  readonly method: 'Get' | 'GetProfile';
  readonly path: string;
  readonly contextToken: string;
}

/** An endpoint as a proxy is told of it, in texts that can be compared and read. */
export interface Told {
  /** `dns NAME` or `uri URI as SERVER-NAME`; '' = plaintext. */
  readonly identity: string;
  /** Such as `h2 4143`; '' = none. */
  readonly hint: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a controller answers at first. */
export type Answer =
  | { readonly kind: 'refused'; readonly code: string }
  /** Nothing was sent, or that there is no endpoint. */
  | { readonly kind: 'endpoints'; readonly endpoints: Readonly<Record<string, Told>> }
  | {
      readonly kind: 'profile';
      readonly name: string;
      readonly opaque: boolean;
      readonly endpoint: (Told & { readonly address: string }) | undefined;
      /** Routes, overrides and what else a ServiceProfile says, as JSON. */
      readonly routing: string;
    };

/** How long a controller is listened to. */
export interface Patience {
  /** For a first message: Linkerd says nothing of a Service without endpoints. */
  readonly firstMs: number;
  /** After it: Linkerd's first profile of a Service may be without its opaque ports, which come afterwards. */
  readonly settledMs: number;
}

/** Enough for a controller that has a processor to itself. */
export const leastPatience: Patience = { firstMs: 250, settledMs: 30 };

export const askFor = async (
  client: GrpcClient,
  { method, path, contextToken }: Question,
  { firstMs, settledMs }: Patience = leastPatience,
): Promise<Answer> => {
  const request = GetDestination.encode({ scheme: '', path, contextToken }).finish();
  const messages: Uint8Array[] = [];
  let ended: string | undefined;
  const cancel = client.serverStream(`/io.linkerd.proxy.destination.Destination/${method}`, request, {
    onMessage: (message) => messages.push(message),
    onEnd: (error) => {
      ended = error?.code ?? 'ok';
    },
  });
  const until = performance.now() + firstMs;
  while (messages.length === 0 && ended === undefined && performance.now() < until) await sleep(2);
  if (messages.length > 0 && method === 'GetProfile') await sleep(settledMs);
  cancel();
  const first = messages.at(-1);
  if (first === undefined && ended !== undefined) return { kind: 'refused', code: ended };
  if (method === 'Get')
    return { kind: 'endpoints', endpoints: first === undefined ? {} : endpointsIn(first) };
  return first === undefined ? { kind: 'refused', code: 'silence' } : profileIn(first);
};

/**
 * Whether Linkerd's controller still answers, however slowly: of an address that nobody has it has always something to say,
 * once it has dealt with what it was asked before.
 */
export const answersAtAll = async (client: GrpcClient): Promise<boolean> => {
  const question: Question = { method: 'GetProfile', path: '203.0.113.1:80', contextToken: '' };
  const answer = await askFor(client, question, { ...leastPatience, firstMs: answersWithinMs });
  return answer.kind === 'profile';
};

/**
 * Follows a profile until the function that comes back is called, over whatever ends it. Linkerd forgets the opaque ports of a
 * Service when its last client leaves (in the table of differences), so random questions are asked while another client stays.
 */
export const keepFollowing = (client: GrpcClient, path: string): (() => void) => {
  const request = GetDestination.encode({ scheme: '', path, contextToken: '' }).finish();
  let cancel = (): void => {};
  let again: NodeJS.Timeout | undefined;
  const open = (): void => {
    cancel = client.serverStream('/io.linkerd.proxy.destination.Destination/GetProfile', request, {
      onMessage: () => {},
      onEnd: () => {
        again = setTimeout(open, 100);
      },
    });
  };
  open();
  return () => {
    clearTimeout(again);
    cancel();
  };
};

const endpointsIn = (bytes: Uint8Array): Readonly<Record<string, Told>> => {
  const { update } = Update.decode(bytes);
  if (update?.$case !== 'add') return {};
  const told = update.value.addrs.map(
    (addr) => [addressOf(addr), toldOf(addr, update.value.metricLabels)] as const,
  );
  return Object.fromEntries(told.sort(([a], [b]) => (a < b ? -1 : 1)));
};

export const profileIn = (bytes: Uint8Array): Answer => {
  const { fullyQualifiedName, opaqueProtocol, endpoint, parentRef, profileRef, ...routing } =
    DestinationProfile.decode(bytes);
  // Linkerd leaves the kind of the reference empty as often as not, and names nothing where there is no ServiceProfile.
  const refs = [parentRef, profileRef].map((ref) =>
    ref?.kind?.$case === 'resource' && ref.kind.value.name !== ''
      ? `${ref.kind.value.namespace}/${ref.kind.value.name}`
      : '',
  );
  return {
    kind: 'profile',
    name: fullyQualifiedName,
    opaque: opaqueProtocol,
    endpoint: endpoint === undefined ? undefined : { ...toldOf(endpoint, {}), address: addressOf(endpoint) },
    routing: JSON.stringify([refs, routing], comparable),
  };
};

/** Of conditions that must all hold, the order says nothing. */
const comparable = (key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return `${value}`;
  return key === 'matches' && Array.isArray(value)
    ? value.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    : value;
};

export const toldOf = (
  { tlsIdentity, protocolHint, metricLabels }: WeightedAddr,
  shared: Told['labels'],
): Told => ({
  identity: printTls(tlsIdentity),
  hint:
    protocolHint?.protocol === undefined
      ? ''
      : `${protocolHint.protocol.$case} ${protocolHint.opaqueTransport?.inboundPort ?? 'itself'}`,
  labels: { ...shared, ...metricLabels },
});

const printTls = (tls: TlsIdentity | undefined): string => {
  switch (tls?.strategy?.$case) {
    case 'dnsLikeIdentity':
      return `dns ${tls.strategy.value.name}`;
    case 'uriLikeIdentity':
      return `uri ${tls.strategy.value.uri} as ${tls.serverName?.name}`;
    case undefined:
      return '';
  }
};

export const addressOf = ({ addr }: Pick<WeightedAddr, 'addr'>): string => {
  const ip = decodeIp(addr?.ip);
  return ip === undefined || addr === undefined
    ? 'none'
    : printHostPort({ host: printIp(ip), port: addr.port });
};
