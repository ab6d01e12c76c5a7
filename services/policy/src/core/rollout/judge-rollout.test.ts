import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { aNamespace, aNetworkAuthenticationPolicy, aPod } from '@gatehouse/testing/builders';
import { JudgedMesh } from '../../../testing/judged-mesh.ts';
import { countsFor, judgeRollout, type PortWatch } from './judge-rollout.ts';
import { printRollout } from './print-rollout.ts';
import { type ReachedWorkload, reachWorkloads } from './reached-workloads.ts';

const policy = aNetworkAuthenticationPolicy();
const ports = [{ name: 'http', port: 8080 }];
const pod = (number: number, fields = {}) =>
  aPod({
    name: `backend-${number}`,
    labels: { app: 'backend' },
    ips: [`10.0.0.${number}`],
    ports,
    ...fields,
  });

const watchOf = (number: number, fields: Partial<PortWatch> = {}): PortWatch => ({
  replica: 'policy-0',
  kind: 'Pod',
  namespace: 'demo',
  name: `backend-${number}`,
  port: 8080,
  address: `10.0.0.${number}`,
  identity: null,
  openedAt: 0,
  sentAt: 0,
  version: 'new',
  deliveredVersion: 'new',
  pending: 'nothing',
  ...fields,
});

/** What comes of a policy on these pods, whose proxies hold these streams. */
const judged = (
  pods: readonly ReturnType<typeof pod>[],
  watches: readonly PortWatch[],
  { isPartial = false }: { readonly isPartial?: boolean } = {},
) => {
  const { index, options } = new JudgedMesh().put(aNamespace(), policy, ...pods);
  const reached = new Map<string, ReachedWorkload>();
  reachWorkloads(reached, policy, { index, mesh: options.cluster.mesh });
  const rollout = judgeRollout({
    workloads: [...reached.values()],
    watchesOf: ({ target }) =>
      watches.filter(
        ({ name, ...watch }) => name === target.meta.name && countsFor(watch, { target, identity: null }),
      ),
    wanted: () => 'new',
    isPartial,
  });
  const said = [
    `${rollout.state} ${rollout.programmed}/${rollout.watching}`,
    ...rollout.laggards.map(({ watch, reason }) => `${watch.name} ${watch.replica} ${reason}`),
    ...rollout.absent.map(({ target, reason }) => `${target.meta.name} ${reason}`),
  ];
  return { said, text: printRollout(rollout, { isDeleted: false, judgement: undefined }) };
};

type Case = readonly [
  string,
  readonly [number, object?][],
  readonly PortWatch[],
  readonly string[],
  'partial'?,
];

const cases: readonly Case[] = [
  ['all have read what is in force', [[1], [2]], [watchOf(1), watchOf(2)], ['Programmed 2/2']],
  [
    'one has read what was in force before',
    [[1], [2]],
    [watchOf(1), watchOf(2, { version: 'old', deliveredVersion: 'old' })],
    ['InProgress 1/2', 'backend-2 policy-0 NotSent'],
  ],
  [
    'one was sent it and does not read',
    [[1]],
    [watchOf(1, { deliveredVersion: 'old', pending: 'unread' })],
    ['InProgress 0/1', 'backend-1 policy-0 NotRead'],
  ],
  [
    'one was sent it and has not answered since',
    [[1]],
    [watchOf(1, { deliveredVersion: null, pending: 'unanswered' })],
    ['InProgress 0/1', 'backend-1 policy-0 NotAnswered'],
  ],
  [
    'a second stream of the same proxy lags, as after a connection that died without a word',
    [[1]],
    [watchOf(1), watchOf(1, { replica: 'policy-1', deliveredVersion: 'old', version: 'old' })],
    ['InProgress 0/1', 'backend-1 policy-1 NotSent'],
  ],
  [
    'a client elsewhere claims to be the pod',
    [[1]],
    [watchOf(1, { address: '10.9.9.9' })],
    ['Unknown 0/0', 'backend-1 NotConnected'],
  ],
  [
    'another port is watched alone',
    [[1]],
    [watchOf(1, { port: 9000 })],
    ['Unknown 0/0', 'backend-1 NotConnected'],
  ],
  ['nobody declares the port', [[1, { ports: [] }]], [], ['NothingToProgram 0/0', 'backend-1 Idle']],
  ['the pod is starting', [[1, { phase: 'Pending' }]], [], ['NothingToProgram 0/0', 'backend-1 Idle']],
  ['the pod is going', [[1], [2, { deletedAt: 1 }]], [watchOf(1)], ['Programmed 1/1', 'backend-2 Idle']],
  ['no proxy of this mesh is there', [[1, { meshed: false }]], [], ['NothingToProgram 0/0']],
  ['a replica could not be asked', [[1], [2]], [watchOf(1)], ['Unknown 1/1', 'backend-2 Unknown'], 'partial'],
  [
    'a replica could not be asked, and all are found on others',
    [[1]],
    [watchOf(1)],
    ['Programmed 1/1'],
    'partial',
  ],
  [
    'one lags while another is unknown',
    [[1], [2]],
    [watchOf(1, { deliveredVersion: 'old' })],
    ['InProgress 0/1', 'backend-1 policy-0 NotAnswered', 'backend-2 Unknown'],
    'partial',
  ],
];

suite('a rollout where', () => {
  for (const [name, pods, watches, expected, partial] of cases) {
    test(`${name}: ${expected[0]}`, () => {
      const found = judged(
        pods.map(([number, fields]) => pod(number, fields)),
        watches,
        { isPartial: partial !== undefined },
      );
      assert.deepEqual(found.said, expected);
    });
  }
  test('there are 14 cases', () => assert.equal(cases.length, 14));
});

test('a stream counts by an address of the pod, or by its identity, and never by the name it says', () => {
  const target = pod(1);
  const identity = 'default.demo.serviceaccount.identity.gatehouse.cluster.local';
  const counts = (address: string, shown: string | null) =>
    countsFor({ address, identity: shown }, { target, identity });
  assert.deepEqual(
    [
      counts('10.0.0.1', null),
      counts('10.9.9.9', identity),
      counts('10.9.9.9', null),
      counts('10.9.9.9', 'other'),
    ],
    [true, true, false, false],
  );
  assert.equal(countsFor({ address: '10.9.9.9', identity: null }, { target, identity: null }), false);
});

test('a rollout is said in sentences that name who lacks it', () => {
  const texts = [
    judged([pod(1)], [watchOf(1)]),
    judged([pod(1), pod(2)], [watchOf(1), watchOf(2, { deliveredVersion: 'old' })]),
    judged([pod(1), pod(2)], [watchOf(1)], { isPartial: true }),
    judged([pod(1), pod(2)], []),
    judged([pod(1, { ports: [] })], []),
    judged([], []),
  ].map(({ text }) => text);
  assert.deepEqual(texts, [
    'In force on 1 of 1 proxy.',
    'In force on 1 of 2 proxies: backend-2 has not confirmed it.',
    'In force on 1 of 1 proxy. Of backend-2 it is not known: a replica could not be asked.',
    'It is not known on how many proxies it is in force. Of backend-1, backend-2 it is not known: no replica has a connection for its port.',
    'No proxy watches a port that it is for: backend-1 asks before the first connection is admitted.',
    'There is no proxy on which it could be in force.',
  ]);
});
