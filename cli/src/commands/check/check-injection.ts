import { trustRootsName } from '@gatehouse/manifests/objects/trust';
import type { CheckContext } from './check-context.ts';
import { at, type ClusterReader, nameOf, namespaceOf, text } from './cluster-reader.ts';
import { type Check, failed, ok, some, warning } from './finding.ts';
import { environmentOf, fullName, isMeshed, meshedPods, noneMeshed, runningPods } from './meshed-pods.ts';
import { readCertificates } from './read-certificates.ts';

interface Admission {
  readonly everywhere: boolean;
  readonly anyone: boolean;
}

/** Which clients a default policy admits; audit admits all and reports it. */
const admissions: Readonly<Record<string, Admission | undefined>> = {
  'all-unauthenticated': { everywhere: true, anyone: true },
  audit: { everywhere: true, anyone: true },
  'all-authenticated': { everywhere: true, anyone: false },
  'cluster-unauthenticated': { everywhere: false, anyone: true },
  'cluster-authenticated': { everywhere: false, anyone: false },
};

const isKnown = (policy: string): boolean => policy === 'deny' || admissions[policy] !== undefined;

/** Whether the first admits a client that the second denies. */
export const isLooser = (policy: string, than: string): boolean => {
  const [one, other] = [admissions[policy], admissions[than]];
  if (one === undefined) return false;
  return other === undefined || (one.everywhere && !other.everywhere) || (one.anyone && !other.anyone);
};

const defaultAnnotation = 'config.linkerd.io/default-inbound-policy';

const environments: Check<CheckContext> = {
  name: 'Default policy of the proxies',
  run: async (context) => {
    const pods = await meshedPods(context);
    if (pods.length === 0) return noneMeshed(context);
    const annotated = await defaultsOfNamespaces(context);
    const looser = pods.filter((pod) => {
      const inForce =
        text(at(pod, 'metadata', 'annotations', defaultAnnotation)) || annotated.get(namespaceOf(pod));
      const started = environmentOf(pod, 'LINKERD2_PROXY_INBOUND_DEFAULT_POLICY');
      return inForce !== undefined && isKnown(inForce) && started !== undefined && isLooser(started, inForce);
    });
    if (looser.length === 0) return ok('no proxy started with a looser default than is in force');
    return warning(
      `${some(looser.map(fullName))} started with a looser default policy than is in force now: until policy has spoken, and on ports that nobody watches, they admit more`,
      'make them again: kubectl rollout restart deploy/NAME',
    );
  },
};

const defaultsOfNamespaces = async ({ cluster }: CheckContext): Promise<ReadonlyMap<string, string>> => {
  const namespaces = (await cluster.list('/api/v1/namespaces')) ?? [];
  return new Map(
    namespaces.flatMap((namespace) => {
      const policy = text(at(namespace, 'metadata', 'annotations', defaultAnnotation));
      return policy === '' ? [] : [[nameOf(namespace), policy] as const];
    }),
  );
};

const unmeshed: Check<CheckContext> = {
  name: 'Pods without a proxy',
  run: async (context) => {
    const denying = [...(await defaultsOfNamespaces(context))].flatMap(([name, policy]) =>
      policy === 'deny' && (context.of === undefined || context.of === name) ? [name] : [],
    );
    if (denying.length === 0) return ok('no namespace is annotated to deny by default');
    const bare = (await runningPods(context)).filter(
      (pod) => denying.includes(namespaceOf(pod)) && !isMeshed(pod, context),
    );
    if (bare.length === 0) return ok(`every pod of ${some(denying)}, which deny by default, has a proxy`);
    return warning(
      `${some(bare.map(fullName))} run without a proxy in namespaces that deny by default: nothing is denied there`,
      'make them again with a proxy (kubectl rollout restart deploy/NAME), or keep them out with a NetworkPolicy',
    );
  },
};

const roots: Check<CheckContext> = {
  name: 'Trust roots of the proxies',
  run: async (context) => {
    const pods = await meshedPods(context);
    if (pods.length === 0) return noneMeshed(context);
    const current = new Set(await currentRoots(context));
    const held = pods.map((pod) => ({
      pod: fullName(pod),
      roots: new Set(fingerprintsOf(environmentOf(pod, 'LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS') ?? '')),
    }));
    const known = held.filter((each) => each.roots.size > 0);
    const foreign = known.filter((each) => each.roots.isDisjointFrom(current)).map(({ pod }) => pod);
    if (foreign.length > 0 && current.size > 0)
      return failed(
        `${some(foreign)} were injected with other roots than the mesh has now: they trust nobody, and nobody trusts them`,
        'make them again: kubectl rollout restart deploy/NAME',
      );
    const behind = known.filter((each) => !current.isSubsetOf(each.roots)).map(({ pod }) => pod);
    if (behind.length > 0)
      return warning(
        `${some(behind)} do not have all roots that the mesh has now: certificates below the new ones are not accepted there`,
        'make them again before an issuer below a new root signs: kubectl rollout restart deploy/NAME',
      );
    return ok('the proxies have the roots that the mesh has now');
  },
};

const currentRoots = async ({ cluster, namespace }: { cluster: ClusterReader; namespace: string }) => {
  const path = `/api/v1/namespaces/${namespace}/configmaps/${trustRootsName}`;
  return fingerprintsOf(text(at(await cluster.get(path), 'data', 'ca-bundle.crt')));
};

const fingerprintsOf = (pem: string): readonly string[] =>
  (readCertificates(pem) ?? []).map(({ fingerprint256 }) => fingerprint256);

/** How pods were injected, or were not. */
export const injectionChecks: readonly Check<CheckContext>[] = [environments, roots, unmeshed];
