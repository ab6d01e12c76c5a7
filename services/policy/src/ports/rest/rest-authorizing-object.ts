import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import type { PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import { Type } from 'typebox';
import { GrantItem, SelectorItem, SourceItem } from './rest-grant.ts';
import { FindingItem, SelectedPods, State } from './rest-judgement.ts';
import { printPath } from './rest-match.ts';
import { nullable, ObjectName, wordOf } from './rest-object.ts';
import { Base } from './rest-row.ts';

const Target = Type.Object({
  kind: wordOf({
    pods: 'those with the labels of `selector`',
    'external-workloads': 'the ExternalWorkloads with the labels of `selector`',
    servers: 'the Servers with the labels of `selector`',
    object: 'a Server or a route, which is `object`',
    namespace: 'all of the namespace',
    unknown: 'it cannot be read',
  }),
  selector: nullable(SelectorItem),
  object: nullable(ObjectName),
  text: Type.String({ description: 'All of it for a reader' }),
});
export type TargetItem = Type.Static<typeof Target>;

const Ports = Type.Object({
  kind: wordOf({
    all: 'every port but those of the proxy',
    listed: 'those of `items`',
    'of-target': 'those of its target',
  }),
  items: Type.Array(
    Type.Object({
      name: nullable(Type.String(), { description: 'Of container ports; null = the numbers count' }),
      first: nullable(Type.Integer()),
      last: nullable(Type.Integer()),
    }),
  ),
  text: Type.String({ description: 'All of it for a reader' }),
});
export type PortsItem = Type.Static<typeof Ports>;

const Rule = Type.Object({
  methods: nullable(Type.Array(Type.String()), { description: 'null = any' }),
  paths: nullable(
    Type.Array(Type.Object({ type: Type.Enum(['Exact', 'PathPrefix'] as const), value: Type.String() })),
    { description: 'null = any' },
  ),
  headers: Type.Array(Type.Object({ name: Type.String(), value: Type.String() })),
  text: Type.String({ description: 'All of it for a reader' }),
});

/** One object that lets clients in, or keeps them out, and whom. */
export const AuthorizingObject = Type.Object({
  object: ObjectName,
  state: State,
  target: Target,
  pods: nullable(SelectedPods, { description: 'Of those that select pods, which at present' }),
  ports: Ports,
  base: nullable(Base, { description: 'The policy under all grants, where the object decides it' }),
  requests: nullable(Type.Array(Rule), {
    description: 'The only requests that its grants are for; null = all of them, and raw TCP',
  }),
  sources: Type.Array(SourceItem, { description: 'Of a NetworkAuthenticationPolicy, as it is written' }),
  authentications: Type.Array(ObjectName, { description: 'To which an AuthorizationPolicy refers' }),
  grants: Type.Array(GrantItem, { description: 'Whom it admits now' }),
  findings: Type.Array(FindingItem),
  notes: Type.Array(Type.String(), {
    description: 'What its author should know: the messages of `findings`, and more',
  }),
});
export type AuthorizingObject = Type.Static<typeof AuthorizingObject>;

export const portsItem = (ports: readonly PortSelector[] | 'all' | 'of-target'): PortsItem => {
  if (ports === 'all') return { kind: 'all', items: [], text: 'all' };
  if (ports === 'of-target') return { kind: 'of-target', items: [], text: 'those of its target' };
  return {
    kind: 'listed',
    items: ports.map((port) =>
      port.kind === 'name'
        ? { name: port.name, first: null, last: null }
        : { name: null, first: port.first, last: port.last },
    ),
    text: ports.map(printPort).join(', '),
  };
};

const printPort = (port: PortSelector): string => {
  switch (port.kind) {
    case 'name':
      return port.name;
    case 'range':
      return port.first === port.last ? `${port.first}` : `${port.first}-${port.last}`;
  }
};

export const ruleItem = (rule: PolicyRule): Type.Static<typeof Rule> => {
  const { methods, paths, headers = [] } = rule;
  return {
    methods: methods === undefined ? null : [...methods],
    paths:
      paths?.map(({ kind, value }) => ({
        type: kind === 'exact' ? ('Exact' as const) : ('PathPrefix' as const),
        value,
      })) ?? null,
    headers: headers.map(({ name, value }) => ({ name, value })),
    text: [
      methods?.join('|') ?? '*',
      paths?.map(printPath).join('|') ?? '/*',
      ...headers.map(({ name, value }) => `${name}=${value}`),
    ].join(' '),
  };
};
