import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { SliceEndpoint } from '@gatehouse/core/resources/kinds/kubernetes';
import {
  anEndpointSlice,
  anExternalWorkload,
  aPod,
  aService,
  aSliceEndpoint,
} from '@gatehouse/testing/builders';
import { aCluster } from '../../../testing/a-cluster.ts';
import { compileEndpointSet } from './endpoint-set.ts';
import { endpointsFor } from './filter.ts';
import { leftOut } from './left-out.ts';

const backend = (index: number, said: Parameters<typeof aPod>[0] = {}): KubeObject<'Pod'> =>
  aPod({
    name: `b-${index}`,
    ips: [`10.1.0.${index}`],
    nodeName: 'node-1',
    labels: { app: 'backend' },
    ...said,
  });

/** What is left out of the answer to a client on node-1, a line each. */
const explain = (service: KubeObject<'Service'>, ...objects: readonly KubeObject[]): readonly string[] => {
  const cluster = aCluster(service, ...objects);
  const target = {
    kind: 'service',
    namespace: 'demo',
    name: 'backend',
    port: 80,
    instance: undefined,
  } as const;
  const set = compileEndpointSet(cluster, target).value;
  assert.ok(set.kind === 'endpoints');
  const given = endpointsFor(set.endpoints, set.rules, { nodeName: 'node-1', zone: '' });
  return leftOut(cluster, { service, port: 80 }, { set, given }).map(
    ({ pod, address, why }) => `${pod} ${address}: ${why}`,
  );
};

test('each pod that a Service selects and does not give is named with the reason', () => {
  const found = explain(
    aService({ name: 'backend' }),
    backend(1),
    backend(2, { ready: false }),
    backend(3, { phase: 'Pending' }),
    backend(4, { phase: 'Succeeded' }),
    backend(5, { ips: [] }),
    backend(6, { labels: { app: 'other' } }),
  );
  assert.deepEqual(found, [
    'b-2 10.1.0.2: it is not ready',
    'b-3 10.1.0.3: it is Pending',
    'b-4 10.1.0.4: it has ended',
    'b-5 : it has no address',
  ]);
});

test('a pod without the named port, and one that no slice has yet, are named', () => {
  const named = aService({
    name: 'backend',
    ports: [{ name: '', port: 80, targetPort: 'web', appProtocol: '' }],
  });
  assert.deepEqual(explain(named, backend(1)), ['b-1 10.1.0.1: none of its containers has a port named web']);
  const slice = anEndpointSlice({ service: 'backend', endpoints: [] });
  assert.deepEqual(explain(aService({ name: 'backend' }), backend(1), slice), [
    'b-1 10.1.0.1: no EndpointSlice of the Service has it with this port',
  ]);
});

test('a pod on another node is named where traffic is to stay on its own', () => {
  const local = aService({ name: 'backend', internalTrafficLocal: true });
  assert.deepEqual(explain(local, backend(1), backend(2, { nodeName: 'node-2' })), [
    'b-2 10.1.0.2: it is not on the node of the client, and the Service has internalTrafficPolicy: Local',
  ]);
});

const listed = (target: SliceEndpoint['target'], said: Partial<SliceEndpoint> = {}): SliceEndpoint =>
  aSliceEndpoint({
    addresses: ['192.0.2.1'],
    target,
    ...said,
  });
const vm = { kind: 'ExternalWorkload', namespace: 'demo', name: 'vm' };

test('what slices list and nobody is given is named with the reason, whoever wrote them', () => {
  const slice = (...endpoints: readonly SliceEndpoint[]) =>
    anEndpointSlice({ service: 'backend', endpoints });
  const service = aService({ name: 'backend', selector: undefined });
  assert.deepEqual(explain(service, slice(listed(vm))), [
    'externalworkload/vm 192.0.2.1: the ExternalWorkload demo/vm is not found',
  ]);
  const nameless = anExternalWorkload({ name: 'vm', identity: '' });
  assert.deepEqual(explain(service, nameless, slice(listed(vm))), [
    'externalworkload/vm 192.0.2.1: its meshTLS has no identity or server name that proxies can demand',
  ]);
  assert.deepEqual(
    explain(
      service,
      slice(
        listed(undefined, { ready: false }),
        listed({ kind: 'Pod', namespace: 'other', name: 'p' }),
        listed({ kind: 'Pod', namespace: 'demo', name: 'q' }),
      ),
    ),
    [
      ' 192.0.2.1: its EndpointSlice says that it is not ready',
      'p 192.0.2.1: its EndpointSlice names a workload of the namespace other',
      'q 192.0.2.1: the pod demo/q is not found',
    ],
  );
  assert.deepEqual(explain(service, slice(listed(undefined))), []);
});
