import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseNetwork } from '@gatehouse/core/ip-network';
import { everything } from '@gatehouse/core/label-selector';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { ServerAuthorizationSpec } from '@gatehouse/core/resources/kinds/linkerd';
import { aRejected, aServer, aServerAuthorization, labelled } from '@gatehouse/testing/builders';
import { compileSituation, findingsOf } from '../../../testing/compile-situation.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
import { aSituation, asPod, at, frontend, identified, verdictOf } from '../../../testing/situation.ts';
import type { ClusterConfig } from './model.ts';

const network = (cidr: string) => {
  const net = parseNetwork(cidr);
  assert(net.ok);
  return { net: net.value, except: [] };
};

/** Port 8080 of a Server `a`, labelled `tier: front`, that admits nobody by itself; the cluster is 10.0.0.0/8. */
const served = (said: Partial<Situation>, cluster: Partial<ClusterConfig> = {}): Situation => {
  const situation = aSituation({ servers: [aServer({ labels: { tier: 'front' } })], ...said });
  const clusterNetworks = [network('10.0.0.0/8')];
  return { ...situation, cluster: { ...situation.cluster, clusterNetworks, ...cluster } };
};

const admitted = (situation: Situation) => {
  const callers = {
    frontend: asPod(frontend),
    web: at('10.0.0.9', identified('web')),
    spiffe: at('10.0.0.9', { kind: 'identified', id: 'uri', name: 'spiffe://elsewhere/app' }),
    tls: at('10.0.0.9', { kind: 'anonymous' }),
    plain: at('10.0.0.9'),
    outside: at('192.0.2.1'),
    'outside with a name': at('192.0.2.1', identified()),
  };
  return Object.entries(callers).flatMap(([name, caller]) =>
    verdictOf(situation, caller) === 'allowed' ? [name] : [],
  );
};

type Clients = ServerAuthorizationSpec['clients'];
const none = { identities: [], serviceAccounts: [] };
const clients: readonly (readonly [title: string, Clients, admits: readonly string[]])[] = [
  ['unauthenticated', { kind: 'unauthenticated' }, ['frontend', 'web', 'spiffe', 'tls', 'plain']],
  ['TLS without a client certificate', { kind: 'tls' }, ['frontend', 'web', 'spiffe', 'tls']],
  [
    'the identity `*`, which no SPIFFE id is',
    { kind: 'identities', ...none, identities: [{ kind: 'suffix', parts: [] }] },
    ['frontend', 'web'],
  ],
  [
    'a suffix',
    {
      kind: 'identities',
      ...none,
      identities: [{ kind: 'suffix', parts: ['gatehouse', 'cluster', 'local'] }],
    },
    ['frontend', 'web'],
  ],
  [
    'a SPIFFE id',
    {
      kind: 'identities',
      ...none,
      identities: [{ kind: 'exact', identity: parseIdentity('spiffe://elsewhere/app') }],
    },
    ['spiffe'],
  ],
  [
    'a ServiceAccount',
    { kind: 'identities', ...none, serviceAccounts: [{ namespace: 'demo', name: 'web' }] },
    ['web'],
  ],
  [
    'a ServiceAccount or an identity',
    {
      kind: 'identities',
      identities: [{ kind: 'exact', identity: parseIdentity('spiffe://elsewhere/app') }],
      serviceAccounts: [{ namespace: 'demo', name: 'web' }],
    },
    ['web', 'spiffe'],
  ],
];

describe('a ServerAuthorization without networks admits from those of the cluster', () => {
  it('covers the table', () => assert.equal(clients.length, 7));
  for (const [title, meant, expected] of clients) {
    it(title, () => {
      const serverAuthorizations = [aServerAuthorization({ clients: meant })];
      assert.deepEqual(admitted(served({ serverAuthorizations })), expected);
    });
  }

  it('and with networks from those alone, for the clients that it names', () => {
    const networks = [network('192.0.2.0/24')];
    const anyone = aServerAuthorization({ networks });
    assert.deepEqual(admitted(served({ serverAuthorizations: [anyone] })), [
      'outside',
      'outside with a name',
    ]);
    const named = aServerAuthorization({
      networks,
      clients: { kind: 'identities', ...none, identities: [{ kind: 'suffix', parts: [] }] },
    });
    assert.deepEqual(admitted(served({ serverAuthorizations: [named] })), ['outside with a name']);
  });

  it('where no cluster networks are configured it grants nothing, and says so', () => {
    const situation = served({ serverAuthorizations: [aServerAuthorization()] }, { clusterNetworks: [] });
    assert.deepEqual(compileSituation(situation).server.authorizations, []);
    assert.deepEqual(findingsOf(situation), ['NoNetworks a']);
  });
});

