import { type Mesh, parseIdentity, printBriefly } from '@gatehouse/core/mesh/workload-identity';
import type { Behind, Client, Governor, ObjectName, Row, Source } from '../reach/policy-answers.ts';

/** As kubectl knows the kinds (shortNames of deploy/crds); others by their whole name. */
const shortKinds: Readonly<Record<string, string>> = {
  NetworkAuthenticationPolicy: 'nap',
  Server: 'srv',
  AuthorizationPolicy: 'authzpolicy',
  ServerAuthorization: 'saz',
  MeshTLSAuthentication: 'meshtlsauthn',
  NetworkAuthentication: 'netauthn',
  Namespace: 'ns',
  Deployment: 'deploy',
  StatefulSet: 'sts',
  DaemonSet: 'ds',
};

/** The kind that a word means: one of its short forms, or the kind itself in any case. */
export const kindOfShort = (word: string): string => {
  const lower = word.toLowerCase();
  return Object.entries(shortKinds).find(([, short]) => short === lower)?.[0] ?? word;
};

/** `nap/web-can-call-api`, as it can be handed to kubectl. */
export const shortObject = ({ kind, name }: Pick<ObjectName, 'kind' | 'name'>): string =>
  `${shortKinds[kind] ?? kind.toLowerCase()}/${name}`;

/** What stands behind an authorization or a route, where no more is known than what the proxy is told. */
export const shortBehind = ({ object, name = '' }: Behind): string =>
  object === undefined ? name : shortObject(object);

/** Who decides about a port. */
export const shortGovernor = ({ kind, objects, base, from, text }: Governor): string => {
  switch (kind) {
    case 'default-policy':
      return `default ${base} (${from})`;
    case 'unreadable-manifest':
    case 'unreadable-pod':
      return text;
    default:
      return objects.map(shortObject).join(', ');
  }
};

/** The same of a port, marked where what decides could not be read. */
export const governorOf = ({ governedBy, conditions }: Pick<Row, 'governedBy' | 'conditions'>): string => {
  const isRejected = ({ kind, name }: ObjectName): boolean =>
    conditions.some(
      ({ reason, about }) => reason === 'Rejected' && about?.kind === kind && about.name === name,
    );
  const { objects } = governedBy;
  return objects.length === 0
    ? shortGovernor(governedBy)
    : objects.map((object) => `${shortObject(object)}${isRejected(object) ? ' (rejected)' : ''}`).join(', ');
};

/** Why a client is admitted: an object, or whose default that is. */
export const because = ({ by }: Pick<Client, 'by'>, governedBy: Governor): string => {
  if (by.object !== undefined || by.name !== governedBy.base) return shortBehind(by);
  return governedBy.kind === 'server'
    ? `${shortGovernor(governedBy)}, accessPolicy ${governedBy.base}`
    : shortGovernor(governedBy);
};

/** What the REST API calls whom a port admits, for people. */
export const admits = (access: string | null): string =>
  ({ open: 'anyone', authenticated: 'any identity', restricted: 'some', closed: 'nobody' })[access ?? ''] ??
  access ??
  '';

/** So many of a list are named. */
const mostNamed = 3;

const few = (items: readonly string[], separator = ', '): string =>
  items.length <= mostNamed
    ? items.join(separator)
    : `${items.slice(0, mostNamed - 1).join(separator)} and ${items.length - mostNamed + 1} more`;

/** How many names are said: all for `wide`. */
export type Extent = 'few' | 'all';

/** Who it is: identities of the mesh of `self` by ServiceAccount and namespace, all others whole. */
export const printClient = (
  { authentication, identities, by }: Pick<Client, 'authentication' | 'identities' | 'by'>,
  self: string | null,
  extent: Extent,
): string => {
  switch (authentication) {
    case 'unauthenticated':
      return by.name === 'probe' ? 'anyone (probes)' : 'anyone';
    case 'tls':
      return 'any TLS client';
    default: {
      const names = identities.map((identity) =>
        extent === 'all' ? identity : shortIdentity(identity, self),
      );
      return extent === 'all' ? names.join(', ') : few(names);
    }
  }
};

/** As printClient says it. */
export const shortIdentity = (name: string, self: string | null): string => {
  if (name === '*') return 'any identity';
  const own = self === null ? undefined : parseIdentity(self);
  const isSuffix = name.startsWith('*.');
  // A suffix is no identity; with a name before it, it is one of all that it means.
  const identity = parseIdentity(isSuffix ? `any.${name.slice(2)}` : name);
  if (identity.kind !== 'workload' || own?.kind !== 'workload' || !isSameMesh(identity, own)) return name;
  return isSuffix ? `any in ${identity.namespace}` : printBriefly(identity);
};

/** `default.demo` */
export const shortIdentityOf = (name: string): string => printBriefly(parseIdentity(name));

const isSameMesh = (a: Mesh, b: Mesh): boolean =>
  a.controlPlaneNamespace === b.controlPlaneNamespace && a.trustDomain === b.trustDomain;

/** Where it calls from. */
export const printFrom = (
  { networks, source }: Pick<Client, 'networks' | 'source'>,
  extent: Extent,
): string => {
  const isAnywhere = ['0.0.0.0/0', '::/0'].every((all) =>
    networks.some(({ cidr, except }) => cidr === all && except.length === 0),
  );
  if (isAnywhere) return 'anywhere';
  const texts = networks.map(({ cidr, except }) =>
    [cidr.replace(/^([\d.]+)\/32$|^([\da-f:]+)\/128$/, '$1$2'), ...except.map((hole) => `not ${hole}`)].join(
      ' ',
    ),
  );
  if (extent === 'all') return texts.join(', ');
  if (source === null || source.selectedPods === null) return few(texts);
  return `${printSource(source)} (${texts.length})`;
};

/** `pods app=web, ns team=blue`: the labels that its addresses were found by. */
const printSource = ({ podSelector, namespaceSelector }: Source): string => {
  const pods = podSelector === null ? '' : printLabels(podSelector);
  const namespaces = namespaceSelector === null ? '' : printLabels(namespaceSelector);
  return [
    pods === '' ? 'all pods' : `pods ${pods}`,
    ...(namespaceSelector === null ? [] : [namespaces === '' ? 'all ns' : `ns ${namespaces}`]),
  ].join(', ');
};

const printLabels = ({ matchLabels, matchExpressions }: NonNullable<Source['podSelector']>): string =>
  [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values }) =>
      values.length === 0 ? `${key} ${operator}` : `${key} ${operator} ${values.join('|')}`,
    ),
  ].join(',');

/** What it may ask for. */
export const printRequests = ({ requests }: Pick<Client, 'requests'>, extent: Extent): string => {
  if (requests === null) return 'all';
  const texts = requests.map(({ text }) => text);
  return extent === 'all' ? texts.join(' | ') : few(texts, ' | ');
};

/** `8080/http`, `9000-9010`. */
export const printPort = ({
  port,
  names,
}: {
  readonly port: { readonly first: number; readonly last: number };
  readonly names: readonly string[];
}): string => {
  const number = port.first === port.last ? `${port.first}` : `${port.first}-${port.last}`;
  return [number, ...names.map((name) => (name === proxyAdmin ? 'proxy' : name))].join('/');
};

/** As the injector calls the port of every proxy; people know what 4191 is. */
const proxyAdmin = 'linkerd-admin';
