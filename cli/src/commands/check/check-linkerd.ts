import { claimLabel } from '@gatehouse/core/mesh/injection';
import { controlPlaneLabel } from '@gatehouse/core/mesh/workload';
import { injectorName } from '@gatehouse/manifests/objects/injector';
import { renderCrds } from '@gatehouse/manifests/render';
import { isLinkerdInjector, mutatingWebhooksPath } from '../../reach/linkerd-injector.ts';
import { crdPath } from './check-cluster.ts';
import type { CheckContext } from './check-context.ts';
import { at, items, nameOf, namespaceOf, text } from './cluster-reader.ts';
import { type Check, count, type Finding, ok, some, warning } from './finding.ts';
import { fullName, runningPods } from './meshed-pods.ts';

/** Two meshes share a cluster when each namespace is of one of them (docs/from-linkerd.md). */
export const linkerdBeside: Check<CheckContext> = {
  name: 'Linkerd in the same cluster',
  run: async (context) => {
    const running = await linkerdIn(context);
    if (running.length === 0) return ok('no other Linkerd control plane runs here');
    const findings = (
      await Promise.all([injectors(context, running), kindsThatGo(context), strays(context)])
    ).flat();
    if (findings.length > 0) return findings;
    const claimed = await claimedNamespaces(context);
    return ok(
      `Linkerd runs here too (${some(running)}): ${count(claimed.size, 'namespace')} of ours, the others are left to it`,
    );
  },
};

const linkerdIn = async ({ cluster, namespace }: CheckContext): Promise<readonly string[]> => {
  const [deployments, webhooks] = await Promise.all([
    cluster.list('/apis/apps/v1/deployments', 'linkerd.io/control-plane-component'),
    cluster.list(mutatingWebhooksPath),
  ]);
  return [
    ...(deployments ?? [])
      .filter((object) => namespaceOf(object) !== namespace)
      .map((object) => `Deployment ${namespaceOf(object)}/${nameOf(object)}`),
    ...(webhooks ?? [])
      .filter(isLinkerdInjector)
      .map((object) => `MutatingWebhookConfiguration ${nameOf(object)}`),
  ];
};

/** The API server asks webhooks in the order of their configurations' names, so ours first. */
const injectors = async (
  { cluster }: CheckContext,
  running: readonly string[],
): Promise<readonly Finding[]> => {
  const ours = await cluster.get(`${mutatingWebhooksPath}/${injectorName}`);
  const found = `a Linkerd control plane runs here too: ${some(running)}`;
  if (ours === undefined)
    return [warning(found, 'install with --set injector.namespaces=claimed (docs/from-linkerd.md)')];
  const isClaimedOnly = items(ours.webhooks).every((webhook) =>
    items(at(webhook, 'namespaceSelector', 'matchExpressions')).some(({ key }) => key === claimLabel),
  );
  if (isClaimedOnly) return [];
  return [
    warning(
      `${found}; our injector is asked first, and takes the new pods of every namespace that asks for a proxy`,
      'gatehouse upgrade --set injector.namespaces=claimed | kubectl apply -f - (docs/from-linkerd.md)',
    ),
  ];
};

/** `linkerd uninstall` prints every CustomResourceDefinition with its label, for kubectl to delete. */
const kindsThatGo = async ({ cluster }: CheckContext): Promise<readonly Finding[]> => {
  const names = renderCrds().map(({ metadata }) => metadata.name);
  const installed = await Promise.all(names.map((name) => cluster.get(`${crdPath}/${name}`)));
  const labelled = names.filter(
    (_, index) => at(installed[index], 'metadata', 'labels', controlPlaneLabel) !== undefined,
  );
  if (labelled.length === 0) return [];
  return [
    warning(
      `${some(labelled, 3)} have Linkerd's label: linkerd uninstall deletes these kinds, and every policy with them`,
      `before Linkerd goes: kubectl label crd -l ${controlPlaneLabel} ${controlPlaneLabel}-`,
    ),
  ];
};

const claimedNamespaces = async ({ cluster, namespace }: CheckContext): Promise<ReadonlySet<string>> =>
  new Set(
    ((await cluster.list('/api/v1/namespaces')) ?? [])
      .filter((one) => at(one, 'metadata', 'labels', claimLabel) === namespace)
      .map(nameOf),
  );

/** Pods whose proxy is not of the mesh to which their namespace belongs now. */
const strays = async (context: CheckContext): Promise<readonly Finding[]> => {
  const claimed = await claimedNamespaces(context);
  const pods = (await runningPods(context)).map((pod) => ({
    name: fullName(pod),
    isHere: claimed.has(namespaceOf(pod)),
    mesh: text(at(pod, 'metadata', 'labels', controlPlaneLabel)),
  }));
  const theirs = pods.filter(({ isHere, mesh }) => isHere && mesh !== '' && mesh !== context.namespace);
  const ours = pods.filter(({ isHere, mesh }) => !isHere && mesh === context.namespace);
  const names = (found: readonly { readonly name: string }[]): string => some(found.map(({ name }) => name));
  return [
    ...(theirs.length === 0
      ? []
      : [
          warning(
            `${names(theirs)} still have Linkerd's proxy in a namespace that is ours: no policy of ours holds there, and what they send to our pods is plaintext`,
            'make them again: kubectl rollout restart deploy/NAME',
          ),
        ]),
    ...(ours.length === 0
      ? []
      : [
          warning(
            `${names(ours)} have our proxy in a namespace that is not ours: pods that take their place get Linkerd's`,
            `kubectl label namespace NAME ${claimLabel}=${context.namespace}, or kubectl rollout restart deploy/NAME to give them back`,
          ),
        ]),
  ];
};
