import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { defaultObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { KubernetesSource } from '@gatehouse/platform/kube/watch/kubernetes-source';
import { KubeLease } from '@gatehouse/platform/kube/write/kube-lease';
import { LeaderElection } from '@gatehouse/platform/kube/write/leader-election';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { pause } from '@gatehouse/platform/process/pause';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { PolicyWatch } from '../src/ports/policy-watch.ts';
import { StatusWriter } from '../src/ports/status/status-writer.ts';
import { aClusterConfig } from './a-cluster-config.ts';

const meta = (name: string, more: object = {}) => ({ namespace: 'demo', name, ...more });

const podOf = (name: string, app: string): WireObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta(name, { labels: { app, 'linkerd.io/control-plane-ns': 'gatehouse' } }),
  spec: {
    serviceAccountName: 'default',
    containers: [{ name: 'app', image: 'i', ports: [{ name: 'http', containerPort: 8080 }] }],
  },
});

const policyOf = (port: number): WireObject => ({
  apiVersion: 'policy.linkerd.io/v1alpha1',
  kind: 'NetworkAuthenticationPolicy',
  metadata: meta('frontend-may'),
  spec: {
    target: { selector: { matchLabels: { app: 'backend' } } },
    ports: [{ port }],
    sources: [{ podSelector: { matchLabels: { app: 'frontend' } } }],
  },
});

const limit: WireObject = {
  apiVersion: 'policy.linkerd.io/v1alpha1',
  kind: 'HTTPLocalRateLimitPolicy',
  metadata: meta('limit'),
  spec: {
    targetRef: { group: 'policy.linkerd.io', kind: 'Server', name: 'web' },
    total: { requestsPerSecond: 10 },
  },
};

const server: WireObject = {
  apiVersion: 'policy.linkerd.io/v1beta3',
  kind: 'Server',
  metadata: meta('web'),
  spec: { podSelector: { matchLabels: { app: 'web' } }, port: 8080 },
};

const parentRef = { group: 'policy.linkerd.io', kind: 'Server', name: 'web' };
const route: WireObject = {
  apiVersion: 'policy.linkerd.io/v1beta3',
  kind: 'HTTPRoute',
  metadata: meta('api'),
  spec: { parentRefs: [parentRef], rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }] }] },
};

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly lastTransitionTime: string;
}

/** A replica of policy as far as statuses go. */
const aReplica = (cluster: RealCluster<ClusterServer>, id: string) => {
  const over = new AbortController();
  const results: string[] = [];
  const watch = new PolicyWatch({
    cluster: aClusterConfig(),
    clusterDomain: 'cluster.local',
    staleness: { maxMs: 90_000, onStale: 'hold' },
    log: silentLog,
  });
  const { client } = cluster;
  const source = new KubernetesSource({ client, log: silentLog, metrics: new Metrics('test') });
  const election = new LeaderElection({
    leases: new KubeLease({ client, namespace: 'gatehouse', name: 'gatehouse-policy-writer' }),
    id,
    log: silentLog,
    timing: { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 200 },
    onChange: (leads) => writer.lead(leads),
  });
  const writer = new StatusWriter({
    client,
    index: watch.index,
    budgets: defaultObjectBudgets,
    judge: watch.judge,
    isReady: () => watch.isReady,
    mayWrite: () => election.mayWrite(),
    log: silentLog,
    onResult: (result) => results.push(result),
  });
  watch.verdicts.follow((changed) => writer.hear(changed));
  const { signal } = over;
  const running = [watch.run(source, signal), writer.run(signal), election.run(signal)];
  return {
    id,
    results,
    leads: () => election.mayWrite(),
    stop: async () => {
      over.abort();
      await Promise.allSettled(running);
    },
  };
};

const withinMs = 20_000;

const eventually = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
  const until = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > until) assert.fail('it did not become so in time');
    await pause(50, new AbortController().signal);
  }
};

/** Waits for it, and says what there is instead when it does not come. */
const comesTo = async (
  read: () => Promise<readonly string[]>,
  expected: readonly string[],
): Promise<void> => {
  const until = performance.now() + withinMs;
  for (;;) {
    const now = await read();
    if (now.join('\n') === expected.join('\n')) return;
    if (performance.now() > until) assert.deepEqual(now, expected);
    await pause(50, new AbortController().signal);
  }
};

