import { isRejected, type Kind, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { AuthorizationPolicySpec } from '@gatehouse/core/resources/kinds/linkerd';
import { isSpokenBy, type RouteObject, writtenKindOf } from '../inbound/attached-routes.ts';
import { protocolUnder } from '../inbound/govern.ts';
import { authorizationOf, noNetworks, selectsServer } from '../inbound/server-authorizations.ts';
import { type AtServers, judgeAtServers, judged, nowhere } from './judge-at-servers.ts';
import { accountOf, judgeAccount } from './judge-sources.ts';
import { found, type Judgement, type PolicyFinding } from './judgement.ts';
import type { Look } from './look.ts';
import { rejectedJudgement } from './rejected.ts';

export const judgeAuthorizationPolicy = (
  look: Look,
  policy: KubeObject<'AuthorizationPolicy'>,
): Judgement => {
  const { meta, spec } = policy;
  if (isRejected(spec)) return rejectedJudgement(policy);
  const { findings, isComplete } = judgeAuthentications(look, spec);
  const at = serversOfTarget(look, spec.target, meta.namespace);
  if (!isComplete)
    return judged('MatchesNothing', [...findings, ...(at.kind === 'nowhere' ? at.findings : [])]);
  return judgeAtServers(look, policy, { ...at, findings: [...findings, ...at.findings] });
};

/** A reference that leads nowhere makes the policy grant nothing; a ServiceAccount that is missing admits nobody yet. */
const judgeAuthentications = (
  look: Look,
  { authentications }: AuthorizationPolicySpec,
): { readonly findings: readonly PolicyFinding[]; readonly isComplete: boolean } => {
  const findings: PolicyFinding[] = [];
  let isComplete = true;
  for (const [at, { kind, namespace, name }] of authentications.entries()) {
    const field = `spec.requiredAuthenticationRefs[${at}]`;
    if (kind === 'ServiceAccount') {
      findings.push(...judgeAccount(look, { namespace, name, field }));
      continue;
    }
    const object = look.get(kind, namespace, name);
    const admitsNobody =
      object === undefined ||
      isRejected(object.spec) ||
      ('networks' in object.spec && object.spec.networks.length === 0);
    if (!admitsNobody) continue;
    isComplete = false;
    const is = object === undefined ? 'does not exist' : 'could not be read, or admits from no network';
    findings.push(found('MissingAuthentication', `${kind} ${namespace}/${name} ${is}.`, { field }));
  }
  return { findings, isComplete };
};

const targetField = 'spec.targetRef';

const serversOfTarget = (
  look: Look,
  target: AuthorizationPolicySpec['target'],
  namespace: string,
): AtServers => {
  switch (target.kind) {
    case 'Namespace': {
      const servers = look.servers(namespace);
      if (servers.length > 0) return { kind: 'servers', servers, findings: [] };
      const message =
        'The namespace has no Server, and the policy counts only on ports that a Server governs.';
      return nowhere(found('NoSuchTarget', message, { field: targetField }));
    }
    case 'Server': {
      const server = look.get('Server', namespace, target.name);
      if (server !== undefined) return { kind: 'servers', servers: [server], findings: [] };
      const message = `There is no Server ${target.name} in the namespace.`;
      return nowhere(found('NoSuchTarget', message, { field: targetField }));
    }
    case 'HTTPRoute':
    case 'GatewayHTTPRoute':
    case 'GRPCRoute': {
      const route = look.get(target.kind, namespace, target.name) as RouteObject | undefined;
      const kind = writtenKindOf({ kind: target.kind });
      if (route === undefined) {
        const message = `There is no ${kind} ${target.name} in the namespace.`;
        return nowhere(found('NoSuchTarget', message, { field: targetField }));
      }
      if (isRejected(route.spec)) {
        const message = `${kind} ${target.name} could not be read.`;
        return nowhere(found('TargetRejected', message, { field: targetField }));
      }
      return serversOfRoute(look, route, targetField);
    }
  }
};

/** The Servers that a route is attached to and that speak its protocol. */
const serversOfRoute = (look: Look, route: RouteObject, field: string): AtServers => {
  const { meta, spec } = route;
  const kind = writtenKindOf(route);
  const named = isRejected(spec) ? [] : spec.servers;
  const own = named.flatMap((name) => look.get('Server', meta.namespace, name) ?? []);
  const missing = named.filter((name) => !own.some((server) => server.meta.name === name));
  const findings = missing.map((name) =>
    found('NoSuchTarget', `${kind} ${meta.name} names Server ${name}, which does not exist.`, { field }),
  );
  if (own.length === 0) {
    return nowhere(
      ...(findings.length > 0
        ? findings
        : [found('NoSuchTarget', `${kind} ${meta.name} is attached to no Server.`, { field })]),
    );
  }
  const speaking = own.filter((server) => {
    const protocol = protocolUnder(server);
    return protocol === undefined || isSpokenBy(protocol)(route);
  });
  if (speaking.length > 0) return { kind: 'servers', servers: speaking, findings };
  const speaks = kind === 'GRPCRoute' ? 'gRPC' : 'HTTP';
  const message = `${kind} ${meta.name} is attached to no Server that speaks ${speaks}.`;
  return nowhere(...findings, found('RouteNeedsProtocol', message, { field }));
};

/** Of a route that is for Servers. */
export const judgeRoute = (look: Look, route: RouteObject): Judgement => {
  if (isRejected(route.spec)) return rejectedJudgement(route);
  return judgeAtServers(look, route, serversOfRoute(look, route, 'spec.parentRefs'));
};

export const judgeServerAuthorization = (
  look: Look,
  policy: KubeObject<'ServerAuthorization'>,
): Judgement => {
  const { meta, spec } = policy;
  if (isRejected(spec)) return rejectedJudgement(policy);
  if (authorizationOf({ name: meta.name, spec }, look.cluster) === undefined)
    return judged('MatchesNothing', [found('NoNetworks', noNetworks, { field: 'spec.client.networks' })]);
  const accounts = spec.clients.kind === 'identities' ? spec.clients.serviceAccounts : [];
  const findings = accounts.flatMap((account, at) =>
    judgeAccount(look, { ...account, field: `spec.client.meshTLS.serviceAccounts[${at}]` }),
  );
  const servers = look.servers(meta.namespace).filter((server) => selectsServer(spec, server) !== 'no');
  if (servers.length > 0) return judgeAtServers(look, policy, { kind: 'servers', servers, findings });
  const message =
    spec.server.kind === 'name'
      ? `There is no Server ${spec.server.name} in the namespace.`
      : 'No Server of the namespace has these labels.';
  return judged('MatchesNothing', [...findings, found('NoSuchTarget', message, { field: 'spec.server' })]);
};

export const judgeRateLimit = (look: Look, limit: KubeObject<'HTTPLocalRateLimitPolicy'>): Judgement => {
  const { meta, spec } = limit;
  if (isRejected(spec)) return rejectedJudgement(limit);
  const accounts = spec.overrides.flatMap(({ serviceAccounts }, at) =>
    serviceAccounts.map((account, client) => ({
      ...account,
      field: `spec.overrides[${at}].clientRefs[${client}]`,
    })),
  );
  const findings = accounts.flatMap((account) => judgeAccount(look, account));
  const server = look.get('Server', meta.namespace, spec.server);
  if (server !== undefined)
    return judgeAtServers(look, limit, { kind: 'servers', servers: [server], findings });
  const message = `There is no Server ${spec.server} in the namespace.`;
  return judged('MatchesNothing', [...findings, found('NoSuchTarget', message, { field: targetField })]);
};

/** An authentication does nothing by itself. */
export const judgeAuthentication = (
  look: Look,
  object: KubeObject<'MeshTLSAuthentication'> | KubeObject<'NetworkAuthentication'>,
): Judgement => {
  if (isRejected(object.spec)) return rejectedJudgement(object);
  const findings = object.kind === 'MeshTLSAuthentication' ? judgeIdentities(look, object) : [];
  if (look.referencesTo(object) > 0) return judged('Enforced', findings);
  return judged('MatchesNothing', [
    found('NotReferenced', 'No AuthorizationPolicy refers to it.'),
    ...findings,
  ]);
};

const judgeIdentities = (
  look: Look,
  { spec }: KubeObject<'MeshTLSAuthentication'>,
): readonly PolicyFinding[] => {
  if (isRejected(spec)) return [];
  const named = spec.identities.flatMap((match, at) =>
    match.kind === 'exact' ? accountOf(match.identity, look.cluster.mesh, `spec.identities[${at}]`) : [],
  );
  const byRef = spec.identityRefs.flatMap((ref, at): readonly PolicyFinding[] => {
    const field = `spec.identityRefs[${at}]`;
    if (ref.kind === 'ServiceAccount') return judgeAccount(look, { ...ref, field });
    if (look.hasNamespace(ref.name)) return [];
    return [found('NoSuchNamespace', `There is no namespace ${ref.name}.`, { field })];
  });
  return [...named.flatMap((account) => judgeAccount(look, account)), ...byRef];
};

/** Which kinds a judgement may have to look up beside those that rows are made of. */
export const lookedUpKinds: readonly Kind[] = ['ServiceAccount'];
