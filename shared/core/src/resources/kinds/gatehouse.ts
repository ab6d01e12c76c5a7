import type { NetworkMatch } from '../../ip-network.ts';
import type { LabelSelector } from '../../label-selector.ts';
import type { IdentityMatch } from '../../mesh/identity-match.ts';
import type { PortSelector } from '../../mesh/named-ports.ts';

export interface NetworkAuthenticationPolicySpec {
  readonly target: LabelSelector;
  /** 'all' = every port but the proxy's own. */
  readonly ports: readonly PortSelector[] | 'all';
  readonly sources: readonly PolicySource[];
  /** Undefined = every request and raw TCP; [] admits none. */
  readonly rules: readonly PolicyRule[] | undefined;
  readonly allowUnnormalizedPaths: boolean;
  readonly mode: 'Enforce' | 'Audit';
}

/** All given parts must hold; at least one is given. */
export interface PolicySource {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly serviceAccounts?: readonly { readonly name: string; readonly namespace: string }[];
  readonly identities?: readonly IdentityMatch[];
  readonly networks?: readonly NetworkMatch[];
}

/** Parts are ANDed, values of a list ORed, headers ANDed; an absent part matches all. */
export interface PolicyRule {
  readonly methods?: readonly string[];
  readonly paths?: readonly { readonly kind: 'exact' | 'prefix'; readonly value: string }[];
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
}
