import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everywhere, parseNetwork, printNetwork, readIp } from '@gatehouse/core/ip-network';
import { everything, type LabelSelector } from '@gatehouse/core/label-selector';
import { parseIdentity, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { PolicySource } from '@gatehouse/core/resources/kinds/gatehouse';
import { aNamespace, aPod, labelled } from '@gatehouse/testing/builders';
import { ipOf } from '@gatehouse/testing/inbound-attempt';

import { meshViewOf } from './policy-view.ts';
import { printContest } from './print-contest.ts';
import { dependsOnPods, resolveSource } from './resolve-sources.ts';

const mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' };
const app = (name: string): LabelSelector => labelled({ app: name });
const identity = (account: string, namespace = 'demo'): string =>
  `${account}.${namespace}.serviceaccount.identity.gatehouse.cluster.local`;
const network = (cidr: string, ...except: string[]) => {
  const [net, ...holes] = [cidr, ...except].map((text) => {
    const read = parseNetwork(text);
    assert(read.ok);
    return read.value;
  });
  assert(net !== undefined);
  return { net, except: holes };
};

const demo = aNamespace({ name: 'demo' });
const other = aNamespace({ name: 'other', labels: { team: 'x' } });

/** Who is admitted, from where, as text. */
const admitted = (
  source: PolicySource,
  pods: readonly KubeObject<'Pod'>[],
  namespaces: readonly KubeObject<'Namespace'>[] = [demo, other],
): readonly string[] =>
  resolveSource(source, 'demo', meshViewOf({ mesh, pods, namespaces })).grants.map(
    ({ authentication, networks }) => {
      const from = networks.map(({ net }) => printNetwork(net)).join(' ');
      if (authentication.kind !== 'identities') return `${authentication.kind} from ${from}`;
      const suffixes = authentication.suffixes.map((parts) => ['*', ...parts].join('.'));
      return `${[...authentication.identities.map(printIdentity), ...suffixes].join(' ')} from ${from}`;
    },
  );

const frontend = aPod({ name: 'f', labels: { app: 'frontend' }, ips: ['10.0.0.1'] });
const podSelector = app('frontend');

describe('a source with selectors admits identity and address', () => {
  it('an identity only from the addresses of the selected pods, grouped and sorted', () => {
    const pods = [
      aPod({ name: 'z', labels: { app: 'frontend' }, serviceAccount: 'web', ips: ['10.0.0.9'] }),
      aPod({ name: 'y', labels: { app: 'frontend' }, ips: ['10.0.0.2', 'fd00::2'] }),
      frontend,
      aPod({ name: 'intruder', labels: { app: 'intruder' }, ips: ['10.0.0.7'] }),
      aPod({ name: 'abroad', namespace: 'other', labels: { app: 'frontend' }, ips: ['10.0.0.8'] }),
    ];
    assert.deepEqual(admitted({ podSelector }, pods), [
      `${identity('default')} from 10.0.0.1/32 10.0.0.2/32 fd00::2/128`,
      `${identity('web')} from 10.0.0.9/32`,
    ]);
  });

  it('namespaceSelector alone selects all pods of the namespaces, podSelector beside it some', () => {
    const pods = [
      frontend,
      aPod({ name: 'a', namespace: 'other', labels: { app: 'frontend' }, ips: ['10.0.1.1'] }),
      aPod({ name: 'b', namespace: 'other', ips: ['10.0.1.2'] }),
    ];
    const namespaceSelector = labelled({ team: 'x' });
    assert.deepEqual(admitted({ namespaceSelector }, pods), [
      `${identity('default', 'other')} from 10.0.1.1/32 10.0.1.2/32`,
    ]);
    assert.deepEqual(admitted({ namespaceSelector, podSelector }, pods), [
      `${identity('default', 'other')} from 10.0.1.1/32`,
    ]);
  });

  it('a namespace is found by the name that every API server gives it, and not while it is unknown', () => {
    const pods = [aPod({ name: 'a', namespace: 'other', ips: ['10.0.1.1'] })];
    const named = { namespaceSelector: labelled({ 'kubernetes.io/metadata.name': 'other' }) };
    assert.equal(admitted(named, pods).length, 1);
    assert.equal(admitted({ namespaceSelector: everything }, pods).length, 1);
    // What its labels are nobody knows, so no selector, not even a negative one, may select it.
    assert.equal(admitted({ namespaceSelector: everything }, pods, [demo]).length, 0);
  });

  it('all fields of a source must hold', () => {
    const pods = [
      frontend,
      aPod({ name: 'w', labels: { app: 'frontend' }, serviceAccount: 'web', ips: ['10.0.0.2'] }),
      aPod({ name: 'i', labels: { app: 'intruder' }, serviceAccount: 'web', ips: ['10.0.0.3'] }),
    ];
    const web = [{ namespace: 'demo', name: 'web' }];
    assert.deepEqual(admitted({ podSelector, serviceAccounts: web }, pods), [
      `${identity('web')} from 10.0.0.2/32`,
    ]);
    assert.deepEqual(
      admitted(
        { podSelector, identities: [{ kind: 'exact', identity: parseIdentity(identity('web')) }] },
        pods,
      ),
      [`${identity('web')} from 10.0.0.2/32`],
    );
    assert.deepEqual(admitted({ podSelector, networks: [network('10.0.0.0/8', '10.0.0.2')] }, pods), [
      `${identity('default')} from 10.0.0.1/32`,
    ]);
    assert.deepEqual(admitted({ podSelector, networks: [network('192.168.0.0/16')] }, pods), []);
    assert.deepEqual(admitted({ podSelector, serviceAccounts: [] }, pods), []);
  });

  it('no pods, no grant', () => assert.deepEqual(admitted({ podSelector }, []), []));
});

describe('an address belongs to a pod that lives', () => {
  type Said = NonNullable<Parameters<typeof aPod>[0]>;
  const rows: readonly (readonly [string, Said, boolean])[] = [
    ['running', {}, true],
    ['pending', { phase: 'Pending' }, true],
    ['terminating, but running: draining pods call', { deletedAt: 1 }, true],
    ['not ready', { ready: false }, true],
    ['succeeded', { phase: 'Succeeded' }, false],
    ['failed', { phase: 'Failed' }, false],
    ['all containers ended', { terminated: true }, false],
    ['unmeshed', { meshed: false }, false],
    [
      'of another mesh',
      { meshed: false, labels: { app: 'frontend', 'linkerd.io/control-plane-ns': 'linkerd' } },
      false,
    ],
    ['on its host network', { hostNetwork: true }, false],
    ['without address yet', { ips: [] }, false],
    ['with an unreadable address', { ips: ['10.0.0.01'] }, false],
  ];
  it('covers the table', () => assert.equal(rows.length, 12));
  for (const [title, said, isAdmitted] of rows) {
    it(`${title}: ${isAdmitted ? 'admitted' : 'not admitted'}`, () => {
      const pod = aPod({ name: 'f', labels: { app: 'frontend' }, ips: ['10.0.0.1'], ...said });
      assert.equal(admitted({ podSelector }, [pod]).length, isAdmitted ? 1 : 0);
    });
  }

  it('of two pods that run the one started last has the address, whatever else it is', () => {
    const old = aPod({ name: 'f', labels: { app: 'frontend' }, ips: ['10.0.0.1'], startedAt: 1 });
    const next = { name: 'new', ips: ['10.0.0.1'], startedAt: 2 };
    assert.deepEqual(admitted({ podSelector }, [old, aPod(next)]), []);
    assert.deepEqual(admitted({ podSelector }, [old, aPod({ ...next, meshed: false })]), []);
    assert.deepEqual(admitted({ podSelector }, [aPod(next), old]), []);
    const selected = aPod({ ...next, labels: { app: 'frontend' }, serviceAccount: 'web' });
    assert.deepEqual(admitted({ podSelector }, [old, selected]), [`${identity('web')} from 10.0.0.1/32`]);
  });

  it('a pod that has ended keeps nobody from its former address, however young it is', () => {
    const job = { name: 'job', ips: ['10.0.0.1'], createdAt: 9, startedAt: 9 };
    for (const ended of [{ phase: 'Succeeded' }, { phase: 'Failed' }, { terminated: true }] as const) {
      assert.equal(admitted({ podSelector }, [frontend, aPod({ ...job, ...ended })]).length, 1);
      assert.equal(admitted({ podSelector }, [aPod({ ...job, ...ended }), frontend]).length, 1);
    }
  });

  it('a terminating pod yields the address to one that stays', () => {
    const leaving = aPod({ ...frontend.meta, ips: ['10.0.0.1'], startedAt: 2, deletedAt: 3 });
    assert.equal(admitted({ podSelector }, [leaving]).length, 1);
    assert.deepEqual(admitted({ podSelector }, [leaving, aPod({ name: 'next', ips: ['10.0.0.1'] })]), []);
  });

  it('where nothing tells who was given it last, nobody has the address, and the policy’s author hears of it', () => {
    const twin = { name: 'twin', ips: ['10.0.0.1', '10.0.0.2'] };
    const contest = { pod: 'demo/f', ip: readIp('10.0.0.1'), claimants: ['demo/f', 'demo/twin'], count: 2 };
    const view = meshViewOf({ mesh, pods: [frontend, aPod(twin)], namespaces: [demo] });
    const { grants, contestedAddresses } = resolveSource({ podSelector }, 'demo', view);
    assert.deepEqual({ grants, contestedAddresses }, { grants: [], contestedAddresses: [contest] });
    assert.equal(
      printContest({ ...contest, ip: ipOf('10.0.0.1') }),
      'Pod demo/f is selected, but is not admitted by 10.0.0.1: demo/twin has that address too, and nothing tells which of the pods was given it last.',
    );
    const many = Array.from({ length: 7 }, (_, at) => aPod({ ...twin, name: `twin-${at}` }));
    const crowded = meshViewOf({ mesh, pods: [frontend, ...many], namespaces: [demo] });
    const [told] = resolveSource({ podSelector }, 'demo', crowded).contestedAddresses;
    assert.match(
      told === undefined ? '' : printContest(told),
      /: demo\/twin-0, demo\/twin-1, demo\/twin-2, 4 more have that address too/,
    );
  });

  it('an address that a pod shares with its node is nobody’s', () => {
    const onHost = aPod({ name: 'agent', hostNetwork: true, ips: ['10.0.0.1'] });
    assert.deepEqual(admitted({ podSelector }, [frontend, onHost]), []);
  });

  it('IPv6 is the same address however it is written, and mapped IPv4 is IPv4', () => {
    const written = aPod({ name: 'f', labels: { app: 'frontend' }, ips: ['FD00:0::1', '::ffff:10.0.0.5'] });
    assert.deepEqual(admitted({ podSelector }, [written]), [
      `${identity('default')} from 10.0.0.5/32 fd00::1/128`,
    ]);
    const successor = aPod({ name: 'new', ips: ['fd00::1'] });
    assert.deepEqual(admitted({ podSelector }, [written, successor]), [
      `${identity('default')} from 10.0.0.5/32`,
    ]);
  });

  it('a pod deleted and its address reused are seen in one step', () => {
    const reused = aPod({
      name: 'next',
      labels: { app: 'frontend' },
      serviceAccount: 'web',
      ips: ['10.0.0.1'],
    });
    assert.deepEqual(admitted({ podSelector }, [frontend]), [`${identity('default')} from 10.0.0.1/32`]);
    assert.deepEqual(admitted({ podSelector }, [reused]), [`${identity('web')} from 10.0.0.1/32`]);
  });
});

describe('a source without selectors does not follow pods', () => {
  const rows: readonly (readonly [string, PolicySource, readonly string[]])[] = [
    [
      'serviceAccounts: from anywhere',
      {
        serviceAccounts: [
          { namespace: 'other', name: 'x' },
          { namespace: 'demo', name: 'a.b' },
        ],
      },
      [`${identity('a.b')} ${identity('x', 'other')} from 0.0.0.0/0 ::/0`],
    ],
    [
      'identities: as MeshTLSAuthentication has them',
      {
        identities: [
          { kind: 'suffix', parts: ['demo', 'local'] },
          { kind: 'exact', identity: parseIdentity('spiffe://td/a') },
        ],
      },
      ['spiffe://td/a *.demo.local from 0.0.0.0/0 ::/0'],
    ],
    ['any identity', { identities: [{ kind: 'suffix', parts: [] }] }, ['* from 0.0.0.0/0 ::/0']],
    [
      'networks alone: unauthenticated from there',
      { networks: [network('10.0.0.0/8')] },
      ['unauthenticated from 10.0.0.0/8'],
    ],
    [
      'serviceAccounts and networks',
      { serviceAccounts: [{ namespace: 'demo', name: 'a' }], networks: [network('10.0.0.0/8')] },
      [`${identity('a')} from 10.0.0.0/8`],
    ],
    [
      'serviceAccounts and identities: those that are both',
      {
        serviceAccounts: [
          { namespace: 'demo', name: 'a' },
          { namespace: 'other', name: 'a' },
        ],
        identities: [{ kind: 'suffix', parts: identity('x').split('.').slice(1) }],
      },
      [`${identity('a')} from 0.0.0.0/0 ::/0`],
    ],
    [
      'serviceAccounts and identities that exclude each other',
      {
        serviceAccounts: [{ namespace: 'demo', name: 'a' }],
        identities: [{ kind: 'exact', identity: parseIdentity('spiffe://td/a') }],
      },
      [],
    ],
    ['empty lists admit nobody: serviceAccounts', { serviceAccounts: [] }, []],
    ['empty lists admit nobody: identities', { identities: [] }, []],
    ['empty lists admit nobody: networks', { networks: [] }, []],
  ];
  it('covers the table', () => assert.equal(rows.length, 10));
  for (const [title, source, expected] of rows) {
    it(title, () => {
      assert.deepEqual(admitted(source, [frontend]), expected);
      assert.deepEqual(admitted(source, []), expected);
      assert.equal(dependsOnPods(source), false);
    });
  }
  it('from anywhere is both families', () => assert.equal(everywhere.length, 2));
});

describe('what a source selects without admitting is named', () => {
  it('unmeshed and host-network pods, sorted, beside the number of all', () => {
    const pods = [
      frontend,
      aPod({ name: 'z', labels: { app: 'frontend' }, meshed: false }),
      aPod({ name: 'a', labels: { app: 'frontend' }, meshed: false }),
      aPod({ name: 'h', labels: { app: 'frontend' }, hostNetwork: true }),
      aPod({ name: 'done', labels: { app: 'frontend' }, phase: 'Succeeded' }),
    ];
    const { selectedPods, unmeshedPods, hostNetworkPods } = resolveSource(
      { podSelector },
      'demo',
      meshViewOf({ mesh, pods, namespaces: [demo] }),
    );
    assert.deepEqual(
      { selectedPods, unmeshedPods, hostNetworkPods },
      { selectedPods: 4, unmeshedPods: ['demo/a', 'demo/z'], hostNetworkPods: ['demo/h'] },
    );
    assert.equal(dependsOnPods({ podSelector }), true);
  });
});

it('pods are not held against every network and identity that a source lists', () => {
  const pods = Array.from({ length: 4_000 }, (_, at) =>
    aPod({ name: `p${at}`, ips: [`10.0.${at >> 8}.${at & 255}`] }),
  );
  const networks = Array.from({ length: 4_096 }, (_, at) => network(`10.1.${at >> 8}.${at & 255}/32`));
  const identities = Array.from({ length: 4_096 }, (_, at) => ({
    kind: 'suffix' as const,
    parts: [`n${at}`, 'example'],
  }));
  const view = meshViewOf({ mesh, pods, namespaces: [demo] });
  for (const source of [
    { podSelector: everything, networks },
    { podSelector: everything, identities },
  ]) {
    const started = process.threadCpuUsage();
    assert.deepEqual(resolveSource(source, 'demo', view).grants, []);
    const { user, system } = process.threadCpuUsage(started);
    // When each pod was, it took seconds.
    assert(user + system < 300_000, `${(user + system) / 1_000} ms`);
  }
});
