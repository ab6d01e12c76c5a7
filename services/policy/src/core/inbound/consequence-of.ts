import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';

/** What follows from a policy object's being rejected (design §6.2, §15.1), as the end of a sentence for its author. */
export const consequenceOf = ({ kind, spec }: KubeObject): string => {
  if (!isRejected(spec)) throw new TypeError(`${kind} could be read, so nothing follows from it`);
  switch (kind) {
    case 'NetworkAuthenticationPolicy':
      return Array.isArray(spec.closes.ports) && spec.closes.ports.length === 0
        ? 'it grants nothing, and as it says `mode: Audit` it closes nothing'
        : 'it grants nothing, and what its target and ports still name is closed to all whom no other policy admits';
    case 'Server':
      return 'the ports that it still names are closed to all but those whom NetworkAuthenticationPolicies admit';
    case 'HTTPRoute':
    case 'GatewayHTTPRoute':
    case 'GRPCRoute':
      return 'extent' in spec && spec.extent === 'known'
        ? 'its requests are denied to all who are not admitted to the whole Server'
        : 'nobody can say which requests it is about, so on its Servers nothing is granted on single requests';
    case 'HTTPLocalRateLimitPolicy':
      return 'what could be read of it limits as before, and what could not counts as one request a second';
    case 'MeshTLSAuthentication':
    case 'NetworkAuthentication':
      return 'every policy that refers to it grants nothing';
    default:
      return 'it grants nothing';
  }
};
