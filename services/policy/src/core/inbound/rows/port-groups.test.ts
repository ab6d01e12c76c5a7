import assert from 'node:assert/strict';
import { it } from 'node:test';
import { everywhere } from '@gatehouse/core/ip-network';
import { everything } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import type { Change } from '@gatehouse/core/resources/changes';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { UnreadPart } from '@gatehouse/core/resources/kinds/kubernetes';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import {
  aNamespace,
  aNetworkAuthenticationPolicy,
  aPod,
  aRejected,
  aServer,
} from '@gatehouse/testing/builders';
import fc from 'fast-check';
import { aClusterConfig } from '../../../../testing/a-cluster-config.ts';
import { compileFromIndex } from '../compile-from-index.ts';
import type { Workload } from '../model.ts';
import { workloadOf } from '../workload-of.ts';
import { PortGroups } from './port-groups.ts';
import { narrowed } from './workload-class.ts';

const cluster = aClusterConfig({
  defaultPolicy: 'all-authenticated',
  clusterNetworks: everywhere,
  defaultOpaquePorts: { ranges: [{ first: 6, last: 7 }] },
});

type Server = KubeObject<'Server'>;
type Policy = KubeObject<'NetworkAuthenticationPolicy'>;

const groupsOf = (pod: KubeObject<'Pod'>, objects: readonly (Server | Policy)[]): PortGroups =>
  new PortGroups({
    workload: narrowed(workloadOf(pod), new Set()),
    policies: {
      servers: objects.filter((one): one is Server => one.kind === 'Server'),
      networkPolicies: objects.filter((one): one is Policy => one.kind === 'NetworkAuthenticationPolicy'),
    },
    defaultOpaquePorts: cluster.defaultOpaquePorts,
  });

const range = (first: number, last = first): PortSelector => ({ kind: 'range', first, last });
const near = fc.integer({ min: 1, max: 12 });
const selector: fc.Arbitrary<PortSelector> = fc.oneof(
  fc.tuple(near, near).map(([a, b]) => range(Math.min(a, b), Math.max(a, b))),
  fc.constantFrom('http', 'admin').map((name) => ({ kind: 'name' as const, name })),
);
const selectors = fc.array(selector, { minLength: 1, maxLength: 3 });
const listed = fc.constantFrom('', '3', '5-7', '2,http', '9, 4-4', 'x');

/** Whatever of a workload may tell its ports apart: what is added to it must be drawn here, or shown to do nothing. */
const drawn = {
  annotations: fc.record(
    {
      'config.linkerd.io/opaque-ports': listed,
      'config.linkerd.io/skip-inbound-ports': listed,
      'config.linkerd.io/proxy-require-identity-inbound-ports': listed,
      'config.linkerd.io/default-inbound-policy': fc.constant('cluster-unauthenticated'),
    },
    { requiredKeys: [], noNullPrototype: true },
  ),
  ports: fc.subarray([
    { name: 'http', port: 4 },
    { name: 'http', port: 8 },
    { name: 'admin', port: 9 },
  ]),
  probes: fc.subarray([
    { kind: 'http' as const, port: 4, path: '/live' },
    { kind: 'grpc' as const, port: 11 },
  ]),
  proxyPorts: fc.constantFrom(usualProxyPorts, { inbound: 6, control: 12, admin: 13 }),
  unopened: fc.subarray([{ kind: 'hook' as const, port: 10, path: '/stop' }]),
  unread: fc.constantFrom<readonly UnreadPart[]>([], [], ['ports']),
} satisfies Record<
  Exclude<keyof Workload, 'kind' | 'namespace' | 'labels' | 'hostNetwork' | 'shutProbes'>,
  fc.Arbitrary<unknown>
>;

const anyPod = fc.record(drawn, { noNullPrototype: true }).map(aPod);

const anyObject: fc.Arbitrary<Server | Policy> = fc.oneof(
  fc
    .record(
      {
        target: fc.constant(everything),
        ports: fc.oneof(fc.constant('all' as const), selectors),
        sources: fc.constant([{ networks: everywhere }]),
        rules: fc.constantFrom(undefined, [{ methods: ['GET'] }]),
      },
      { noNullPrototype: true },
    )
    .map(aNetworkAuthenticationPolicy),
  fc
    .record({ port: selector, proxyProtocol: fc.constantFrom('unknown' as const, 'opaque' as const) })
    .map(aServer),
  selectors.map((ports) =>
    aRejected('NetworkAuthenticationPolicy', { closes: { selector: everything, ports } }),
  ),
);

const ports = [...Array.from({ length: 14 }, (_, at) => at + 1), 4142, 4143, 4144, 4190, 4191, 4192, 65_535];

it('ports of one group have the same row, whatever tells ports apart', () => {
  let shared = 0;
  fc.assert(
    fc.property(anyPod, fc.array(anyObject, { maxLength: 4 }), (pod, written) => {
      const objects = written.map((one, at) => ({
        ...one,
        meta: { ...one.meta, name: `${one.kind}-${at}` },
      }));
      const index = new ResourceIndex();
      index.apply(
        [aNamespace(), pod, ...objects].map(
          (object) => ({ type: 'apply', kind: object.kind, object }) as Change,
        ),
      );
      const groups = groupsOf(pod, objects as (Server | Policy)[]);
      const rows = new Map<string, unknown>();
      for (const port of ports) {
        const { server } = compileFromIndex(index, pod, port, { cluster, matchesRegex: () => false });
        const group = groups.groupOf(port);
        if (rows.has(group)) {
          shared += 1;
          assert.deepEqual(server, rows.get(group), `port ${port}`);
        }
        rows.set(group, server);
      }
    }),
    { numRuns: 300 },
  );
  assert(shared > 1_500, `only ${shared} ports shared a row`);
});

it('all ports that nobody names share one row, and those that one policy names another', () => {
  const pod = aPod({ ports: [{ name: 'http', port: 8080 }] });
  const named = aNetworkAuthenticationPolicy({ target: everything, ports: [range(9000, 9999)] });
  const groups = groupsOf(pod, [named, aNetworkAuthenticationPolicy({ name: 'all', ports: 'all' })]);
  const distinct = new Set(Array.from({ length: 4_000 }, (_, at) => groups.groupOf(7_000 + at)));
  assert.equal(distinct.size, 2);
});

it('where policies name ports in more ways than are worth comparing, each port is by itself', () => {
  const many = aNetworkAuthenticationPolicy({
    target: everything,
    ports: Array.from({ length: 600 }, (_, at) => range(1_000 + 2 * at)),
  });
  const groups = groupsOf(aPod(), [many]);
  assert.notEqual(groups.groupOf(20_000), groups.groupOf(20_001));
});
