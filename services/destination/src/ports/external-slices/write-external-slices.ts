import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { KubeLease } from '@gatehouse/platform/kube/write/kube-lease';
import { LeaderElection } from '@gatehouse/platform/kube/write/leader-election';
import type { ServiceBase } from '@gatehouse/platform/service/service-base';
import type { DestinationConfig } from '../../config.ts';
import type { ClusterWatch } from '../watch.ts';
import { ExternalSlices } from './external-slices.ts';
import { KubeSliceStore } from './slice-store.ts';

/** One for all replicas, in the namespace of the control plane. */
const leaseName = 'gatehouse-destination-endpoint-write';

/** Writes the EndpointSlices of ExternalWorkloads on a cluster, unless the setting leaves them to another controller. A folder has no slices. */
export const writeExternalSlices = (
  { externalSlices, namespace, podName = hostname() }: DestinationConfig,
  { platform, supervisor, metrics, log }: ServiceBase,
  watch: ClusterWatch,
): void => {
  const writes = metrics.counter({
    name: 'gatehouse_destination_external_slice_writes_total',
    help: 'EndpointSlices of ExternalWorkloads that were written or removed, by what came of it: done, failed (tried again).',
    labelNames: ['result'],
  });
  if (platform.kind !== 'cluster' || externalSlices === 'leave') return;
  const { client } = platform;
  const part = log.child({ part: 'external slices' });
  const slices: ExternalSlices = new ExternalSlices({
    cluster: watch.cluster,
    store: new KubeSliceStore(client),
    // Before everything is listed, half of it would be taken for all.
    mayWrite: () => watch.isReady && election.mayWrite(),
    log: part,
    onWrite: (result) => writes.inc({ result }),
  });
  const election: LeaderElection = new LeaderElection({
    leases: new KubeLease({ client, namespace, name: leaseName }),
    id: `${podName}_${randomUUID()}`,
    log: part,
    onChange: () => slices.due(),
  });
  watch.observe((touched) => slices.touched(touched));
  supervisor.run('external slices', (signal) => slices.run(signal));
  supervisor.run('election', (signal) => election.run(signal));
};
