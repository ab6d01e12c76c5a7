import type { Attempt, ClientTls } from '@gatehouse/core/inbound/evaluate-inbound';
import { type IpAddress, matchesNetwork, type NetworkMatch, readIp } from '@gatehouse/core/ip-network';
import { selects } from '@gatehouse/core/label-selector';
import type { IdentityMatch } from '@gatehouse/core/mesh/identity-match';
import { hasEnded, isMeshed } from '@gatehouse/core/mesh/workload';
import { identityOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { PolicySource } from '@gatehouse/core/resources/kinds/gatehouse';
import type {
  AuthorizationPolicySpec,
  ServerAuthorizationSpec,
} from '@gatehouse/core/resources/kinds/linkerd';
import type { Route, Situation } from './situation.ts';

export const isWithin = (networks: readonly NetworkMatch[], client: IpAddress): boolean =>
  networks.some((network) => matchesNetwork(network, client));

/** Whether one of a policy's sources admits the client: all the fields of one must hold (design §6.3). */
export const someAdmits = (
  sources: readonly PolicySource[],
  situation: Situation,
  attempt: Attempt,
): boolean => sources.some((source) => admits(source, situation, attempt));

const admits = (source: PolicySource, situation: Situation, { client, tls }: Attempt): boolean => {
  const { podSelector, namespaceSelector, serviceAccounts, identities, networks } = source;
  if (networks !== undefined && !isWithin(networks, client)) return false;
  if (serviceAccounts !== undefined) {
    const names = serviceAccounts.map(({ namespace, name }) => identityFor(situation, namespace, name));
    if (tls.kind !== 'identified' || !names.includes(tls.name)) return false;
  }
  if (identities !== undefined && !identities.some((match) => isIdentity(match, tls))) return false;
  if (podSelector === undefined && namespaceSelector === undefined) return true;
  const { namespaces, target } = situation;
  return situation.pods.some(
    (pod) =>
      selectsPod(source, pod, { namespaces, policyNamespace: target.meta.namespace }) &&
      isThisPod(pod, situation, { client, tls }),
  );
};

/** Whether the selectors of a source choose the pod: by its labels, and by those of its namespace. */
export const selectsPod = (
  { podSelector, namespaceSelector }: PolicySource,
  pod: KubeObject<'Pod'>,
  { namespaces, policyNamespace }: Pick<Situation, 'namespaces'> & { readonly policyNamespace: string },
): boolean => {
  if (podSelector === undefined && namespaceSelector === undefined) return false;
  if (podSelector !== undefined && !selects(podSelector, pod.meta.labels)) return false;
  if (namespaceSelector === undefined) return pod.meta.namespace === policyNamespace;
  const namespace = namespaces.find(({ meta }) => meta.name === pod.meta.namespace);
  if (namespace === undefined || !selects(namespaceSelector, namespace.meta.labels)) return false;
  return namespace.meta.unreadTexts?.includes('labels') !== true;
};

const identityFor = ({ cluster }: Situation, namespace: string, serviceAccount: string): string =>
  printIdentity(identityOf(cluster.mesh, namespace, serviceAccount));

const isIdentity = (match: IdentityMatch, tls: ClientTls): boolean => {
  if (tls.kind !== 'identified') return false;
  if (match.kind === 'exact') return tls.name === printIdentity(match.identity);
  return tls.id === 'dns' && (match.parts.length === 0 || tls.name.endsWith(`.${match.parts.join('.')}`));
};

/** Whether a client with this certificate at this address can be nobody but the pod. */
export const isThisPod = (
  pod: KubeObject<'Pod'>,
  situation: Situation,
  { client, tls }: Pick<Attempt, 'client' | 'tls'>,
): boolean => {
  // One of which nobody can say who it is, where it runs, or whether it still does, is nobody.
  const { unread = [] } = pod.spec;
  if (pod.meta.unreadTexts?.includes('labels') || unread.some((part) => part !== 'ports')) return false;
  if (!isMeshed(pod.meta, situation.cluster.mesh)) return false;
  if (pod.spec.hostNetwork || hasEnded(pod.spec) || !hasAddress(pod, client)) return false;
  const isItsIdentity =
    tls.kind === 'identified' &&
    tls.name === identityFor(situation, pod.meta.namespace, pod.spec.serviceAccount);
  return isItsIdentity && holdsAddress(pod, situation, client);
};

/** Of the pods that run with the address, the one that stays and was started after all others that stay (design §15.2). */
const holdsAddress = (pod: KubeObject<'Pod'>, { pods }: Situation, client: IpAddress): boolean => {
  const others = pods.filter((other) => other !== pod && !hasEnded(other.spec) && hasAddress(other, client));
  if (others.some(({ spec }) => spec.hostNetwork || spec.unread?.includes('hostNetwork'))) return false;
  const stays = ({ meta }: KubeObject<'Pod'>): boolean => meta.deletedAt === undefined;
  if (!stays(pod) && others.some(stays)) return false;
  const { startedAt } = pod.spec;
  return others
    .filter((other) => stays(other) || !stays(pod))
    .every(
      ({ spec }) => startedAt !== undefined && spec.startedAt !== undefined && spec.startedAt < startedAt,
    );
};

export const hasAddress = ({ spec }: KubeObject<'Pod'>, { family, bits }: IpAddress): boolean =>
  spec.ips.some((text) => {
    const ip = readIp(text);
    return ip?.family === family && ip.bits === bits;
  });

/** Whether an AuthorizationPolicy for the Server or the namespace, or a ServerAuthorization for the Server, admits the client. */
export const admittedToServer = (
  situation: Situation,
  server: KubeObject<'Server'>,
  attempt: Attempt,
): boolean =>
  someAuthorizes(
    situation,
    server,
    attempt,
    ({ target }) =>
      target.kind === 'Namespace' || (target.kind === 'Server' && target.name === server.meta.name),
  ) || someServerAuthorizes(situation, server, attempt);

const someServerAuthorizes = (
  situation: Situation,
  server: KubeObject<'Server'>,
  attempt: Attempt,
): boolean => {
  if (isRejected(server.spec)) return false;
  for (const { meta, spec } of situation.serverAuthorizations) {
    if (meta.namespace !== server.meta.namespace || isRejected(spec)) continue;
    if (spec.server.kind === 'name' && spec.server.name !== server.meta.name) continue;
    if (spec.server.kind === 'labels') {
      // Labels that nobody can read may be any: no selector is known to hold.
      if (server.meta.unreadTexts?.includes('labels')) continue;
      if (!selects(spec.server.selector, server.meta.labels)) continue;
    }
    const networks = spec.networks ?? situation.cluster.clusterNetworks;
    if (isWithin(networks, attempt.client) && isClient(spec.clients, situation, attempt)) return true;
  }
  return false;
};

const isClient = (
  clients: ServerAuthorizationSpec['clients'],
  situation: Situation,
  { tls }: Attempt,
): boolean => {
  switch (clients.kind) {
    case 'unauthenticated':
      return true;
    case 'tls':
      return tls.kind === 'anonymous' || tls.kind === 'identified';
    case 'identities':
      return (
        clients.identities.some((match) => isIdentity(match, tls)) ||
        clients.serviceAccounts.some(
          ({ namespace, name }) =>
            tls.kind === 'identified' && tls.name === identityFor(situation, namespace, name),
        )
      );
  }
};

/** Whether an AuthorizationPolicy for the route admits the client. */
export const admittedOnRoute = (
  situation: Situation,
  { server, route }: { readonly server: KubeObject<'Server'>; readonly route: Route },
  attempt: Attempt,
): boolean =>
  !isRejected(route.spec) &&
  someAuthorizes(
    situation,
    server,
    attempt,
    ({ target }) => target.kind === route.kind && target.name === route.meta.name,
  );

const someAuthorizes = (
  situation: Situation,
  server: KubeObject<'Server'>,
  attempt: Attempt,
  isFor: (spec: AuthorizationPolicySpec) => boolean,
): boolean =>
  !isRejected(server.spec) &&
  situation.authorizationPolicies.some(
    ({ meta, spec }) =>
      meta.namespace === server.meta.namespace &&
      !isRejected(spec) &&
      isFor(spec) &&
      authorizes(spec, situation, attempt),
  );

/** Everything referred to must exist and hold. */
const authorizes = (spec: AuthorizationPolicySpec, situation: Situation, attempt: Attempt): boolean =>
  spec.authentications.every((ref) => holds(ref, situation, attempt));

const holds = (
  { kind, namespace, name }: AuthorizationPolicySpec['authentications'][number],
  situation: Situation,
  { client, tls }: Attempt,
): boolean => {
  const isIt = ({ meta }: KubeObject): boolean => meta.namespace === namespace && meta.name === name;
  switch (kind) {
    case 'ServiceAccount':
      return tls.kind === 'identified' && tls.name === identityFor(situation, namespace, name);
    case 'NetworkAuthentication': {
      const found = situation.networkAuthentications.find(isIt)?.spec;
      return found !== undefined && !isRejected(found) && isWithin(found.networks, client);
    }
    case 'MeshTLSAuthentication': {
      const found = situation.meshTlsAuthentications.find(isIt)?.spec;
      if (found === undefined || isRejected(found) || tls.kind !== 'identified') return false;
      return (
        found.identities.some((match) => isIdentity(match, tls)) ||
        found.identityRefs.some((ref) =>
          ref.kind === 'ServiceAccount'
            ? tls.name === identityFor(situation, ref.namespace, ref.name)
            : tls.id === 'dns' && tls.name.endsWith(identityFor(situation, ref.name, '')),
        )
      );
    }
  }
};
