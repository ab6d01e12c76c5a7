import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import {
  aNamespace,
  aNetworkAuthenticationPolicy,
  anExternalWorkload,
  aPod,
  aServer,
  labelled,
} from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { aGrpcClient, eventually } from '@gatehouse/testing/grpc';
import { ask } from '@gatehouse/testing/started-admin';
import { policyNamed, restOf } from '../testing/a-rest-view.ts';
import { folders, proxyOf, start } from '../testing/a-started-service.ts';

test('a pod on its host network is open in every answer', async (t) => {
  const where = await folders(t);
  const pod = aPod({ name: 'agent', labels: { app: 'backend' }, hostNetwork: true });
  const { admin } = await start(where, {
    source: new FakeSource(aNamespace(), pod, aNetworkAuthenticationPolicy()),
  });
  const token = (await readFile(join(where.state, 'admin-token'), 'utf8')).trim();
  const read = async (path: string) => (await ask(`${admin}${path}`, { token })).json;
  const [listed] = (await read('/v1/workloads?namespace=demo')).items;
  const report = await read('/v1/workloads/demo/agent');
  const port = await read('/v1/workloads/demo/agent/ports/8080');
  const why = 'Open, not enforced: the pod is on its host network.';
  assert.deepEqual(
    [listed, report, port].map(({ enforcement }) => enforcement.message),
    [why, why, why],
  );
  assert.deepEqual([listed.ports[0].access, report.ports[0].row, port.row], [null, null, null]);
  const authorization = (await read('/v1/authorizations?namespace=demo')).items[1];
  const policy = await read('/v1/policies/demo/NetworkAuthenticationPolicy/frontend-can-talk-to-backend');
  assert.deepEqual([authorization.state, policy.state, port.selectedBy[0].state], ['Open', 'Open', 'Open']);
  assert.equal(policy.findings[0].reason, 'HostNetwork');
});

test('the REST API shows the row that a proxy is sent, why it is so, and who has it', async (t) => {
  const { read, grpc, admin } = await restOf(t);
  const { row, ...facts } = (await read('/v1/workloads/demo/backend-0/ports/8080')).json;
  assert.deepEqual(facts, {
    workload: { kind: 'Pod', namespace: 'demo', name: 'backend-0' },
    identity: 'default.demo.serviceaccount.identity.gatehouse.cluster.local',
    port: 8080,
    names: ['http'],
    declared: true,
    enforcement: { state: 'enforced', reason: null, message: null },
    selectedBy: [
      { ...policyNamed('a'), state: 'Rejected', findings: ['Rejected'] },
      { ...policyNamed('frontend-can-talk-to-backend'), state: 'Enforced', findings: ['SourceUnmeshed'] },
      { ...policyNamed('get-only'), state: 'Audited', findings: ['NoSuchServiceAccount'] },
      {
        group: 'policy.linkerd.io',
        kind: 'Server',
        namespace: 'demo',
        name: 'web',
        state: 'PartlyEnforced',
        findings: ['TargetUnmeshed'],
      },
    ],
  });
  assert.deepEqual(row.governedBy, {
    kind: 'network-authentication-policies',
    objects: [policyNamed('frontend-can-talk-to-backend')],
    base: 'deny',
    from: null,
    text: 'NetworkAuthenticationPolicy frontend-can-talk-to-backend',
  });
  assert.deepEqual([row.protocol, row.access], ['detect', 'restricted']);
  const behind = { kind: 'object', object: policyNamed('frontend-can-talk-to-backend') };
  assert.deepEqual(row.authorizations[0].by, behind);
  assert.deepEqual(
    row.clients.map(({ by, requests, source }: Record<string, { readonly text: string } | null>) => [
      by,
      requests,
      source?.text,
    ]),
    [[behind, null, 'pods with app=frontend']],
  );
  assert.deepEqual(row.routes[0].matches[0].text, '* /*');
  assert.deepEqual(
    row.contributions.map(({ effect }: { effect: string }) => effect),
    ['closes', 'grants'],
  );
  const served = (await read('/v1/workloads/demo/backend-0/ports/9000')).json.row;
  assert.deepEqual(
    [served.governedBy.kind, served.governedBy.base, served.access],
    ['server', 'deny', 'authenticated'],
  );
  assert.deepEqual(served.conditions, []);

  const { rows } = proxyOf(t, aGrpcClient(t, { address: grpc }), 'backend-0');
  await eventually(() => rows.length === 1);
  const [stream] = (await read('/v1/streams')).json.items;
  assert.deepEqual(
    [stream.method, stream.target, stream.version],
    ['InboundServerPolicies/WatchPort', 'demo/backend-0:8080', row.version],
  );
  const metrics = (await ask(`${admin}/metrics`)).text;
  assert.match(metrics, /gatehouse_policy_rows\{direction="inbound"[^}]*\} 1\n/);
  assert.match(
    metrics,
    /gatehouse_policy_messages_sent_total\{method="InboundServerPolicies\/WatchPort"[^}]*\} 1\n/,
  );
});

