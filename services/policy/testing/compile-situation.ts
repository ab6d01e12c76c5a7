import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { PolicySource } from '@gatehouse/core/resources/kinds/gatehouse';
import { compilePort } from '../src/core/inbound/compile.ts';
import type { CompiledPort } from '../src/core/inbound/model.ts';
import { meshViewOf } from '../src/core/inbound/policy-view.ts';
import { resolveSource } from '../src/core/inbound/resolve-sources.ts';
import { workloadOf } from '../src/core/inbound/workload-of.ts';
import type { Situation } from './decide/situation.ts';

/** The row of a situation's port, made by all the steps that the service takes from the index to the compiler. */
export const compileSituation = (situation: Situation): CompiledPort => {
  const { target, cluster, pods, namespaces } = situation;
  const view = meshViewOf({ mesh: cluster.mesh, pods, namespaces });
  const sourcesOf = ({ spec }: KubeObject<'NetworkAuthenticationPolicy'>): readonly PolicySource[] =>
    isRejected(spec) ? [] : spec.sources;
  const inNamespace = ({ meta }: KubeObject): boolean => meta.namespace === target.meta.namespace;
  return compilePort({
    port: situation.port,
    workload: workloadOf(target),
    namespaceAnnotations:
      namespaces.find(({ meta }) => meta.name === target.meta.namespace)?.meta.annotations ?? {},
    cluster,
    policies: {
      servers: situation.servers.filter(inNamespace),
      networkAuthenticationPolicies: situation.networkAuthenticationPolicies
        .filter(inNamespace)
        .map((object) => ({
          object,
          sources: sourcesOf(object).map((source) => resolveSource(source, object.meta.namespace, view)),
        })),
      authorizationPolicies: situation.authorizationPolicies.filter(inNamespace),
      rateLimits: situation.rateLimits.filter(inNamespace),
      serverAuthorizations: situation.serverAuthorizations.filter(inNamespace),
      routes: situation.routes.filter(inNamespace),
    },
    authentications: {
      meshTls: byKey(situation.meshTlsAuthentications),
      network: byKey(situation.networkAuthentications),
    },
    unreadableManifests: situation.unreadableManifests,
    matchesRegex: situation.matchesRegex,
  });
};

const byKey = <Object extends KubeObject>(objects: readonly Object[]): ReadonlyMap<string, Object> =>
  new Map(objects.map((object) => [`${object.meta.namespace}/${object.meta.name}`, object]));

/** What the row says to authors, a line each: why, and about which object. */
export const findingsOf = (situation: Situation): readonly string[] =>
  compileSituation(situation).findings.map(
    ({ reason, about }) => `${reason} ${'name' in about ? about.name : about.kind}`,
  );
