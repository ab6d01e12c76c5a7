import assert from 'node:assert/strict';
import type { ServiceAuthority } from '@gatehouse/core/mesh/service-authority';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { SliceEndpoint } from '@gatehouse/core/resources/kinds/kubernetes';
import { aPod, aService, aSliceEndpoint } from '@gatehouse/testing/builders';
import type { Cluster } from '../src/core/cluster.ts';
import type { Shown } from '../src/core/endpoints/endpoint.ts';
import { compileEndpointSet, type EndpointSet } from '../src/core/endpoints/endpoint-set.ts';

export const target = (more: Partial<ServiceAuthority> = {}): ServiceAuthority => ({
  kind: 'service',
  namespace: 'demo',
  name: 'backend',
  port: 80,
  instance: undefined,
  ...more,
});

export const compile = (
  cluster: Cluster,
  more: Partial<ServiceAuthority> = {},
  previous?: EndpointSet,
): EndpointSet => compileEndpointSet(cluster, target(more), previous).value;

export const shown = (set: EndpointSet): readonly Shown[] =>
  set.kind === 'endpoints' ? set.endpoints.map(({ seenAs }) => seenAs.unknown.shown) : assert.fail(set.kind);

/** `ip:port` of every endpoint. */
export const keys = (set: EndpointSet): readonly string[] =>
  set.kind === 'endpoints' ? set.endpoints.map(({ key }) => key) : assert.fail(set.kind);

export const backend = (said: Parameters<typeof aPod>[0] = {}) =>
  aPod({ name: 'backend-0', ips: ['10.1.0.1'], ...said, labels: { app: 'backend', ...said.labels } });
export const service = (said: Parameters<typeof aService>[0] = {}) => aService({ name: 'backend', ...said });

export const identity = parseIdentity('default.demo.serviceaccount.identity.gatehouse.cluster.local');

/** Addresses of both families. */
export const dual = { ips: ['10.1.0.1', 'fd00::1'] };

/** The pod `backend-0`, as a slice lists it. */
export const inSlice = (said: Partial<SliceEndpoint> = {}): SliceEndpoint =>
  aSliceEndpoint({
    target: { kind: 'Pod', namespace: 'demo', name: 'backend-0' },
    ...said,
  });
