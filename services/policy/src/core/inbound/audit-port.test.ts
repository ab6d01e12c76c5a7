import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Authorization, Meta } from '@gatehouse/core/inbound/inbound-server';
import { everywhere, printNetwork } from '@gatehouse/core/ip-network';
import { portSet } from '@gatehouse/core/port-set';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import {
  aNetworkAuthenticationPolicy,
  aPod,
  aRateLimit,
  aRejected,
  aServer,
  labelled,
} from '@gatehouse/testing/builders';
import { aClusterConfig } from '../../../testing/a-cluster-config.ts';
import { compileSituation } from '../../../testing/compile-situation.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
import { network } from '../../../testing/random-policies.ts';
import { aSituation, backend } from '../../../testing/situation.ts';
import { enforcingAudits } from './audit-port.ts';
import type { CompiledPort } from './model.ts';
import { defaultRowBudgets } from './row-budgets.ts';

type Policy = KubeObject<'NetworkAuthenticationPolicy'>;

const audited = (said: Parameters<typeof aNetworkAuthenticationPolicy>[0] = {}): Policy =>
  aNetworkAuthenticationPolicy({ name: 'frontend', mode: 'Audit', ...said });

const onOpenPort = (policies: readonly Policy[], said: Partial<Situation> = {}): CompiledPort =>
  compileSituation(
    aSituation({
      cluster: aClusterConfig({ defaultPolicy: 'all-unauthenticated' }),
      networkAuthenticationPolicies: policies,
      ...said,
    }),
  );

const printMeta = (meta: Meta): string =>
  meta.kind === 'default'
    ? `default ${meta.name}`
    : `${meta.resource.group}/${meta.resource.kind}/${meta.resource.name}`;

/** An authorization in a line: its labels, who, from where. */
const printed = ({ meta, authentication, networks }: Authorization): string => {
  const who =
    authentication.kind === 'identities'
      ? [
          ...authentication.identities.map(({ name }) => name.split('.', 2).join('.')),
          ...authentication.suffixes.map((parts) => ['*', ...parts].join('.')),
        ].join(' ')
      : authentication.kind;
  const from =
    networks === everywhere ? 'everywhere' : networks.map(({ net }) => printNetwork(net)).join(' ');
  return `${printMeta(meta)}: ${who} from ${from}`;
};

const authorizationsOf = ({ server }: CompiledPort): readonly string[] => server.authorizations.map(printed);

const nap = 'policy.linkerd.io/networkauthenticationpolicy';
const clusterNetworks = [network('10.0.0.0/30'), network('192.168.0.0/16')];

describe('a port whose default policy admits some clients', () => {
  const tables: readonly (readonly [
    what: string,
    defaultPolicy: Situation['cluster']['defaultPolicy'],
    policies: readonly Policy[],
    rows: readonly string[],
  ])[] = [
    [
      'one policy is told by its name',
      'all-unauthenticated',
      [audited()],
      [
        `${nap}/frontend: default.demo from 10.0.0.1/32`,
        `${nap}-audit/frontend: unauthenticated from everywhere`,
      ],
    ],
    [
      'several come oldest first, and what none admits is `audit`',
      'all-unauthenticated',
      [
        audited({ name: 'young', createdAt: 2, sources: [{ networks: [network('192.0.2.0/24')] }] }),
        audited({ name: 'old', createdAt: 1 }),
      ],
      [
        `${nap}/old: default.demo from 10.0.0.1/32`,
        `${nap}/young: unauthenticated from 192.0.2.0/24`,
        'default audit: unauthenticated from everywhere',
      ],
    ],
    [
      'whom the default asks for an identity, the policy does too',
      'all-authenticated',
      [audited({ sources: [{ networks: [network('192.0.2.0/24')] }] })],
      [`${nap}/frontend: * from 192.0.2.0/24`, `${nap}-audit/frontend: * from everywhere`],
    ],
    [
      'the networks of the cluster bound those of the policy',
      'cluster-unauthenticated',
      [audited({ sources: [{ networks: [network('10.0.0.0/8'), network('203.0.113.0/24')] }] })],
      [
        `${nap}/frontend: unauthenticated from 10.0.0.0/30`,
        `${nap}-audit/frontend: unauthenticated from 10.0.0.0/30 192.168.0.0/16`,
      ],
    ],
    [
      'whom the default does not admit, no policy is told to',
      'cluster-authenticated',
      [audited({ sources: [{ networks: [network('203.0.113.0/24')] }, { identities: [] }] })],
      [`${nap}-audit/frontend: * from 10.0.0.0/30 192.168.0.0/16`],
    ],
    [
      'the default `audit` gives its label to the policy',
      'audit',
      [audited()],
      [
        `${nap}/frontend: default.demo from 10.0.0.1/32`,
        `${nap}-audit/frontend: unauthenticated from everywhere`,
      ],
    ],
    [
      'a policy with rules adds no route, and admits nobody to all requests',
      'all-unauthenticated',
      [audited({ rules: [{ methods: ['GET'] }] })],
      [`${nap}-audit/frontend: unauthenticated from everywhere`],
    ],
    [
      'a policy with rules counts among those that select the port',
      'all-unauthenticated',
      [audited({ name: 'rules', rules: [{ methods: ['GET'] }] }), audited()],
      [`${nap}/frontend: default.demo from 10.0.0.1/32`, 'default audit: unauthenticated from everywhere'],
    ],
  ];
  for (const [what, defaultPolicy, policies, rows] of tables) {
    it(what, () => {
      const cluster = aClusterConfig({ defaultPolicy, clusterNetworks });
      const compiled = onOpenPort(policies, { cluster });
      assert.deepEqual(authorizationsOf(compiled), rows);
      assert.deepEqual(compiled.server.meta, { kind: 'default', name: defaultPolicy });
      const without = onOpenPort([], { cluster });
      assert.deepEqual(compiled.server.protocol, without.server.protocol);
      const rules = policies.some(({ spec }) => 'rules' in spec && spec.rules !== undefined);
      assert.equal(compiled.audit?.counting.kind, rules ? 'upper-bound' : 'exact');
    });
  }
  it('covers the table', () => assert.equal(tables.length, 8));
});

