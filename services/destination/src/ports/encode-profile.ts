import { printServiceName } from '@gatehouse/core/mesh/service-authority';
import { encodeDuration } from '@gatehouse/wire/duration';
import { DestinationProfile } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import type { ZoneLocality } from '../core/endpoints/endpoint.ts';
import type { Profile } from '../core/profile/profile.ts';
import { encodeWeightedAddress } from './encode-address.ts';
import { encodeRouting } from './encode-routing.ts';

export interface ProfileContext {
  readonly locality: ZoneLocality;
  readonly clusterDomain: string;
}

export const encodeProfile = (profile: Profile, context: ProfileContext): Uint8Array =>
  DestinationProfile.encode(profileMessage(profile, context)).finish();

const emptyProfile: DestinationProfile = {
  routes: [],
  retryBudget: undefined,
  dstOverrides: [],
  opaqueProtocol: false,
  fullyQualifiedName: '',
  endpoint: undefined,
  parentRef: undefined,
  profileRef: undefined,
};

/** Without a retry budget in a ServiceProfile: one request in five, and ten a second. */
export const usualRetryBudget = {
  retryRatio: 0.2,
  minRetriesPerSecond: 10,
  ttl: encodeDuration(10_000),
};

const profileMessage = (
  profile: Profile,
  { locality, clusterDomain }: ProfileContext,
): DestinationProfile => {
  switch (profile.kind) {
    case 'service': {
      const { namespace, name, port, opaque, routing } = profile;
      const resource = { group: 'core', kind: 'Service', name, namespace, section: '', port };
      return {
        ...emptyProfile,
        fullyQualifiedName: printServiceName(profile, clusterDomain),
        opaqueProtocol: opaque,
        retryBudget: usualRetryBudget,
        parentRef: { kind: { $case: 'resource', value: resource } },
        ...(routing.kind === 'profile' ? encodeRouting(routing, port) : {}),
      };
    }
    case 'endpoint':
      return {
        ...emptyProfile,
        opaqueProtocol: profile.opaque,
        retryBudget: usualRetryBudget,
        endpoint: encodeWeightedAddress(profile.endpoint.seenAs[locality]),
      };
    case 'unknown-address':
    case 'contested-address':
      return { ...emptyProfile, opaqueProtocol: profile.opaque };
    case 'nothing':
      return emptyProfile;
  }
};
