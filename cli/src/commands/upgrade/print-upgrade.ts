import { GatehouseError } from '@gatehouse/core/error';
import { renderControlPlane, renderCrds } from '@gatehouse/manifests/render';
import { readShippedRbac } from '@gatehouse/manifests/shipped-rbac';
import { readValues } from '@gatehouse/manifests/values/read-values';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { findTrust, givenFiles } from '../install/find-trust.ts';
import { noteOfCluster, printAs, printNotes } from '../install/print-manifests.ts';
import { needCluster, readGivenValues } from '../install/running-installation.ts';
import { writtenLayers } from '../install/written-options.ts';
import type { UpgradeOptions } from './upgrade.ts';

export const printUpgrade = async (
  options: UpgradeOptions,
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const { terminal, interrupted: signal } = surroundings;
  const written = await writtenLayers(options, surroundings);
  const { namespace } = readValues(written).values;
  using cluster = await needCluster(options, surroundings);
  const { installed, given } = await readGivenValues(cluster.client, { namespace, signal });
  const read = readValues([given, ...written]);
  if (read.values.namespace !== namespace) {
    throw new GatehouseError(
      'invalid-argument',
      `what runs in ${namespace} was installed for the namespace ${read.values.namespace}: an installation cannot be moved`,
    );
  }
  const { trust, notes } = await findTrust({
    values: read.values,
    files: givenFiles(options, surroundings),
    installed,
    now: Date.now(),
  });
  const controlPlane = renderControlPlane({ ...read, trust, shippedRbac: await readShippedRbac() });
  terminal.out(
    printAs(options.output, [...(options.skipCrds === true ? [] : renderCrds()), ...controlPlane]),
  );
  printNotes(terminal, [...noteOfCluster(cluster.client, options), ...notes]);
  return exitCode.ok;
};