const back = labelled({ tier: 'back' });
const untiered = {
  matchLabels: {},
  matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' as const }],
};
const servers: readonly (readonly [
  title: string,
  ServerAuthorizationSpec['server'],
  Situation['servers'],
  boolean,
])[] = [
  ['by its name', { kind: 'name', name: 'a' }, [aServer()], true],
  ['by the name of another', { kind: 'name', name: 'b' }, [aServer()], false],
  [
    'by the name of an overlapped one',
    { kind: 'name', name: 'b' },
    [aServer(), aServer({ name: 'b' })],
    false,
  ],
  ['by a label', { kind: 'labels', selector: back }, [aServer({ labels: { tier: 'back' } })], true],
  [
    'by a label that it has not',
    { kind: 'labels', selector: back },
    [aServer({ labels: { tier: 'x' } })],
    false,
  ],
  ['as all Servers', { kind: 'labels', selector: everything }, [aServer()], true],
  ['by the absence of a label', { kind: 'labels', selector: untiered }, [aServer()], true],
  [
    'by the absence of a label, when its labels cannot be read',
    { kind: 'labels', selector: untiered },
    [aServer({ unreadTexts: ['labels'] })],
    false,
  ],
  ['a rejected one by its name', { kind: 'name', name: 'a' }, [aRejected('Server')], false],
  ['none, where none governs', { kind: 'labels', selector: everything }, [], false],
];

describe('a ServerAuthorization is for the Server that governs the port', () => {
  it('covers the table', () => assert.equal(servers.length, 10));
  for (const [title, server, there, opens] of servers) {
    it(`${title}: ${opens ? 'it admits' : 'it admits nobody'}`, () => {
      const situation = served({ servers: there, serverAuthorizations: [aServerAuthorization({ server })] });
      assert.equal(verdictOf(situation, at('10.0.0.9')), opens ? 'allowed' : 'unauthorized');
    });
  }

  it('of its own namespace only', () => {
    const serverAuthorizations = [aServerAuthorization({ namespace: 'other' })];
    assert.deepEqual(admitted(served({ serverAuthorizations })), []);
  });

  it('and says where it grants nothing', () => {
    const bySelector = aServerAuthorization({ server: { kind: 'labels', selector: untiered } });
    const rows: readonly (readonly [Partial<Situation>, readonly string[]])[] = [
      [{ servers: [aRejected('Server', { name: 'b' })] }, ['Rejected b', 'TargetRejected a']],
      [{ servers: [aServer({ name: 'b', unreadTexts: ['labels'] })] }, ['InDoubt a']],
      [{ servers: [aServer({ name: 'b' })] }, []],
    ];
    for (const [said, findings] of rows) {
      assert.deepEqual(findingsOf(served({ serverAuthorizations: [bySelector], ...said })), findings);
    }
    assert.equal(rows.length, 3);
  });
});

describe('in a row', () => {
  it('it is named as Linkerd names it, behind AuthorizationPolicies', () => {
    const { server, contributions } = compileSituation(
      served({ serverAuthorizations: [aServerAuthorization({ name: 'old-way' })] }),
    );
    assert.deepEqual(
      server.authorizations.map(({ meta }) => meta),
      [
        {
          kind: 'resource',
          resource: { group: 'policy.linkerd.io', kind: 'serverauthorization', name: 'old-way' },
        },
      ],
    );
    assert.deepEqual(contributions.at(-1)?.object, {
      kind: 'ServerAuthorization',
      namespace: 'demo',
      name: 'old-way',
    });
  });

  it('the newest for which there are no steps left grant nothing', () => {
    const serverAuthorizations = [0, 1].map((createdAt) =>
      aServerAuthorization({ name: `n${createdAt}`, createdAt }),
    );
    const situation = served({ serverAuthorizations });
    const rowBudgets = { ...situation.cluster.rowBudgets, compileSteps: 40 };
    const short = { ...situation, cluster: { ...situation.cluster, rowBudgets } };
    assert.deepEqual(findingsOf(short), ['TooManySteps n1']);
    assert.equal(compileSituation(short).server.authorizations.length, 1);
  });

  it('a rejected one grants nothing', () => {
    assert.deepEqual(admitted(served({ serverAuthorizations: [aRejected('ServerAuthorization')] })), []);
  });
});
