import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { admissionSeconds, startWebhookServer } from '@gatehouse/platform/http/webhook-server';
import { KubeEvents } from '@gatehouse/platform/kube/write/events';
import type { ServiceBase } from '@gatehouse/platform/service/service-base';
import { objectBudgetsOf } from '@gatehouse/platform/settings/budget-settings';
import type { PolicyConfig } from '../../config.ts';
import { policiesForNewPod } from '../../core/injection/policies-for-new-pod.ts';
import type { Judged, Judgement } from '../../core/judgement/judgement.ts';
import type { Writer } from '../writer.ts';
import { injector } from './injector.ts';
import { MeshOfCluster } from './mesh-of-cluster.ts';
import { validator } from './validator.ts';
import { WebhookKeeper } from './webhook-keeper.ts';

/** A rollout makes many pods at once, each worth an Event; beyond that the API server is spared. */
const eventRate = { burst: 100, perSecond: 1 };

interface Watched {
  readonly index: ResourceIndex;
  readonly isReady: boolean;
  readonly judgeCandidate: (object: Judged) => Judgement | undefined;
}

/** The webhooks as they are served. */
export interface OpenWebhook {
  /** `https://host:port` */
  readonly url: string;
  /** What keeps API servers from being answered, each a sentence. */
  readonly warnings: () => readonly string[];
}

/** Serves the webhooks of a cluster; undefined where there is no cluster, or they are switched off. */
export const openWebhook = async (
  config: PolicyConfig,
  base: ServiceBase,
  { watch, writer }: { readonly watch: Watched; readonly writer: Writer },
): Promise<OpenWebhook | undefined> => {
  const { platform, supervisor, metrics, now, elapsed, clock } = base;
  const { webhookAddress: address, namespace, trustDomain, clusterDomain } = config;
  // Also where nothing is served: the reference lists what any service has.
  const results = metrics.counter({
    name: 'gatehouse_injection_events_total',
    help: 'Events about injected pods, by what came of writing them: sent, failed (tried again), refused, dropped.',
    labelNames: ['result'],
  });
  const seconds = admissionSeconds(metrics);
  if (platform.kind !== 'cluster' || address === undefined) return undefined;
  const { client } = platform;
  const log = base.log.child({ part: 'webhook' });
  const mesh = new MeshOfCluster({ client, namespace, trustDomain, clusterDomain, log });
  const events = new KubeEvents({
    client,
    service: 'policy',
    namespace,
    log,
    now,
    elapsed,
    rate: eventRate,
    onResult: (result) => results.inc({ result }),
  });
  const server = await startWebhookServer({
    address,
    log,
    seconds,
    webhooks: [
      injector({
        client,
        mesh: () => mesh.mesh,
        // While nobody knows the policies, any may select the pod: its proxy starts closed.
        policiesFor: (pod) =>
          watch.isReady ? policiesForNewPod(watch.index, pod) : { select: true, ports: [] },
        events,
        log,
      }),
      validator({
        budgets: objectBudgetsOf(config),
        judge: (object) => (watch.isReady ? watch.judgeCandidate(object) : undefined),
        now,
      }),
    ],
  });
  supervisor.onEnd('webhook server', () => server.close());
  const keeper = new WebhookKeeper({
    client,
    namespace,
    mayWrite: () => writer.mayWrite(),
    onTls: (tls) => server.replaceTls(tls),
    log,
    now,
  });
  clock.onJump(() => keeper.look());
  writer.onChange(() => keeper.look());
  supervisor.run('webhook certificate', (signal) => keeper.run(signal));
  supervisor.run('settings of injection', (signal) => mesh.run(signal));
  supervisor.run('injection events', (signal) => events.run(signal));
  return { url: server.url, warnings: () => [...keeper.warnings(), ...mesh.warnings()] };
};