/** What policy says in statuses, on the fake API server and on the real one. */
export const statusesContract = (
  name: string,
  {
    skip = false,
    open,
  }: { readonly skip?: string | false; readonly open: () => Promise<RealCluster<ClusterServer>> },
): void => {
  suite(`the statuses of policy objects on ${name}`, { skip, timeout: 120_000 }, () => {
    let cluster: RealCluster<ClusterServer>;
    const replicas: ReturnType<typeof aReplica>[] = [];
    const read = ({ apiVersion, metadata }: WireObject, plural: string): Promise<WireObject> => {
      const { namespace, name: object } = metadata as { namespace: string; name: string };
      return cluster.ask({ path: `/apis/${apiVersion}/namespaces/${namespace}/${plural}/${object}` });
    };
    const policyStatus = async () =>
      (await read(policyOf(0), 'networkauthenticationpolicies')).status as
        | {
            readonly conditions: readonly Condition[];
            readonly matchedPods: number;
            readonly matchedSources: number;
            observedGeneration: number;
          }
        | undefined;
    const said = async (): Promise<readonly string[]> => {
      const status = await policyStatus();
      return [
        ...(status?.conditions ?? []).map(({ type, status: holds, reason }) => `${type} ${holds} ${reason}`),
        `${status?.matchedPods} ${status?.matchedSources} ${status?.observedGeneration}`,
      ];
    };
    /** In whatever order the API server keeps the conditions of several writers. */
    const becomes = (expected: readonly string[]) =>
      comesTo(async () => (await said()).toSorted(), expected.toSorted());

    before(async () => {
      cluster = await open();
      for (const namespace of ['demo', 'gatehouse'])
        await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      await cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta('default') });
      for (const pod of [podOf('backend-0', 'backend'), podOf('frontend-0', 'frontend')]) {
        const { apiVersion, kind, metadata } = await cluster.apply(pod);
        const { name: own, namespace } = metadata as { name: string; namespace: string };
        const ip = own === 'backend-0' ? '10.0.0.1' : '10.0.0.2';
        const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }] };
        await cluster.setStatus({ apiVersion, kind, metadata: { name: own, namespace }, status });
      }
      for (const object of [policyOf(8080), limit, route]) await cluster.apply(object);
      replicas.push(aReplica(cluster, 'policy-a'), aReplica(cluster, 'policy-b'));
    });

    after(async () => {
      for (const replica of replicas) await replica.stop();
      await cluster?.[Symbol.asyncDispose]();
    });

    test('a policy that does all that it says is Effective, with the pods that it selects', async () => {
      await becomes([
        'Accepted True Accepted',
        'ResolvedRefs True ResolvedRefs',
        'Effective True Enforced',
        '1 1 1',
      ]);
    });

    test('a change of the policy is followed, and a condition that stays keeps its time', async () => {
      const before = (await policyStatus())?.conditions[0]?.lastTransitionTime;
      await cluster.apply(policyOf(8081));
      await becomes([
        'Accepted True Accepted',
        'ResolvedRefs True ResolvedRefs',
        'Effective False NoSuchPort',
        '1 1 2',
      ]);
      assert.equal((await policyStatus())?.conditions[0]?.lastTransitionTime, before);
    });

    test('a limit and a route say as Linkerd does whether their Server is there', async () => {
      const reasons = async () => {
        const limited = (await read(limit, 'httplocalratelimitpolicies')).status as
          | { conditions?: readonly Condition[] }
          | undefined;
        const routed = (await read(route, 'httproutes')).status as
          | { parents?: readonly { controllerName: string; conditions: readonly Condition[] }[] }
          | undefined;
        return [
          ...(limited?.conditions ?? []).map(({ reason }) => reason),
          ...(routed?.parents ?? []).map(
            ({ controllerName, conditions }) => `${controllerName} ${conditions.map(({ reason }) => reason)}`,
          ),
        ];
      };
      await comesTo(reasons, ['NoMatchingTarget', 'gatehouse.dev/policy-controller NoMatchingParent']);
      await cluster.apply(server);
      await comesTo(reasons, ['Accepted', 'gatehouse.dev/policy-controller Accepted']);
    });

    test('conditions of others and parents that other controllers wrote stay', async () => {
      const theirs = { parentRef, controllerName: 'example.com/other', conditions: [] };
      const ours = ((await read(route, 'httproutes')).status as { parents: readonly object[] }).parents;
      await cluster.ask({
        method: 'PATCH',
        path: '/apis/policy.linkerd.io/v1beta3/namespaces/demo/httproutes/api/status',
        contentType: 'application/merge-patch+json',
        body: { status: { parents: [theirs, ...ours] } },
      });
      await cluster.setStatus({
        apiVersion: 'policy.linkerd.io/v1alpha1',
        kind: 'NetworkAuthenticationPolicy',
        metadata: meta('frontend-may'),
        status: {
          conditions: [
            {
              type: 'Reviewed',
              status: 'True',
              lastTransitionTime: '2026-01-01T00:00:00Z',
              reason: 'Yes',
              message: '',
            },
          ],
        },
      });
      await cluster.remove(server);
      await eventually(async () =>
        JSON.stringify((await read(route, 'httproutes')).status).includes('NoMatchingParent'),
      );
      const { parents } = (await read(route, 'httproutes')).status as {
        parents: readonly { controllerName: string }[];
      };
      assert.deepEqual(
        parents.map(({ controllerName }) => controllerName),
        ['example.com/other', 'gatehouse.dev/policy-controller'],
      );
      await cluster.apply(policyOf(8080));
      await becomes([
        'Reviewed True Yes',
        'Accepted True Accepted',
        'ResolvedRefs True ResolvedRefs',
        'Effective True Enforced',
        '1 1 3',
      ]);
    });

    test('a route that is moved to a Service loses what was said of its Server, and nothing else', async () => {
      const parentRefs = [{ group: 'core', kind: 'Service', name: 'web', port: 8080 }];
      await cluster.apply({ ...route, spec: { ...(route.spec as object), parentRefs } });
      const controllers = async () => {
        const { parents } = (await read(route, 'httproutes')).status as {
          parents: readonly { controllerName: string }[];
        };
        return parents.map(({ controllerName }) => controllerName);
      };
      await comesTo(controllers, ['example.com/other']);
    });

    test('one replica writes; when it ends the other does, and writes nothing that is there already', async () => {
      const [leader, other] = replicas.toSorted((a, b) => Number(b.leads()) - Number(a.leads()));
      assert.deepEqual([leader?.leads(), other?.leads(), other?.results], [true, false, []]);
      await leader?.stop();
      await eventually(() => other?.leads() === true);
      await cluster.apply(policyOf(8081));
      await eventually(async () => (await said()).includes('Effective False NoSuchPort'));
      assert.deepEqual(
        other?.results.filter((result) => result !== 'failed'),
        ['written'],
      );
    });
  });
};
