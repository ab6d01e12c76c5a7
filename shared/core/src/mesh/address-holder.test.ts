import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aPod, aService } from '@gatehouse/testing/builders';
import type { KubeObject } from '../resources/kinds.ts';
import { type AddressHolder, addressHolder, hostPortHolder, serviceHolder } from './address-holder.ts';

type Pod = KubeObject<'Pod'>;
type Said = NonNullable<Parameters<typeof aPod>[0]>;

const pod = (name: string, said: Said = {}): Pod => aPod({ name, ips: ['10.0.0.1'], ...said });

/** `pod a`, `contested a b`, `node` or `nobody`. */
const print = (holder: AddressHolder): string => {
  switch (holder.kind) {
    case 'pod':
      return `pod ${holder.pod.meta.name}`;
    case 'contested':
      return ['contested', ...holder.claimants.map(({ meta }) => meta.name)].join(' ');
    default:
      return holder.kind;
  }
};

/** Whatever the order in which the pods are found. */
const holderOf = (pods: readonly Pod[]): string => {
  const found = new Set([pods, [...pods].reverse()].map((each) => print(addressHolder(each))));
  assert.equal(found.size, 1, [...found].join(', '));
  return [...found].join();
};

const early = { startedAt: 1_000 };
const late = { startedAt: 2_000 };
const terminating = { deletedAt: 5_000 };
const ended = { phase: 'Succeeded', ready: false } as const;
const onHost = { hostNetwork: true };

describe('an address is held', () => {
  const rows: readonly (readonly [string, readonly Pod[], string])[] = [
    ['by nobody when no pod has it', [], 'nobody'],
    ['by the only pod that has it', [pod('a')], 'pod a'],
    ['by a pod that is terminating and alone: draining pods call', [pod('a', terminating)], 'pod a'],
    ['by a pod that is not ready, or still pending', [pod('a', { phase: 'Pending', ready: false })], 'pod a'],
    ['not by a pod that has succeeded', [pod('a', ended)], 'nobody'],
    ['not by a pod that has failed', [pod('a', { phase: 'Failed' })], 'nobody'],
    ['not by a pod whose containers have all ended', [pod('a', { terminated: true })], 'nobody'],

    [
      'by the one that runs, though the ended one was created later',
      [pod('a'), pod('b', { ...ended, createdAt: 9 })],
      'pod a',
    ],
    [
      'by the one that runs, though the ended one was started later',
      [pod('a', early), pod('b', { ...ended, ...late })],
      'pod a',
    ],
    ['by the one that was started last', [pod('a', early), pod('b', late)], 'pod b'],
    [
      'by the one that was started last, though created first',
      [pod('a', { ...early, createdAt: 9 }), pod('b', late)],
      'pod b',
    ],
    [
      'by the one that was started last, though it is not meshed',
      [pod('a', early), pod('b', { ...late, meshed: false })],
      'pod b',
    ],
    ['by the last of three', [pod('a', early), pod('b', { startedAt: 3_000 }), pod('c', late)], 'pod b'],
    [
      'not by one that is terminating beside one that is not',
      [pod('a', { ...late, ...terminating }), pod('b', early)],
      'pod b',
    ],
    ['by the one that stays, though nobody knows its start', [pod('a', terminating), pod('b')], 'pod b'],
    [
      'by the one that was started last of those that all terminate',
      [pod('a', { ...early, ...terminating }), pod('b', { ...late, ...terminating })],
      'pod b',
    ],

    ['by none of two that were started at one time', [pod('b', early), pod('a', early)], 'contested a b'],
    [
      'by none when two of three were started last',
      [pod('a', early), pod('b', late), pod('c', late)],
      'contested a b c',
    ],
    ['by none when one start is not known', [pod('a', late), pod('b')], 'contested a b'],
    [
      'by none when no start is known',
      [pod('a', { createdAt: 1 }), pod('b', { createdAt: 2 })],
      'contested a b',
    ],
    [
      'by none of two that terminate and have no known start',
      [pod('a', terminating), pod('b', terminating)],
      'contested a b',
    ],

    ['by the node whose network pods have', [pod('a', onHost), pod('b', onHost)], 'node'],
    ['by none of a pod and one on its host network', [pod('a', late), pod('b', onHost)], 'contested a b'],
    [
      'by the pod after one on its host network has ended',
      [pod('a'), pod('b', { ...onHost, ...ended })],
      'pod a',
    ],
  ];
  it('covers the table', () => assert.equal(rows.length, 24));
  for (const [title, pods, expected] of rows) it(title, () => assert.equal(holderOf(pods), expected));
});

describe("a node's port is held", () => {
  const mapping = (hostPort: number, said: Said = {}) => ({
    ports: [{ name: '', port: 8080, hostPort }],
    ...said,
  });
  const rows: readonly (readonly [string, readonly Pod[], string])[] = [
    ['by nobody when no pod maps it', [pod('a', mapping(80)), pod('b')], 'nobody'],
    ['by the pod that maps it', [pod('a', mapping(8080)), pod('b', mapping(80))], 'pod a'],
    ['by a pod on its host network that declares it', [pod('a', mapping(8080, onHost))], 'pod a'],
    ['not by one that has ended', [pod('a', mapping(8080, ended))], 'nobody'],
    ['by the one that stays', [pod('a', mapping(8080, terminating)), pod('b', mapping(8080))], 'pod b'],
    [
      'by the one that was started last',
      [pod('a', mapping(8080, late)), pod('b', mapping(8080, early))],
      'pod a',
    ],
    ['by none when nothing tells', [pod('a', mapping(8080)), pod('b', mapping(8080))], 'contested a b'],
  ];
  it('covers the table', () => assert.equal(rows.length, 7));
  for (const [title, pods, expected] of rows) {
    it(title, () => assert.equal(print(hostPortHolder(pods, 8080)), expected));
  }
});

describe('a cluster IP is answered', () => {
  const service = (name: string, createdAt = 0, namespace = 'demo') =>
    aService({ name, createdAt, namespace });
  const rows: readonly (readonly [string, readonly KubeObject<'Service'>[], string | undefined])[] = [
    ['by nobody', [], undefined],
    ['by the only Service that has it', [service('a')], 'demo/a'],
    [
      'by the oldest, so that a newcomer takes no clients away',
      [service('a', 2), service('z', 1, 'zoo')],
      'zoo/z',
    ],
    ['of equally old ones by the first namespace', [service('a', 1, 'zoo'), service('b', 1)], 'demo/b'],
    ['in one namespace by the first name', [service('b', 1), service('a', 1)], 'demo/a'],
  ];
  it('covers the table', () => assert.equal(rows.length, 5));
  for (const [title, services, expected] of rows) {
    it(title, () => {
      for (const each of [services, [...services].reverse()]) {
        const holder = serviceHolder(each);
        assert.equal(holder && `${holder.meta.namespace}/${holder.meta.name}`, expected);
      }
    });
  }
});
