import {
  identityOf,
  type Mesh,
  printIdentity,
  type WorkloadIdentity,
} from '@gatehouse/core/mesh/workload-identity';
import type { ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { devAdminToken } from '../http/admin-token.ts';
import { type AdminAuthenticator, tokenAuthenticator } from '../http/authenticator.ts';
import { ClusterAuthenticator } from '../http/cluster-authenticator.ts';
import type { Source } from '../kube/source.ts';
import { type EventRecorder, KubeEvents, type KubeEventsOptions, noEvents } from '../kube/write/events.ts';
import type { Log } from '../log/log.ts';
import { Metrics } from '../metrics/metrics.ts';
import { ClockWatch } from '../process/clock-watch.ts';
import type { Supervisor } from '../process/supervise.ts';
import { openReplicas } from '../replicas/open-replicas.ts';
import type { Replicas } from '../replicas/replicas.ts';
import type { SharedConfig } from '../settings/settings.ts';
import { lockState } from '../state/state-lock.ts';
import { openPlatform, openSource, type Platform } from './platform.ts';
import { accountOf, type ServiceName } from './service.ts';

/** What tests put in place of the real thing. */
export interface ServiceParts {
  readonly source?: Source;
  readonly log?: Log;
  readonly metrics?: Metrics;
  /** Epoch milliseconds: what dates are judged by. */
  readonly now?: () => number;
  /** Milliseconds on a clock that only goes forward: what durations are measured on. */
  readonly elapsed?: () => number;
}

/** What every service stands on by the time it assembles its own parts. */
export interface ServiceBase {
  readonly service: ServiceName;
  readonly supervisor: Supervisor;
  readonly log: Log;
  readonly now: () => number;
  readonly elapsed: () => number;
  /** Tells when the first of the two clocks was set. */
  readonly clock: Pick<ClockWatch, 'onJump'>;
  readonly metrics: Metrics;
  readonly source: Source;
  /** Its state directory is locked for this service until the end. */
  readonly platform: Platform;
  readonly mesh: Mesh;
  /** The service's own. */
  readonly identity: WorkloadIdentity;
  readonly authenticator: AdminAuthenticator;
  readonly replicas: Replicas;
  /** Tells people in a cluster; without one, the log alone does. */
  readonly events: EventRecorder;
}

export interface BaseOptions extends Required<Pick<ServiceParts, 'log' | 'now' | 'elapsed'>> {
  readonly service: ServiceName;
  readonly supervisor: Supervisor;
  readonly budgets: ObjectBudgets;
  readonly parts: Pick<ServiceParts, 'source' | 'metrics'>;
}

/** Opens what a service stands on; `supervisor` closes it at the end. */
export const openBase = async (
  config: SharedConfig,
  { service, supervisor, log, now, elapsed, budgets, parts }: BaseOptions,
): Promise<ServiceBase> => {
  const platform = await openPlatform(config);
  await hold(platform, service, supervisor);
  const mesh: Mesh = { controlPlaneNamespace: config.namespace, trustDomain: config.trustDomain };
  const identity = identityOf(mesh, config.namespace, accountOf(service));
  const name = printIdentity(identity);
  const metrics = parts.metrics ?? new Metrics(service);
  metrics.addProcessMetrics();
  const clock = new ClockWatch({
    log: log.child({ part: 'clock' }),
    metrics,
    moment: () => ({ wall: now(), elapsed: elapsed() }),
  });
  supervisor.run('clock', (signal) => clock.run(signal));
  const source =
    parts.source ??
    (await openSource(config, platform, { log: log.child({ part: 'source' }), metrics, elapsed, budgets }));
  const authenticator = await authenticatorOn(platform, metrics);
  const part = log.child({ part: 'replicas' });
  const replicas = openReplicas(config, { service, platform, name, metrics, log: part, now, elapsed });
  supervisor.onEnd('calls of other replicas', () => replicas.close());
  const { namespace } = config;
  const events = eventsOn(platform, { service, namespace, supervisor, log, metrics, now, elapsed });
  return {
    service,
    supervisor,
    log,
    now,
    elapsed,
    clock,
    metrics,
    source,
    platform,
    mesh,
    identity,
    authenticator,
    replicas,
    events,
  };
};

/** Keeps others off the state directory, and closes kept connections, both at the end. */
const hold = async (platform: Platform, service: ServiceName, supervisor: Supervisor): Promise<void> => {
  switch (platform.kind) {
    case 'dev': {
      const lock = await lockState(platform.state, service);
      supervisor.onEnd('state lock', () => lock.release());
      return;
    }
    case 'cluster':
      supervisor.onEnd('API client', () => platform.client.close());
  }
};

const eventsOn = (
  platform: Platform,
  {
    supervisor,
    metrics,
    log,
    ...parts
  }: Omit<KubeEventsOptions, 'client' | 'onResult'> & Pick<ServiceBase, 'supervisor' | 'metrics'>,
): EventRecorder => {
  const results = metrics.counter({
    name: 'gatehouse_kubernetes_events_total',
    help: 'Events for people, by what came of writing them: sent, failed (tried again), refused, dropped.',
    labelNames: ['result'],
  });
  if (platform.kind === 'dev') return noEvents;
  const events = new KubeEvents({
    ...parts,
    client: platform.client,
    log: log.child({ part: 'events' }),
    onResult: (result) => results.inc({ result }),
  });
  supervisor.run('events', (signal) => events.run(signal));
  return events;
};

const authenticatorOn = async (platform: Platform, metrics: Metrics): Promise<AdminAuthenticator> => {
  const reviews = metrics.counter({
    name: 'gatehouse_admin_reviews_total',
    help: 'Questions to the API server about who calls the REST API and what they may do, by kind of review.',
    labelNames: ['review'],
  });
  switch (platform.kind) {
    case 'dev':
      return tokenAuthenticator(await devAdminToken(platform.state));
    case 'cluster':
      return new ClusterAuthenticator({
        client: platform.client,
        onReview: (review) => reviews.inc({ review }),
      });
  }
};
