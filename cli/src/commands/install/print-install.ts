import { GatehouseError } from '@gatehouse/core/error';
import { claimLabel } from '@gatehouse/core/mesh/injection';
import { renderControlPlane, renderCrds } from '@gatehouse/manifests/render';
import { readShippedRbac } from '@gatehouse/manifests/shipped-rbac';
import { type ReadValues, readValues } from '@gatehouse/manifests/values/read-values';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import { Type } from 'typebox';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { getObject } from '../../reach/get-object.ts';
import { isLinkerdInjector, mutatingWebhooksPath } from '../../reach/linkerd-injector.ts';
import { findTrust, givenFiles } from './find-trust.ts';
import type { InstallOptions } from './install.ts';
import { type Installed, openCluster, readInstalled } from './installed.ts';
import type { Place } from './list-installed.ts';
import { noteOfCluster, printAs, printNotes } from './print-manifests.ts';
import { servedElsewhere } from './served-elsewhere.ts';
import { writtenLayers } from './written-options.ts';

/** Prints the manifests to standard output; what a person should know goes to standard error. */
export const printInstall = async (
  options: InstallOptions,
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const { terminal } = surroundings;
  if (options.crds === true) {
    terminal.out(printAs(options.output, renderCrds()));
    return exitCode.ok;
  }
  const read = readValues(await writtenLayers(options, surroundings));
  const { installed, notes } = await lookAtCluster(read, options, surroundings);
  const found = await findTrust({
    values: read.values,
    files: givenFiles(options, surroundings),
    installed,
    now: Date.now(),
  });
  const controlPlane = renderControlPlane({
    ...read,
    trust: found.trust,
    shippedRbac: await readShippedRbac(),
  });
  terminal.out(
    printAs(options.output, [...(options.skipCrds === true ? [] : renderCrds()), ...controlPlane]),
  );
  printNotes(terminal, [...notes, ...found.notes]);
  return exitCode.ok;
};

interface Looked {
  readonly installed: Installed | undefined;
  readonly notes: readonly string[];
}

/** What runs there already. Without a cluster, a note says what that means. */
const lookAtCluster = async (
  { values, given }: ReadValues,
  options: InstallOptions,
  surroundings: Surroundings,
): Promise<Looked> => {
  if (options.ignoreCluster === true) return { installed: undefined, notes: [] };
  const client = await openCluster(options, surroundings);
  if (client === undefined) {
    return {
      installed: undefined,
      notes: [
        'no cluster is known, so it is not known whether Gatehouse runs there already; its root would be replaced',
      ],
    };
  }
  try {
    const { namespace } = values;
    const installed = await readInstalled(client, { namespace, signal: surroundings.interrupted });
    if (values.injector.enabled && !saysWhereToInject(given))
      await refuseBesideLinkerd(client, surroundings.interrupted);
    await requireOnlyHere(client, { namespace, signal: surroundings.interrupted });
    return { installed, notes: [...noteOfCluster(client, options), ...changesOf(installed, given)] };
  } catch (thrown) {
    if (!(thrown instanceof GatehouseError) || thrown.code === 'failed-precondition') throw thrown;
    throw new GatehouseError(
      thrown.code,
      `${thrown.message}: whether Gatehouse runs there is not known; correct the kubeconfig, or use --ignore-cluster for a ` +
        'cluster that has none',
      { cause: thrown },
    );
  } finally {
    client.close();
  }
};

const saysWhereToInject = ({ injector }: WireObject): boolean =>
  isWireObject(injector) && injector.namespaces !== undefined;

const Webhooks = Type.Object({ items: Type.Array(Type.Record(Type.String(), Type.Unknown())) });

/** Unasked, the new pods of all of Linkerd's namespaces would become ours: our webhook is called first. */
const refuseBesideLinkerd = async (client: KubeClient, signal: AbortSignal): Promise<void> => {
  const found = await getObject(client, { path: mutatingWebhooksPath, schema: Webhooks, signal });
  if (found?.items.some(isLinkerdInjector) !== true) return;
  throw new GatehouseError(
    'failed-precondition',
    "Linkerd's injector is in this cluster, and ours would take the new pods of all its namespaces: add " +
      '--set injector.namespaces=claimed, and say which are ours by the label ' +
      `${claimLabel} (docs/from-linkerd.md); --set injector.namespaces=all takes them all`,
  );
};

/** A control plane in another namespace would lose its permissions and its webhooks to this one. */
const requireOnlyHere = async (client: KubeClient, place: Place): Promise<void> => {
  const elsewhere = await servedElsewhere(client, place).catch((thrown: unknown) => {
    // Reading them is not needed otherwise.
    if (thrown instanceof GatehouseError && thrown.code === 'permission-denied') return undefined;
    throw thrown;
  });
  if (elsewhere === undefined) return;
  throw new GatehouseError(
    'failed-precondition',
    `Gatehouse runs in the namespace ${elsewhere} of ${client.server}, and a cluster can have one: use ` +
      `--control-plane-namespace ${elsewhere}, or remove that one first (gatehouse uninstall)`,
  );
};

const changesOf = ({ given: before }: Installed, given: object): readonly string[] =>
  before === undefined || JSON.stringify(before) === JSON.stringify(given)
    ? []
    : ['Gatehouse was installed there with other values; `gatehouse upgrade` would keep them'];
