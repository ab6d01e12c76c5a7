import { printObjectName } from '@gatehouse/manifests/objects/kube-object';
import { keptObjects } from '@gatehouse/manifests/objects/trust';
import { renderControlPlane } from '@gatehouse/manifests/render';
import { readShippedRbac } from '@gatehouse/manifests/shipped-rbac';
import { readValues } from '@gatehouse/manifests/values/read-values';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { controlPlaneNamespace } from '../../reach/control-plane-namespace.ts';
import { listInstalled } from '../install/list-installed.ts';
import { noteOfCluster, printAs, printNotes } from '../install/print-manifests.ts';
import { needCluster, readGivenValues } from '../install/running-installation.ts';
import { servedElsewhere } from '../install/served-elsewhere.ts';
import type { PruneOptions } from './prune.ts';

export const printPrune = async (options: PruneOptions, surroundings: Surroundings): Promise<ExitCode> => {
  const { terminal, interrupted: signal } = surroundings;
  const namespace = controlPlaneNamespace(options, surroundings);
  using cluster = await needCluster(options, surroundings);
  const { client } = cluster;
  const { given } = await readGivenValues(client, { namespace, signal });
  const read = readValues([given]);
  const trust = { anchors: undefined, issuer: undefined };
  const wanted = renderControlPlane({ ...read, trust, shippedRbac: await readShippedRbac() });
  const kept = new Set([...wanted, ...keptObjects(read.values)].map(printObjectName));
  const elsewhere = await servedElsewhere(client, { namespace, signal });
  const all = await listInstalled(client, { namespace, signal, elsewhere });
  const left = all.filter((object) => !kept.has(printObjectName(object)));
  if (left.length > 0) terminal.out(printAs(options.output, left));
  printNotes(
    terminal,
    left.length > 0 ? noteOfCluster(client, options) : ['nothing is left of earlier installations'],
  );
  return exitCode.ok;
};