describe('nothing is counted, and the row is as without Audit policies, where', () => {
  const probed = aPod({
    ...backend.meta,
    ...backend.spec,
    probes: [{ kind: 'http', port: 8080, path: '/live' }],
  });
  const tables: readonly (readonly [what: string, why: string, said: Partial<Situation>])[] = [
    ['a Server governs the port', 'server', { servers: [aServer({ accessPolicy: 'all-unauthenticated' })] }],
    [
      'a Server with a rate limit governs it',
      'server',
      { servers: [aServer({ accessPolicy: 'audit' })], rateLimits: [aRateLimit()] },
    ],
    ['the default is deny', 'closed', { cluster: aClusterConfig() }],
    ['the default is deny, and probes are open', 'closed', { cluster: aClusterConfig(), target: probed }],
    [
      'the default admits the networks of the cluster, and there are none',
      'closed',
      { cluster: aClusterConfig({ defaultPolicy: 'cluster-unauthenticated' }) },
    ],
    [
      'another policy is enforced',
      'closed',
      { networkAuthenticationPolicies: [audited(), aNetworkAuthenticationPolicy({ name: 'enforced' })] },
    ],
    [
      'another policy is rejected',
      'closed',
      {
        networkAuthenticationPolicies: [
          audited(),
          aRejected('NetworkAuthenticationPolicy', {
            closes: { selector: labelled({ app: 'backend' }), ports: 'all' },
          }),
        ],
      },
    ],
    ['a manifest that may hold anything was never read', 'closed', { unreadableManifests: 'some' }],
    [
      'the row has no room',
      'too-many-steps',
      {
        // Enough for what the policy grants, and not for writing it as well.
        cluster: aClusterConfig({
          defaultPolicy: 'all-unauthenticated',
          rowBudgets: { ...defaultRowBudgets, compileSteps: 60 },
        }),
      },
    ],
  ];
  for (const [what, why, said] of tables) {
    it(what, () => {
      const policies = said.networkAuthenticationPolicies ?? [audited()];
      const compiled = onOpenPort(policies, said);
      const without = onOpenPort([], {
        ...said,
        networkAuthenticationPolicies: policies.filter(
          (one) => !('mode' in one.spec && one.spec.mode === 'Audit'),
        ),
      });
      assert.deepEqual(compiled.server, without.server);
      assert.deepEqual(compiled.audit?.counting, { kind: 'none', why });
      assert.deepEqual(
        compiled.audit?.policies.map(({ name }) => name),
        ['frontend'],
      );
    });
  }
  it('covers the table', () => assert.equal(tables.length, 9));
});

it('no Audit policy, or none that selects the port, leaves nothing to tell', () => {
  assert.equal(onOpenPort([]).audit, undefined);
  assert.equal(onOpenPort([audited({ ports: [{ kind: 'range', first: 1, last: 99 }] })]).audit, undefined);
  assert.equal(onOpenPort([audited({ target: labelled({ app: 'elsewhere' }) })]).audit, undefined);
  // `ports: all` does not mean the proxy's own.
  assert.equal(onOpenPort([audited({ ports: 'all' })], { port: 4191 }).audit, undefined);
  // What a rejected policy with `mode: Audit` still names is nothing.
  const rejected = aRejected('NetworkAuthenticationPolicy', {
    closes: { selector: labelled({ app: 'backend' }), ports: [] },
  });
  assert.deepEqual(onOpenPort([rejected]), onOpenPort([]));
  assert.deepEqual(
    authorizationsOf(onOpenPort([rejected, audited()])),
    authorizationsOf(onOpenPort([audited()])),
  );
});

it('an opaque port counts connections', () => {
  const compiled = onOpenPort([audited()], {
    cluster: aClusterConfig({
      defaultPolicy: 'all-unauthenticated',
      defaultOpaquePorts: portSet([{ first: 8080, last: 8080 }]),
    }),
  });
  assert.deepEqual(compiled.server.protocol, { kind: 'opaque' });
  assert.equal(authorizationsOf(compiled).length, 2);
});

it('enforcing Audit policies makes the row that they would give, and leaves what is rejected as it is', () => {
  const rejected = aRejected('NetworkAuthenticationPolicy', { name: 'r' });
  const policy = (object: Policy) => ({ object, sources: [] });
  const input = { policies: { networkAuthenticationPolicies: [policy(audited()), policy(rejected)] } };
  const { policies } = enforcingAudits(input as never);
  assert.deepEqual(policies.networkAuthenticationPolicies, [
    policy(audited({ mode: 'Enforce' })),
    policy(rejected),
  ]);
});
