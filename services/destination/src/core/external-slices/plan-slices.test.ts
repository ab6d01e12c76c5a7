import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { anEndpointSlice, anExternalWorkload, aService } from '@gatehouse/testing/builders';
import fc from 'fast-check';
import { type DesiredSlice, managedBy, managedByLabel, planSlices, type SlicePlan } from './plan-slices.ts';

const service = (said: Parameters<typeof aService>[0] = {}) =>
  aService({ name: 'vms', selector: { app: 'vm' }, ...said });
const vm = (index: number, said: Parameters<typeof anExternalWorkload>[0] = {}) =>
  anExternalWorkload({
    name: `vm-${String(index).padStart(3, '0')}`,
    ips: [`192.0.${index >> 8}.${index & 255}`],
    labels: { app: 'vm' },
    ...said,
  });
const vms = (count: number) => Array.from({ length: count }, (_, index) => vm(index));

/** What the API server has once a slice is written, as it is read back. */
const written = ({ namespace, name, service: of, family, ports, endpoints }: DesiredSlice) =>
  anEndpointSlice({
    namespace,
    name,
    labels: { [managedByLabel]: managedBy },
    service: of.meta.name,
    family,
    ports: ports.map(({ name: port, port: number }) => ({ name: port, port: number })),
    endpoints: endpoints.map(({ workload, addresses }) => ({
      addresses,
      ready: workload.spec.ready,
      hostname: '',
      nodeName: '',
      zone: '',
      forZones: [],
      forNodes: [],
      target: { kind: 'ExternalWorkload', namespace, name: workload.meta.name },
    })),
  });

/** The slices after a plan was carried out. */
const after = (existing: readonly KubeObject<'EndpointSlice'>[], { put, remove }: SlicePlan) => {
  const slices = new Map(existing.map((slice) => [slice.meta.name, slice]));
  for (const name of remove) slices.delete(name);
  for (const slice of put) slices.set(slice.name, written(slice));
  return [...slices.values()];
};

const brief = ({ put, remove }: SlicePlan) => ({
  put: put.map(({ name, family, ports, endpoints }) => [
    name,
    family,
    ports.map(({ name: port, port: number }) => `${port} ${number}`).join(),
    endpoints.map(({ addresses }) => addresses.join()).join(' '),
  ]),
  remove,
});

test('the ExternalWorkloads that a Service selects are listed, and nobody else', () => {
  const others = [
    vm(2, { labels: { app: 'other' } }),
    vm(3, { namespace: 'other' }),
    vm(4, { deletedAt: 1 }),
    vm(5, { ips: [] }),
  ];
  assert.deepEqual(brief(planSlices(service(), [vm(1), ...others], [])), {
    put: [['linkerd-external-vms-0', 4, 'http 8080', '192.0.0.1']],
    remove: [],
  });
});

const none: readonly (readonly [string, Parameters<typeof aService>[0]])[] = [
  ['without selector', { selector: undefined }],
  ['with an empty selector', { selector: {} }],
  ['an alias', { type: 'ExternalName', clusterIps: [] }],
  ['one that is being deleted', { deletedAt: 1 }],
  ['one without ports', { ports: [] }],
];

test('a Service that has none of its own from here loses those that were written for it', () => {
  const existing = after([], planSlices(service(), [vm(1)], []));
  for (const [says, said] of none) {
    const plan = planSlices(service(said), [vm(1)], existing);
    assert.deepEqual(brief(plan), { put: [], remove: ['linkerd-external-vms-0'] }, says);
  }
  assert.equal(none.length, 5);
});

test('each family, and each assignment of named ports, has slices of its own', () => {
  const named = service({
    clusterIps: ['10.32.0.1', 'fd01::1'],
    ports: [{ name: 'http', port: 80, targetPort: 'web', appProtocol: undefined }],
  });
  const dual = (index: number, port: number) =>
    vm(index, { ips: [`192.0.2.${index}`, `fd00::${index}`], ports: [{ name: 'web', port }] });
  const plan = planSlices(named, [dual(1, 8080), dual(2, 9090), dual(3, 8080), vm(4)], []);
  assert.deepEqual(
    brief(plan).put.map(([, ...rest]) => rest),
    [
      [4, 'http 8080', '192.0.2.1 192.0.2.3'],
      [6, 'http 8080', 'fd00::1 fd00::3'],
      [4, 'http 9090', '192.0.2.2'],
      [6, 'http 9090', 'fd00::2'],
    ],
  );
});

test('what is as it should be is not written again', () => {
  const existing = after([], planSlices(service(), vms(150), []));
  assert.deepEqual(brief(planSlices(service(), vms(150), existing)), { put: [], remove: [] });
});

test('a change of one workload writes the slice that lists it, and a hundred is the most for one', () => {
  const existing = after([], planSlices(service(), vms(250), []));
  assert.deepEqual(
    existing.map(({ spec }) => spec.endpoints.length),
    [100, 100, 50],
  );
  const unready = vms(250).map((each, index) => (index === 120 ? vm(120, { ready: false }) : each));
  assert.deepEqual(
    planSlices(service(), unready, existing).put.map(({ name }) => name),
    ['linkerd-external-vms-1'],
  );
  const gone = planSlices(service(), vms(250).slice(1), existing);
  assert.deepEqual([gone.put.map(({ endpoints }) => endpoints.length), gone.remove], [[99], []]);
});

const history = fc.array(
  fc.record({
    present: fc.subarray(vms(8)),
    headless: fc.boolean(),
    ready: fc.subarray([0, 1, 2, 3, 4, 5, 6, 7]),
  }),
  { maxLength: 6 },
);

test('whatever came before, the slices list each workload once, and a second look writes nothing', () => {
  fc.assert(
    fc.property(history, (steps) => {
      let slices: readonly KubeObject<'EndpointSlice'>[] = [];
      for (const { present, headless, ready } of steps) {
        const of = service(headless ? { clusterIps: [] } : {});
        const workloads = present.map((each, index) =>
          ready.includes(index) ? each : { ...each, spec: { ...each.spec, ready: false } },
        );
        slices = after(slices, planSlices(of, workloads, slices));
        const listed = slices.flatMap(({ spec }) =>
          spec.endpoints.map((endpoint) => [endpoint.target?.name, endpoint.ready] as const),
        );
        assert.deepEqual(
          new Map(listed),
          new Map(workloads.map(({ meta, spec }) => [meta.name, spec.ready])),
        );
        assert.equal(listed.length, workloads.length);
        assert.deepEqual(brief(planSlices(of, workloads, slices)), { put: [], remove: [] });
      }
    }),
  );
});