/** What a list says of ports, a line each: which, the clients that they admit, and what governs them. */
const portsSaid = (item: {
  readonly ports: readonly {
    port: { first: number };
    access: string | null;
    governedBy: { text: string } | null;
  }[];
  readonly otherPorts: { access: string | null; governedBy: { text: string } | null };
}): readonly string[] => [
  ...item.ports.map(({ port, access, governedBy }) => `${port.first} ${access} ${governedBy?.text}`),
  `others ${item.otherPorts.access} ${item.otherPorts.governedBy?.text}`,
];

test('the REST API lists pods with their ports, what governs each, and where nothing is enforced', async (t) => {
  const { read } = await restOf(t);
  const { items } = (await read('/v1/workloads?namespace=demo')).json;
  assert.deepEqual(
    items.map(({ workload, enforcement }: Record<string, Record<string, string>>) => [
      workload?.name,
      enforcement?.state,
      enforcement?.reason,
    ]),
    [
      ['backend-0', 'enforced', null],
      ['frontend-0', 'enforced', null],
      ['frontend-1', 'not-enforced', 'unmeshed'],
    ],
  );
  const [backend, , unmeshed] = items;
  assert.deepEqual(portsSaid(backend), [
    // Port 25 is opaque by default, so that the policy's range has three rows.
    ...['1', '25', '26'].map((port) => `${port} closed NetworkAuthenticationPolicy a`),
    '4191 closed default deny of the cluster',
    '8080 restricted NetworkAuthenticationPolicy frontend-can-talk-to-backend',
    '9000 authenticated Server web, accessPolicy deny',
    '9090 closed default deny of the cluster',
    '9091 closed default deny of the cluster',
    'others closed default deny of the cluster',
  ]);
  assert.deepEqual(portsSaid(unmeshed), ['9000 null undefined', 'others null undefined']);
  assert.match(unmeshed.enforcement.message, /^Open, not enforced: the pod has no proxy: neither it nor/);
  assert.deepEqual(
    unmeshed.selectedBy.map(({ kind, name }: Record<string, string>) => `${kind} ${name}`),
    ['Server web'],
  );
});

test('one pod is shown with the whole row of each port, the same as by port and in the list', async (t) => {
  const { read } = await restOf(t);
  const report = (await read('/v1/workloads/demo/backend-0')).json;
  const [item] = (await read('/v1/workloads?namespace=demo&limit=1')).json.items;
  assert.equal(report.ports.length, item.ports.length);
  assert.deepEqual(report.selectedBy, item.selectedBy);
  for (const [at, { port, row, enforcement }] of report.ports.entries()) {
    assert.equal(row.version, item.ports[at].version);
    const alone = (await read(`/v1/workloads/demo/backend-0/ports/${port.first}`)).json;
    assert.deepEqual([alone.row, alone.enforcement], [row, enforcement]);
  }
  const unmeshed = (await read('/v1/workloads/demo/frontend-1')).json;
  assert.deepEqual(
    unmeshed.ports.map(({ row }: { row: unknown }) => row),
    [null],
  );
  const port = (await read('/v1/workloads/demo/frontend-1/ports/8080')).json;
  assert.deepEqual([port.row, port.enforcement], [null, unmeshed.enforcement]);
});

