import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { KubeLease } from '@gatehouse/platform/kube/write/kube-lease';
import { LeaderElection } from '@gatehouse/platform/kube/write/leader-election';
import type { ServiceBase } from '@gatehouse/platform/service/service-base';
import type { PolicyConfig } from '../config.ts';

/** The Lease of the replica that writes what all share: statuses, and the webhook's certificate. */
export const writerLease = 'gatehouse-policy-writer';

/** Whether this replica is the one that writes. */
export interface Writer {
  /** To be asked before each write. */
  mayWrite(): boolean;
  /** Has `hear` told of each beginning and end of our terms. */
  onChange(hear: (isWriter: boolean) => void): void;
}

/** Stands for election until the service ends; without a cluster nothing is shared, and nobody writes. */
export const runWriter = (
  config: PolicyConfig,
  { platform, supervisor, metrics, log }: ServiceBase,
): Writer => {
  const listeners = new Set<(isWriter: boolean) => void>();
  const onChange = (hear: (isWriter: boolean) => void): void => void listeners.add(hear);
  const isWriter = metrics.gauge({
    name: 'gatehouse_policy_is_writer',
    help: 'Whether this replica holds the Lease and writes what all share; of all replicas one does.',
  });
  isWriter.set(0);
  if (platform.kind === 'dev') return { mayWrite: () => false, onChange };
  const { namespace, podName = hostname() } = config;
  const election = new LeaderElection({
    leases: new KubeLease({ client: platform.client, namespace, name: writerLease }),
    id: `${podName}-${randomBytes(4).toString('hex')}`,
    log: log.child({ part: 'writer' }),
    onChange: (leads) => {
      isWriter.set(leads ? 1 : 0);
      for (const hear of listeners) hear(leads);
    },
  });
  supervisor.run('writer election', (signal) => election.run(signal));
  return { mayWrite: () => election.mayWrite(), onChange };
};
