import { printHostPort } from '@gatehouse/core/host-port';
import { networkContains } from '@gatehouse/core/ip-network';
import { printProblem } from '@gatehouse/core/problem';
import { DestinationProfile, GetDestination } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { TrafficSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/outbound';
import { encodeTcpAddress } from '@gatehouse/wire/ip';
import { type ControlPlane, subscribe } from './control-plane.ts';
import { decodeEndpoint, type Endpoint } from './endpoints.ts';
import { Latest } from './latest.ts';
import { decodeOutbound, type OutboundRow } from './outbound-row.ts';
import type { OutboundTarget } from './outbound-target.ts';

/** What is known of a target. */
export type TargetPolicy =
  /** Nothing yet: a call to it waits, without a bound (contract/proxy.md §0 row 6). */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'row'; readonly row: OutboundRow }
  /** The control plane has no policy for it: the profile's endpoint, else the address itself. */
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly reason: string };

export interface TargetProfile {
  /** Set for the address of a pod. */
  readonly endpoint: Endpoint | undefined;
  readonly opaque: boolean;
}

/** What the control plane says of a target, now and later. */
export interface Discovery {
  readonly policy: Latest<TargetPolicy>;
  /** Undefined until the first answer. */
  readonly profile: Latest<TargetProfile | undefined>;
  close(): Promise<void>;
}

const noProfile: TargetProfile = { endpoint: undefined, opaque: false };

const watchPolicy = async (
  plane: ControlPlane,
  target: OutboundTarget,
  { policy, signal }: { readonly policy: Latest<TargetPolicy>; readonly signal: AbortSignal },
): Promise<void> => {
  const spec =
    target.kind === 'name'
      ? ({ $case: 'authority', value: target.authority } as const)
      : ({ $case: 'addr', value: encodeTcpAddress(target.ip, target.at.port) } as const);
  const end = await subscribe(
    plane,
    {
      service: 'policy',
      path: '/io.linkerd.proxy.outbound.OutboundPolicies/Watch',
      request: TrafficSpec.encode({ sourceWorkload: plane.config.policyWorkload, target: spec }).finish(),
      target: printTarget(target),
      onMessage: (message) => {
        const outcome = decodeOutbound(message, plane.checkRegex);
        if (outcome.ok) policy.set({ kind: 'row', row: outcome.value });
        else policy.set({ kind: 'invalid', reason: outcome.problems.map(printProblem).join('; ') });
      },
    },
    signal,
  );
  if (end === undefined) return;
  const absent = end.code === 'not-found' || end.code === 'unimplemented';
  policy.set(absent ? { kind: 'none' } : { kind: 'invalid', reason: end.message });
};

const watchProfile = async (
  plane: ControlPlane,
  path: string,
  { profile, signal }: { readonly profile: Latest<TargetProfile | undefined>; readonly signal: AbortSignal },
): Promise<void> => {
  const { destinationContext: contextToken } = plane.config;
  await subscribe(
    plane,
    {
      service: 'destination',
      path: '/io.linkerd.proxy.destination.Destination/GetProfile',
      request: GetDestination.encode({ scheme: '', path, contextToken }).finish(),
      target: path,
      onMessage: (message) => {
        const { endpoint, opaqueProtocol } = DestinationProfile.decode(message);
        profile.set({ endpoint: endpoint && decodeEndpoint(endpoint), opaque: opaqueProtocol });
      },
    },
    signal,
  );
  // A final answer is "no profile", not a failure; so is the end of our own interest.
  if (profile.value === undefined) profile.set(noProfile);
};

export const printTarget = (target: OutboundTarget): string =>
  target.kind === 'name' ? target.authority : printHostPort(target.at);

/** Asks for policy and, for addresses in the profile networks, for the profile, both at once. */
export const discover = (plane: ControlPlane, target: OutboundTarget): Discovery => {
  const abort = new AbortController();
  const policy = new Latest<TargetPolicy>({ kind: 'unknown' });
  const profile = new Latest<TargetProfile | undefined>(undefined);
  const watches = [watchPolicy(plane, target, { policy, signal: abort.signal })];
  const profiled =
    target.kind === 'address' && plane.config.profileNetworks.some((net) => networkContains(net, target.ip));
  if (profiled) watches.push(watchProfile(plane, printTarget(target), { profile, signal: abort.signal }));
  else profile.set(noProfile);
  return {
    policy,
    profile,
    close: async () => {
      abort.abort();
      await Promise.all(watches);
    },
  };
};