test('an ExternalWorkload is listed after the pods, and shown by its kind and name', async (t) => {
  const outside = [
    anExternalWorkload({ name: 'backend-0', labels: { app: 'db' }, identity: 'spiffe://elsewhere/vm' }),
    aServer({
      name: 'vms',
      podSelector: undefined,
      externalWorkloadSelector: labelled({ app: 'db' }),
      port: { kind: 'name', name: 'http' },
      accessPolicy: 'all-authenticated',
    }),
  ];
  const { read } = await restOf(t, outside);
  const { items } = (await read('/v1/workloads?namespace=demo')).json;
  const external = items.at(-1);
  assert.deepEqual(
    items.map(({ workload }: { workload: Record<string, string> }) => `${workload.kind} ${workload.name}`),
    ['Pod backend-0', 'Pod frontend-0', 'Pod frontend-1', 'ExternalWorkload backend-0'],
  );
  assert.deepEqual((await read('/v1/workloads?kind=ExternalWorkload')).json.items, [external]);
  assert.deepEqual(portsSaid(external), [
    '4191 closed default deny of the cluster',
    '8080 authenticated Server vms, accessPolicy all-authenticated',
    'others closed default deny of the cluster',
  ]);
  const { ports, portsLeftOut, otherPorts, ...facts } = external;
  assert.deepEqual(facts, {
    workload: { kind: 'ExternalWorkload', namespace: 'demo', name: 'backend-0' },
    owner: null,
    serviceAccount: null,
    identity: 'spiffe://elsewhere/vm',
    addresses: ['192.0.2.9'],
    phase: null,
    enforcement: { state: 'enforced', reason: null, message: null },
    selectedBy: [
      {
        group: 'policy.linkerd.io',
        kind: 'Server',
        namespace: 'demo',
        name: 'vms',
        state: 'Enforced',
        findings: [],
      },
    ],
  });
  const report = (await read('/v1/workloads/demo/backend-0?kind=ExternalWorkload')).json;
  assert.deepEqual(report.workload, external.workload);
  assert.equal(report.ports[1].row.version, ports[1].version);
  const port = (await read('/v1/workloads/demo/backend-0/ports/http?kind=ExternalWorkload')).json;
  assert.deepEqual([port.port, port.names, port.declared], [8080, ['http'], true]);
  assert.deepEqual(port.row, report.ports[1].row);
  // Without a kind it is the pod of that name.
  assert.equal((await read('/v1/workloads/demo/backend-0')).json.workload.kind, 'Pod');
});

test('a port is found by its name, which must stand for one number', async (t) => {
  const { read } = await restOf(t);
  const named = (await read('/v1/workloads/demo/backend-0/ports/http')).json;
  assert.deepEqual(named, (await read('/v1/workloads/demo/backend-0/ports/8080')).json);
  const both = await read('/v1/workloads/demo/backend-0/ports/metrics');
  assert.equal(both.status, 400);
  assert.match(both.json.detail, /port metrics of pod demo\/backend-0 is 9090 and 9091: ask for one/);
});

test('the REST API lists the workloads whose labels are asked for', async (t) => {
  const { read } = await restOf(t);
  const names = async (selector: string): Promise<readonly string[]> => {
    const { items } = (await read(`/v1/workloads?namespace=demo&selector=${encodeURIComponent(selector)}`))
      .json;
    return items.map(({ workload }: { readonly workload: { readonly name: string } }) => workload.name);
  };
  assert.deepEqual(await names('app=frontend'), ['frontend-0', 'frontend-1']);
  assert.deepEqual(await names('app in (frontend),app!=frontend'), []);
  assert.ok((await names('app in (backend,frontend)')).includes('backend-0'));
});
