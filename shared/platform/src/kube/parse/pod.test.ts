import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import type { PodSpec } from '@gatehouse/core/resources/kinds/kubernetes';
import { readWire, type WireSaid } from '@gatehouse/testing/wire-objects';

const bare: PodSpec = {
  serviceAccount: 'default',
  nodeName: '',
  ips: [],
  hostIps: [],
  hostNetwork: false,
  phase: 'Unknown',
  ready: false,
  terminated: false,
  ports: [],
  probes: [],
  hostname: '',
  subdomain: '',
  proxyPorts: usualProxyPorts,
  proxyListensOn: 'unsaid',
};

const full = {
  metadata: {
    labels: { app: 'web', 'pod-template-hash': '7d4f' },
    ownerReferences: [
      { kind: 'Other', name: 'x' },
      { kind: 'ReplicaSet', name: 'web-7d4f', controller: true },
    ],
  },
  spec: {
    serviceAccountName: 'web',
    nodeName: 'node-a',
    hostname: 'h',
    subdomain: 's',
    initContainers: [
      {
        name: 'linkerd-proxy',
        restartPolicy: 'Always',
        ports: [{ name: 'linkerd-proxy', containerPort: 4143 }],
        env: [
          { name: 'OTHER', valueFrom: {} },
          { name: 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR', value: '[::]:5143' },
        ],
      },
    ],
    containers: [
      {
        name: 'app',
        ports: [
          { name: 'http', containerPort: 8080, hostPort: 80 },
          { containerPort: 53, protocol: 'UDP' },
          { containerPort: 9000, hostPort: 0, protocol: 'TCP' },
        ],
      },
    ],
  },
  status: {
    phase: 'Running',
    startTime: '2026-05-04T08:00:00Z',
    podIP: '10.0.0.9',
    podIPs: [{ ip: '10.0.0.1' }, { ip: 'FD00::1' }, { ip: '10.0.0.1' }],
    hostIP: '192.0.2.1',
    conditions: [
      { type: 'Initialized', status: 'True' },
      { type: 'Ready', status: 'True' },
    ],
    containerStatuses: [{ state: { running: {} } }],
  },
};

test('a pod is read with everything that matters to a decision', () => {
  const { spec, warnings } = readWire('Pod', full);
  assert.deepEqual(spec, {
    ...bare,
    serviceAccount: 'web',
    nodeName: 'node-a',
    ips: ['10.0.0.1', 'fd00::1'],
    hostIps: ['192.0.2.1'],
    phase: 'Running',
    ready: true,
    startedAt: Date.parse('2026-05-04T08:00:00Z'),
    ports: [
      { name: 'http', port: 8080, hostPort: 80 },
      { name: '', port: 9000 },
      { name: 'linkerd-proxy', port: 4143 },
    ],
    owner: { kind: 'Deployment', name: 'web' },
    hostname: 'h',
    subdomain: 's',
    proxyPorts: { ...usualProxyPorts, inbound: 5143 },
    proxyListensOn: 'both',
  });
  assert.deepEqual(warnings, []);
});

test('a pod that says nothing has the ServiceAccount default and no address', () => {
  assert.deepEqual(readWire('Pod', { spec: {} }).spec, bare);
  assert.deepEqual(readWire('Pod').spec, bare);
});

test('ports of init containers that end before the others start are known as such', () => {
  const container = (containerPort: number) => ({ name: 'c', ports: [{ name: 'http', containerPort }] });
  const { spec } = readWire('Pod', {
    spec: {
      initContainers: [
        container(1),
        { ...container(2), restartPolicy: 'Always' },
        { ...container(3), restartPolicy: 'always' },
      ],
      containers: [container(4)],
    },
  });
  assert.deepEqual(spec.ports, [
    { name: 'http', port: 4 },
    { name: 'http', port: 2 },
    { name: 'http', port: 1, init: true },
    { name: 'http', port: 3, init: true },
  ]);
});

const listening: readonly (readonly [
  value: string | undefined,
  port: number,
  on: PodSpec['proxyListensOn'],
])[] = [
  ['0.0.0.0:4143', 4143, 'IPv4'],
  ['10.4.0.21:5143', 5143, 'IPv4'],
  ['[::]:4143', 4143, 'both'],
  ['[fd00::1]:5143', 5143, 'IPv6'],
  ['[::ffff:10.4.0.21]:5143', 5143, 'IPv4'],
  ['$(POD_IP):5143', 5143, 'unsaid'],
  ['localhost:5143', 5143, 'unsaid'],
  ['0.0.0.0:0', 4143, 'unsaid'],
  ['0.0.0.0', 4143, 'unsaid'],
  [undefined, 4143, 'unsaid'],
];

test('the address on which the proxy listens tells its port and its family', () => {
  for (const [value, port, on] of listening) {
    const env = [{ name: 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR', value }];
    for (const list of ['initContainers', 'containers']) {
      const { spec } = readWire('Pod', { spec: { [list]: [{ name: 'linkerd-proxy', env }] } });
      assert.deepEqual([spec.proxyPorts.inbound, spec.proxyListensOn], [port, on], value ?? list);
    }
  }
  assert.equal(listening.length, 10);
});

test('the ports of the proxy itself are those of its own container, the last value of each', () => {
  const env = [
    { name: 'LINKERD2_PROXY_ADMIN_LISTEN_ADDR', value: '0.0.0.0:4191' },
    { name: 'LINKERD2_PROXY_ADMIN_LISTEN_ADDR', value: '[::]:5191' },
    { name: 'LINKERD2_PROXY_CONTROL_LISTEN_ADDR', value: '127.0.0.1:5190' },
  ];
  const portsOf = (name: string) =>
    readWire('Pod', { spec: { containers: [{ name, env }] } }).spec.proxyPorts;
  assert.deepEqual(portsOf('linkerd-proxy'), { inbound: 4143, control: 5190, admin: 5191 });
  assert.deepEqual(portsOf('app'), usualProxyPorts);
});

test('the older fields of ServiceAccount and address count where the newer are missing', () => {
  const { spec } = readWire('Pod', {
    spec: { serviceAccount: 'old' },
    status: { podIP: '10.0.0.9', podIPs: [] },
  });
  assert.deepEqual([spec.serviceAccount, spec.ips], ['old', ['10.0.0.9']]);
});

const statuses: readonly (readonly [what: string, status: unknown, terminated: boolean])[] = [
  ['nothing known of containers', {}, false],
  [
    'one that runs',
    { containerStatuses: [{ state: { running: {} } }, { state: { terminated: {} } }] },
    false,
  ],
  ['one that waits', { containerStatuses: [{ state: { waiting: {} } }] }, false],
  ['all ended', { containerStatuses: [{ state: { terminated: { exitCode: 0 } } }] }, true],
  [
    'all ended but a sidecar',
    {
      containerStatuses: [{ state: { terminated: {} } }],
      initContainerStatuses: [{ state: { running: {} } }],
    },
    false,
  ],
  [
    'all ended, init containers too',
    {
      containerStatuses: [{ state: { terminated: {} } }],
      initContainerStatuses: [{ state: { terminated: {} } }],
    },
    true,
  ],
];

test('a pod has ended when not one of its containers runs or will', () => {
  for (const [what, status, terminated] of statuses) {
    assert.equal(readWire('Pod', { status }).spec.terminated, terminated, what);
  }
  assert.equal(statuses.length, 6);
});

const owners: readonly (readonly [reference: unknown, hash: string, owner: unknown])[] = [
  [{ kind: 'ReplicaSet', name: 'web-7d4f', controller: true }, '7d4f', { kind: 'Deployment', name: 'web' }],
  [{ kind: 'ReplicaSet', name: 'web', controller: true }, '7d4f', { kind: 'ReplicaSet', name: 'web' }],
  [{ kind: 'StatefulSet', name: 'db', controller: true }, '', { kind: 'StatefulSet', name: 'db' }],
  [{ kind: 'Job', name: 'once', controller: false }, '', undefined],
  [{ kind: 'Job', controller: true }, '', undefined],
];

test('the owner is the controller, a ReplicaSet folded into its Deployment', () => {
  for (const [reference, hash, owner] of owners) {
    const metadata = {
      labels: hash === '' ? {} : { 'pod-template-hash': hash },
      ownerReferences: [reference],
    };
    assert.deepEqual(readWire('Pod', { metadata }).spec.owner, owner);
  }
  assert.equal(owners.length, 5);
});

const unreadable: readonly (readonly [said: WireSaid, warnings: readonly string[]])[] = [
  [{ spec: [] }, ['spec: an empty list is not an object: write an object']],
  [
    { spec: { serviceAccountName: 7 } },
    ['spec.serviceAccountName: the number 7 is not text: put it in quotes'],
  ],
  [
    { spec: { hostNetwork: 'yes' } },
    ['spec.hostNetwork: `yes` is neither true nor false: use true or false, without quotes'],
  ],
  [{ spec: { containers: {} } }, ['spec.containers: an empty object is not a list: write a list']],
  [
    { spec: { containers: [{ ports: [{ containerPort: '80' }] }] } },
    [
      'spec.containers[0].ports[0].containerPort: `80` is not a number from 1 to 65535: a whole number, without quotes',
    ],
  ],
  [
    { spec: { containers: [{ ports: [{ containerPort: 80, protocol: 'tcp' }] }] } },
    ['spec.containers[0].ports[0].protocol: `tcp` is not known here: did you mean `TCP`?'],
  ],
  [
    { spec: { containers: [{ ports: [{ containerPort: 80, name: 'HTTP' }] }] } },
    [
      "spec.containers[0].ports[0].name: `HTTP` is not a valid port's name: at most 15 lower-case letters, digits and `-`, a letter among them",
    ],
  ],
  [
    { status: { startTime: 'noon' } },
    ['status.startTime: `noon` is not a valid time: RFC 3339, such as 2026-01-31T12:00:00Z'],
  ],
  [{ status: { phase: 'running' } }, ['status.phase: `running` is not known here: did you mean `Running`?']],
  [
    { status: { podIPs: [{ ip: '10.0.0.1' }, { ip: 'x' }] } },
    ['status.podIPs[1].ip: `x` is not a valid IP address: an IPv4 or IPv6 address without prefix'],
  ],
];

test('a field that cannot be read costs that field and is told once', () => {
  for (const [said, warnings] of unreadable) assert.deepEqual(readWire('Pod', said).warnings, warnings);
  assert.equal(unreadable.length, 10);
  assert.deepEqual(readWire('Pod', { status: { podIPs: [{ ip: '10.0.0.1' }, { ip: 'x' }] } }).spec.ips, [
    '10.0.0.1',
  ]);
  const udp = [
    { containerPort: 53, protocol: 'UDP' },
    { containerPort: 80, protocol: 'tcp' },
  ];
  const { ports, unread } = readWire('Pod', { spec: { containers: [{ ports: udp }] } }).spec;
  assert.deepEqual([ports, unread], [[{ name: '', port: 80 }], ['ports']]);
});
