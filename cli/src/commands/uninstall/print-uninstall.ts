import { GatehouseError } from '@gatehouse/core/error';
import { crdKind, installedKinds } from '@gatehouse/manifests/installed-kinds';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { controlPlaneNamespace } from '../install/installed.ts';
import { listInstalled, meshedPods } from '../install/list-installed.ts';
import { printAs, printNotes } from '../install/print-manifests.ts';
import { needCluster } from '../install/running-installation.ts';
import type { UninstallOptions } from './uninstall.ts';

/** So many pods are named; that there are more is said. */
const named = 5;

export const printUninstall = async (
  options: UninstallOptions,
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const { terminal, interrupted: signal } = surroundings;
  const namespace = controlPlaneNamespace(options, surroundings);
  using cluster = await needCluster(options, surroundings);
  const { client } = cluster;
  const pods = await meshedPods(client, { namespace, signal });
  const stillMeshed = `${countPods(pods.length)} of this control plane (${listSome(pods)})`;
  if (pods.length > 0 && options.force !== true) {
    throw new GatehouseError(
      'failed-precondition',
      `${stillMeshed}: take the proxies out first (gatehouse uninject), or use --force`,
    );
  }
  const kinds = [...installedKinds, ...(options.crds === true ? [crdKind] : [])];
  const objects = await listInstalled(client, kinds, { namespace, signal });
  if (objects.length === 0) {
    throw new GatehouseError(
      'not-found',
      `nothing of Gatehouse is in ${client.server}, in the namespace ${namespace}: name another one with ` +
        '--control-plane-namespace, or another cluster with --context',
    );
  }
  terminal.out(printAs(options.output, objects));
  printNotes(terminal, [
    ...(pods.length === 0 ? [] : [`${stillMeshed}: they work until their certificates end`]),
    options.crds === true
      ? 'all policies are deleted with their CustomResourceDefinitions'
      : 'policies and their CustomResourceDefinitions stay; --crds deletes them too',
  ]);
  return exitCode.ok;
};

const countPods = (count: number): string =>
  count === 1 ? '1 pod has a proxy' : `${count} pods have proxies`;

const listSome = (pods: readonly string[]): string =>
  [...pods.slice(0, named), ...(pods.length > named ? ['…'] : [])].join(', ');
