import { eventually } from '../rig/eventually.ts';
import type { Manifest } from '../rig/manifests.ts';
import type { Pod } from '../rig/pod.ts';
import { total } from '../rig/proxy-metrics.ts';
import { expectOutcome } from './expectations.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { callUntil, Stage } from './stage.ts';
import { callsUnder } from './steady-calls.ts';

const policyCount = 200;

const endpointCount = 1_000;
/** How many a change leaves of them. */
const leftCount = 10;
const lentNetwork = '10.99.8.0/22';
const lentAddresses = Array.from(
  { length: endpointCount },
  (_, index) => `10.99.${8 + Math.floor(index / 256)}.${index % 256}`,
);
/** As many endpoints as the cluster's own controller puts into one slice. */
const sliceLength = 100;

const slicesOf = (namespace: string, addresses: readonly string[]): readonly Manifest[] =>
  Array.from({ length: Math.ceil(addresses.length / sliceLength) }, (_, index) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace,
      name: `backend-${index}`,
      labels: { 'kubernetes.io/service-name': 'backend' },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: addresses.slice(index * sliceLength, (index + 1) * sliceLength).map((address) => ({
      addresses: [address],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', namespace, name: 'backend-0' },
    })),
  }));

/** A proxy has one for each protocol of a target, and steady calls speak two. */
const balancers = 2;

/** How many endpoints these have together, connected (`ready`) or not; their metric does not tell them apart. */
const endpointsOf = async (pod: Pod, { namespace }: Stage, state: 'any' | 'ready'): Promise<number> => {
  const labels = { parent_namespace: namespace, ...(state === 'any' ? {} : { endpoint_state: state }) };
  return total(await pod.metrics(), 'outbound_http_balancer_endpoints', labels);
};

/** What is large. */
export const sizes = (): readonly Scenario[] => [
  {
    part: 'size',
    title: `a Service with ${endpointCount} endpoints: the proxy balances over all of them, and over what is left after a change`,
    run: (mesh) =>
      Stage.play(mesh, { http: 8080 }, async (stage) => {
        const backend = await stage.pod('backend', { ports: { http: 8080 }, moreAddresses: lentAddresses });
        const frontend = await stage.pod('frontend');
        mesh.lend(lentNetwork, { to: backend, from: frontend });
        const slices = `slices-${stage.namespace}`;
        await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
        await callUntil(frontend, stage.toService(8080), '200');
        const sized = (count: number, state: 'any' | 'ready') =>
          eventually(`${count} endpoints, ${state}`, async () =>
            (await endpointsOf(frontend, stage, state)) === balancers * count ? true : undefined,
          );
        const since = performance.now();
        await stage.mesh.manifests.put(slices, ...slicesOf(stage.namespace, lentAddresses));
        let grown = 0;
        let shrunk = 0;
        const calls = await callsUnder(stage, frontend, async () => {
          await sized(endpointCount, 'any');
          await sized(endpointCount, 'ready');
          grown = performance.now() - since;
          const left = lentAddresses.slice(-leftCount);
          const then = performance.now();
          await stage.mesh.manifests.put(slices, ...slicesOf(stage.namespace, left));
          await sized(leftCount, 'any');
          shrunk = performance.now() - then;
        });
        const intruder = await stage.pod('intruder');
        expectOutcome(
          await intruder.call({ ...stage.toService(8080), host: backend.address }),
          '403',
          'intruder',
        );
        return `${calls}; all connected after ${Math.round(grown)} ms, ${leftCount} left ${Math.round(shrunk)} ms after the change`;
      }),
  },
  {
    part: 'size',
    title: `${policyCount} policies with rules on one pod: each path is open to whom its policy names`,
    run: (mesh) =>
      Stage.play(mesh, { http: 8080 }, async (stage) => {
        await stage.pod('backend', { ports: { http: 8080 } });
        const frontend = await stage.pod('frontend');
        const intruder = await stage.pod('intruder');
        const policies = Array.from({ length: policyCount }, (_, index) => {
          const rules = [{ methods: ['GET'], paths: [{ type: 'PathPrefix', value: `/p${index}` }] }];
          const from = index % 2 === 0 ? 'frontend' : 'intruder';
          const policy = allow(stage.namespace, { from, to: 'backend', ports: [8080], rules });
          return { ...policy, metadata: { namespace: stage.namespace, name: `policy-${index}` } };
        });
        await stage.put(...policies);
        const last = policyCount - 2;
        const ms = await callUntil(frontend, stage.toService(8080, { path: `/p${last}` }), '200');
        for (const index of [0, 1, 2, 57, 98, 99, 100, 151, last, last + 1]) {
          const [own, other] = index % 2 === 0 ? [frontend, intruder] : [intruder, frontend];
          const call = stage.toService(8080, { path: `/p${index}/x` });
          expectOutcome(await own.call(call), '200', call.path ?? '');
          expectOutcome(await other.call(call), '403', `${call.path} by the other`);
          expectOutcome(await own.call({ ...call, method: 'POST' }), '403', `POST ${call.path}`);
        }
        expectOutcome(
          await frontend.call(stage.toService(8080, { path: `/p${policyCount}` })),
          '403',
          'beyond',
        );
        return `${Math.round(ms)} ms from the file to the last of them`;
      }),
  },
];
