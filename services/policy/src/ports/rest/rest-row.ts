import type { InboundProtocol, InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { DefaultPolicy } from '@gatehouse/core/resources/kinds/linkerd';
import { Type } from 'typebox';
import {
  type AdmittedClients,
  accessOf,
  admittedClients,
  routesOf,
} from '../../core/answers/admitted-clients.ts';
import {
  type Effect,
  type Finding,
  findingReasons,
  type GovernedBy,
  type ObjectRef,
  type ResolvedSource,
} from '../../core/inbound/model.ts';
import type { InboundAnswer } from '../../core/inbound/rows/row-compiler.ts';
import { GrantItem, grantItem, SourceItem, sourceItem } from './rest-grant.ts';
import { LimitItem, limitItem } from './rest-limit.ts';
import { RequestItem, requestItem } from './rest-match.ts';
import { Behind, behind, nullable, ObjectName, objectName, wordOf } from './rest-object.ts';

const protocols = {
  detect: 'HTTP where the first bytes look like it, else bytes',
  http1: 'HTTP/1',
  http2: 'HTTP/2',
  grpc: 'gRPC',
  opaque: 'bytes, encrypted by the proxies',
  tls: 'TLS of the application',
} as const satisfies Record<InboundProtocol['kind'], string>;

export const Protocol = wordOf(protocols);

const bases = {
  'all-unauthenticated': 'every client',
  'all-authenticated': 'every client with an identity of the mesh',
  'cluster-unauthenticated': 'every client in the networks of the cluster',
  'cluster-authenticated': 'every client in the networks of the cluster with an identity of the mesh',
  deny: 'nobody by itself',
  audit: 'every client, and the proxy marks it',
} as const satisfies Record<DefaultPolicy, string>;

export const Base = wordOf(bases);

export const Access = wordOf({
  open: 'every client is admitted, without an identity',
  authenticated: 'every client with an identity of the mesh is admitted',
  restricted: 'some clients are admitted, or some requests',
  closed: 'nobody is admitted, probes left aside',
});

const governors = {
  server: 'the Server that selects the port',
  'network-authentication-policies': 'NetworkAuthenticationPolicies that select the port',
  'default-policy': 'nothing selects the port',
  'unreadable-manifest': 'a manifest that may be about it could not be read',
  'unreadable-pod': 'the pod could not be read as a whole',
} as const satisfies Record<GovernedBy['kind'], string>;

export const Governor = Type.Object({
  kind: wordOf(governors),
  objects: Type.Array(ObjectName),
  base: Base,
  from: nullable(
    wordOf({ pod: 'the annotation of the pod', namespace: 'that of its Namespace', cluster: 'the setting' }),
    { description: 'Whose default it is; null = something else governs' },
  ),
  text: Type.String({ description: 'All of it for a reader' }),
});
export type Governor = Type.Static<typeof Governor>;

export const AuthorizationItem = Type.Object({
  ...GrantItem.properties,
  by: Behind,
});

/** Clients that one authorization admits. */
export const ClientItem = Type.Object({
  ...AuthorizationItem.properties,
  requests: nullable(Type.Array(RequestItem), {
    description: 'The only requests that it is for; null = every request, and raw TCP',
  }),
  source: nullable(SourceItem, {
    description: 'For a NetworkAuthenticationPolicy: the source that stands for these clients now',
  }),
});
export type ClientItem = Type.Static<typeof ClientItem>;

const RouteItem = Type.Object({
  by: Behind,
  hosts: Type.Array(Type.String(), { description: 'Empty = any' }),
  matches: Type.Array(RequestItem, { description: 'Any of them; empty = never' }),
  authorizations: Type.Array(AuthorizationItem, { description: 'Beside those of the port' }),
});

const effects = {
  governs: 'decides protocol and base policy',
  closes: 'makes deny the base policy',
  grants: 'admits clients to the whole port',
  'grants-requests': 'admits clients at some requests',
  routes: 'says which requests have a route',
  limits: 'says how many requests pass',
} as const satisfies Record<Effect['kind'], string>;

const Condition = Type.Object({
  reason: Type.Enum(findingReasons),
  about: nullable(ObjectName, { description: 'null = the workload itself' }),
  message: Type.String(),
});

/** What a proxy is told of a port, whatever it is that told it. */
export const ToldServer = Type.Object({
  protocol: Protocol,
  access: Access,
  clients: Type.Array(ClientItem, { description: 'Everyone who is admitted, and to what' }),
  authorizations: Type.Array(AuthorizationItem, { description: 'For every request and for raw TCP' }),
  routes: Type.Array(RouteItem, {
    description: 'Empty = every request, with the authorizations of the port',
  }),
  rateLimit: nullable(LimitItem, { description: 'null = as many requests pass as come' }),
});
export type ToldServer = Type.Static<typeof ToldServer>;

/** A compiled row for people and programs: the same row that the proxy is sent, and why it is so. */
export const Row = Type.Object({
  version: Type.String({ description: 'Hash of the bytes that the proxy is sent' }),
  governedBy: Governor,
  ...ToldServer.properties,
  contributions: Type.Array(
    Type.Object({ object: ObjectName, effect: wordOf(effects), grants: Type.Array(GrantItem) }),
  ),
  conditions: Type.Array(Condition),
});
export type Row = Type.Static<typeof Row>;

type Policy = KubeObject<'NetworkAuthenticationPolicy'>;

export interface RowContext {
  readonly namespace: string;
  readonly policy: (name: string) => Policy | undefined;
  /** What the sources of a policy stand for now. */
  readonly sourcesOf: (policy: Policy) => readonly ResolvedSource[];
}

export const rowItem = ({ compiled, encoded }: InboundAnswer, context: RowContext): Row => {
  const { server, governedBy, contributions, findings, audit } = compiled;
  const told = serverItem(server, context);
  // Labels for counting admit nobody.
  const grants = audit === undefined || audit.counting.kind === 'none' ? undefined : audit.counting.grants;
  return {
    version: encoded.version,
    governedBy: governorItem(governedBy),
    ...told,
    clients:
      grants === undefined ? told.clients : clientItems({ ...server, authorizations: grants }, context),
    contributions: contributions.map(({ object, effect }) => ({
      object: objectName(object),
      effect: effect.kind,
      grants: 'grants' in effect ? effect.grants.map(grantItem) : [],
    })),
    conditions: findings.map(({ reason, about, message }) => ({ reason, about: aboutItem(about), message })),
  };
};

export const serverItem = (server: InboundServer, context: RowContext): ToldServer => {
  const { namespace } = context;
  const authorizationItem = itemIn(namespace);
  return {
    protocol: server.protocol.kind,
    access: accessOf(server),
    clients: clientItems(server, context),
    authorizations: server.authorizations.map(authorizationItem),
    routes: routesOf(server).map(({ meta, hosts, matches, authorizations }) => ({
      by: behind(meta, namespace),
      hosts: hosts.map((host) => (host.kind === 'exact' ? host.host : `*.${host.suffix}`)),
      matches: matches.map((match) => requestItem(hosts, match)),
      authorizations: authorizations.map(authorizationItem),
    })),
    rateLimit: limitItem(server.protocol, namespace),
  };
};

const clientItems = (server: InboundServer, context: RowContext): ClientItem[] =>
  admittedClients(server).map((clients) => ({
    ...itemIn(context.namespace)(clients.authorization),
    requests:
      clients.requests === 'all'
        ? null
        : clients.requests.map(({ hosts, match }) => requestItem(hosts, match)),
    source: sourceOf(clients, context),
  }));

const itemIn = (namespace: string) => (authorization: AdmittedClients['authorization']) => ({
  ...grantItem(authorization),
  by: behind(authorization.meta, namespace),
});

/** The compiler hands on what a source stands for as it is, so that the same list of networks is of the same source. */
const sourceOf = (
  { authorization }: AdmittedClients,
  { policy, sourcesOf }: RowContext,
): SourceItem | null => {
  const { meta, networks } = authorization;
  if (meta.kind === 'default' || meta.resource.kind !== 'networkauthenticationpolicy') return null;
  const object = policy(meta.resource.name);
  if (object === undefined || isRejected(object.spec)) return null;
  const { sources } = object.spec;
  const resolved = sourcesOf(object);
  const at = resolved.findIndex(({ grants }) => grants.some((grant) => grant.networks === networks));
  const [written, found] = [sources[at], resolved[at]];
  return written === undefined || found === undefined ? null : sourceItem(written, found);
};

export const governorItem = (governedBy: GovernedBy): Governor => {
  const refs = (objects: readonly ObjectRef[]) => objects.map(objectName);
  const { kind } = governedBy;
  switch (kind) {
    case 'server': {
      const { server, base } = governedBy;
      const text = `Server ${server.name}, accessPolicy ${base}`;
      return { kind, objects: refs([server]), base, from: null, text };
    }
    case 'network-authentication-policies': {
      const names = governedBy.policies.map(({ name }) => name).join(', ');
      const text = `NetworkAuthenticationPolicy ${names}`;
      return { kind, objects: refs(governedBy.policies), base: 'deny', from: null, text };
    }
    case 'default-policy': {
      const { base, from } = governedBy;
      return { kind, objects: [], base, from, text: `default ${base} of the ${from}` };
    }
    case 'unreadable-manifest':
      return { kind, objects: [], base: 'deny', from: null, text: 'a manifest that cannot be read' };
    case 'unreadable-pod':
      return { kind, objects: [], base: 'deny', from: null, text: 'a pod that cannot be read as a whole' };
  }
};

const aboutItem = (about: Finding['about']): ObjectName | null =>
  about.kind === 'workload' ? null : objectName(about);
