import type { Authentication } from '@gatehouse/core/inbound/inbound-server';
import { type NetworkMatch, printNetwork } from '@gatehouse/core/ip-network';
import type { LabelSelector } from '@gatehouse/core/label-selector';
import { type IdentityMatch, printSuffix } from '@gatehouse/core/mesh/identity-match';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { PolicySource } from '@gatehouse/core/resources/kinds/gatehouse';
import { Type } from 'typebox';
import type { Grant, ResolvedSource } from '../../core/inbound/model.ts';
import { nullable } from './rest-object.ts';

const NetworkItem = Type.Object({
  cidr: Type.String(),
  except: Type.Array(Type.String(), { description: 'Left out again' }),
});

/** A client in one of the networks, with one of the identities. */
export const GrantItem = Type.Object({
  authentication: Type.Enum(['unauthenticated', 'tls', 'identities'] as const, {
    description:
      '`unauthenticated`: none is asked for; `tls`: any certificate or none; `identities`: one of these',
  }),
  identities: Type.Array(Type.String(), { description: '`*.x` stands for every name that ends in `.x`' }),
  networks: Type.Array(NetworkItem),
});
export type GrantItem = Type.Static<typeof GrantItem>;

export const grantItem = ({ networks, authentication }: Grant): GrantItem => ({
  authentication: authentication.kind,
  identities: identitiesOf(authentication),
  networks: networks.map(networkItem),
});

const networkItem = ({ net, except }: NetworkMatch): Type.Static<typeof NetworkItem> => ({
  cidr: printNetwork(net),
  except: except.map(printNetwork),
});

const identitiesOf = (authentication: Authentication): string[] =>
  authentication.kind === 'identities'
    ? [...authentication.identities.map(printIdentity), ...authentication.suffixes.map(printSuffix)]
    : [];

/** A LabelSelector as a manifest has it, both lists always there. */
export const SelectorItem = Type.Object({
  matchLabels: Type.Record(Type.String(), Type.String()),
  matchExpressions: Type.Array(
    Type.Object({
      key: Type.String(),
      operator: Type.Enum(['In', 'NotIn', 'Exists', 'DoesNotExist'] as const),
      values: Type.Array(Type.String()),
    }),
  ),
});

export const selectorItem = ({
  matchLabels,
  matchExpressions,
}: LabelSelector): Type.Static<typeof SelectorItem> => ({
  matchLabels: { ...matchLabels },
  matchExpressions: matchExpressions.map((one) => ({
    key: one.key,
    operator: one.operator,
    values: 'values' in one ? [...one.values] : [],
  })),
});

/** `app=web, tier In (a, b)`; empty for the selector of everything. */
export const printSelector = ({ matchLabels, matchExpressions }: LabelSelector): string =>
  [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map((one) =>
      'values' in one
        ? `${one.key} ${one.operator} (${one.values.join(', ')})`
        : `${one.key} ${one.operator}`,
    ),
  ].join(', ');

/** One source of a NetworkAuthenticationPolicy as it is written, and whom it stands for now. */
export const SourceItem = Type.Object({
  text: Type.String({
    description: 'All of it for a reader: `pods with app=web in namespaces with team=blue`',
  }),
  podSelector: nullable(SelectorItem),
  namespaceSelector: nullable(SelectorItem),
  serviceAccounts: nullable(Type.Array(Type.Object({ namespace: Type.String(), name: Type.String() }))),
  identities: nullable(Type.Array(Type.String())),
  networks: nullable(Type.Array(NetworkItem)),
  selectedPods: nullable(Type.Integer({ description: 'How many its selectors select; null = it has none' })),
});
export type SourceItem = Type.Static<typeof SourceItem>;

export const sourceItem = (source: PolicySource, { selectedPods }: ResolvedSource): SourceItem => {
  const { podSelector, namespaceSelector, serviceAccounts, identities, networks } = source;
  const selects = podSelector !== undefined || namespaceSelector !== undefined;
  return {
    text: printSource(source),
    podSelector: podSelector === undefined ? null : selectorItem(podSelector),
    namespaceSelector: namespaceSelector === undefined ? null : selectorItem(namespaceSelector),
    serviceAccounts: serviceAccounts?.map(({ namespace, name }) => ({ namespace, name })) ?? null,
    identities: identities?.map(printMatch) ?? null,
    networks: networks?.map(networkItem) ?? null,
    selectedPods: selects ? selectedPods : null,
  };
};

const printMatch = (match: IdentityMatch): string =>
  match.kind === 'exact' ? printIdentity(match.identity) : printSuffix(match.parts);

const printSource = ({
  podSelector,
  namespaceSelector,
  serviceAccounts,
  identities,
  networks,
}: PolicySource): string => {
  const pods = podSelector === undefined ? '' : printSelector(podSelector);
  const namespaces = namespaceSelector === undefined ? '' : printSelector(namespaceSelector);
  const parts = [
    ...(podSelector === undefined && namespaceSelector === undefined
      ? []
      : [pods === '' ? 'all pods' : `pods with ${pods}`]),
    ...(namespaceSelector === undefined
      ? []
      : [namespaces === '' ? 'in all namespaces' : `in namespaces with ${namespaces}`]),
    ...(serviceAccounts === undefined
      ? []
      : [
          `ServiceAccounts ${serviceAccounts.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')}`,
        ]),
    ...(identities === undefined ? [] : [`identities ${identities.map(printMatch).join(', ')}`]),
    ...(networks === undefined ? [] : [`from ${networks.map(({ net }) => printNetwork(net)).join(', ')}`]),
  ];
  return parts.join(' ');
};
