import { GatehouseError } from '@gatehouse/core/error';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { controlPlaneNamespace } from '../../reach/control-plane-namespace.ts';
import { listInstalled, meshedPods, othersInNamespace } from '../install/list-installed.ts';
import { noteOfCluster, printAs, printNotes } from '../install/print-manifests.ts';
import { needCluster } from '../install/running-installation.ts';
import { servedElsewhere } from '../install/served-elsewhere.ts';
import type { UninstallOptions } from './uninstall.ts';

/** So many are named; that there are more is said. */
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
  const elsewhere = await servedElsewhere(client, { namespace, signal });
  const crds = options.crds === true;
  const found = await listInstalled(client, { namespace, signal, crds, elsewhere });
  if (found.length === 0) {
    throw new GatehouseError(
      'not-found',
      `nothing of Gatehouse is in ${client.server}, in the namespace ${namespace}: name another one with ` +
        `--control-plane-namespace${elsewhere === undefined ? '' : ` (it runs in ${elsewhere})`}, or another cluster with --context`,
    );
  }
  const others = await othersInNamespace(client, { namespace, signal });
  const objects = others.length === 0 ? found : found.filter(({ kind }) => kind !== 'Namespace');
  terminal.out(printAs(options.output, objects));
  printNotes(terminal, [
    ...noteOfCluster(client, options),
    ...(pods.length === 0 ? [] : [`${stillMeshed}: they work until their certificates end`]),
    ...(others.length === 0
      ? []
      : [
          `the namespace ${namespace} stays, as it would take with it what else is there (${listSome(others)})`,
        ]),
    ...(elsewhere === undefined
      ? [
          crds
            ? 'all policies are deleted with their CustomResourceDefinitions'
            : 'policies and their CustomResourceDefinitions stay; --crds deletes them too',
        ]
      : [`what is outside of namespaces stays, as the control plane in the namespace ${elsewhere} needs it`]),
  ]);
  return exitCode.ok;
};

const countPods = (count: number): string =>
  count === 1 ? '1 pod has a proxy' : `${count} pods have proxies`;

const listSome = (names: readonly string[]): string =>
  [...names.slice(0, named), ...(names.length > named ? ['…'] : [])].join(', ');
