import assert from 'node:assert/strict';
import test from 'node:test';
import { identityOf } from '@gatehouse/core/mesh/workload-identity';
import fc from 'fast-check';
import type { Snapshot } from '../snapshot.ts';
import { type Message, nextStep, type Sent } from './diff.ts';
import { type Address, asSeen, zoneLocalities } from './endpoint.ts';

/** What a proxy makes of the messages of one stream (`contract/proxy.md` §1.3). */
class ProxyModel {
  readonly pool: Map<string, Address>;
  #isFirst = true;

  /** `left` is what an earlier stream left in the pool. */
  constructor(left: ReadonlyMap<string, Address>) {
    this.pool = new Map(left);
  }

  take(message: Message): void {
    switch (message.kind) {
      case 'add':
        if (message.addresses.length === 0) return;
        if (this.#isFirst) this.pool.clear();
        for (const address of message.addresses) this.pool.set(keyOf(address), address);
        break;
      case 'remove':
        // A debug build of the proxy panics on this.
        assert.equal(this.#isFirst, false, 'a stream may not begin with a remove');
        for (const address of message.addresses) this.pool.delete(keyOf(address));
        break;
      case 'no-endpoints':
        this.pool.clear();
        break;
    }
    this.#isFirst = false;
  }
}

const keyOf = ({ shown }: Address): string => `${shown.ip}:${shown.port}`;

const anIdentity = identityOf(
  { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
  'demo',
  'default',
);

/** One address in every way it may be shown: by identity and by locality. */
const variants = (ip: string): readonly Address[] =>
  [undefined, anIdentity].flatMap((identity) => {
    const seenAs = asSeen({ ip, port: 80, labels: {}, identity, hint: undefined });
    return zoneLocalities.map((locality) => seenAs[locality]);
  });

const universe = Array.from({ length: 12 }, (_, index) => variants(`10.0.0.${index}`));

const addresses = fc
  .tuple(...universe.map((ways) => fc.option(fc.constantFrom(...ways), { nil: undefined })))
  .map(
    (chosen) => new Map(chosen.flatMap((address) => (address ? [[keyOf(address), address] as const] : []))),
  );

const snapshot: fc.Arbitrary<Snapshot> = fc.oneof(
  { weight: 6, arbitrary: addresses.map((map): Snapshot => ({ kind: 'addresses', addresses: map })) },
  { weight: 1, arbitrary: fc.constant<Snapshot>({ kind: 'missing' }) },
  { weight: 1, arbitrary: fc.constant<Snapshot>({ kind: 'addresses', addresses: new Map() }) },
);

/** Small enough that most sets take several messages. */
const limit = { bytes: 300, weigh: () => 100 };

const pool = (of: Snapshot): ReadonlyMap<string, Address> =>
  of.kind === 'missing' ? new Map() : of.addresses;

test('whatever was skipped or cut short, a proxy that is sent what is left knows the newest set and nothing else', () => {
  fc.assert(
    fc.property(
      addresses,
      // Each world with how many messages the client takes before the next world replaces it.
      fc.array(fc.tuple(snapshot, fc.nat(4)), { minLength: 1, maxLength: 8 }),
      (left, worlds) => {
        const proxy = new ProxyModel(left);
        let sent: Sent = 'nothing';
        const take = (newest: Snapshot, most: number): void => {
          for (let taken = 0; taken < most; taken += 1) {
            const step = nextStep(sent, newest, limit);
            if (step === undefined) return;
            proxy.take(step.message);
            sent = step.reached;
            assert.deepEqual(proxy.pool, pool(step.reached));
          }
        };
        for (const [world, most] of worlds) take(world, most);
        const [newest] = worlds.at(-1) ?? assert.fail();
        take(newest, 100);
        assert.equal(nextStep(sent, newest, limit), undefined);
        assert.deepEqual(proxy.pool, pool(newest));
      },
    ),
  );
});

test('only what the proxy would see differently is sent', () => {
  fc.assert(
    fc.property(addresses, addresses, (before, after) => {
      const roomy = { bytes: 10_000, weigh: () => 1 };
      const newest: Snapshot = { kind: 'addresses', addresses: after };
      let sent: Sent = { kind: 'addresses', addresses: before };
      const messages: Message[] = [];
      for (
        let step = nextStep(sent, newest, roomy);
        step !== undefined;
        step = nextStep(sent, newest, roomy)
      ) {
        messages.push(step.message);
        sent = step.reached;
      }
      const added = [...after].filter(([key, address]) => before.get(key) !== address);
      const removed = [...before].filter(([key]) => !after.has(key));
      const expected: Message[] = [];
      if (after.size === 0 && before.size > 0) expected.push({ kind: 'no-endpoints', exists: true });
      if (after.size > 0 && added.length > 0)
        expected.push({ kind: 'add', addresses: added.map(([, a]) => a) });
      if (after.size > 0 && removed.length > 0)
        expected.push({ kind: 'remove', addresses: removed.map(([, a]) => a) });
      assert.deepEqual(messages, expected);
    }),
  );
});

const some = new Map([['10.0.0.0:80', universe[0]?.[0] ?? assert.fail()]]);

const openings: readonly (readonly [string, Sent, Snapshot, Message | undefined])[] = [
  [
    'an empty Service is said to exist',
    'nothing',
    { kind: 'addresses', addresses: new Map() },
    { kind: 'no-endpoints', exists: true },
  ],
  [
    'an unknown Service is said to be none',
    'nothing',
    { kind: 'missing' },
    { kind: 'no-endpoints', exists: false },
  ],
  [
    'a deleted Service is said to be none',
    { kind: 'addresses', addresses: some },
    { kind: 'missing' },
    { kind: 'no-endpoints', exists: false },
  ],
  [
    'a Service that is made without endpoints is said to exist',
    { kind: 'missing' },
    { kind: 'addresses', addresses: new Map() },
    { kind: 'no-endpoints', exists: true },
  ],
  [
    'a Service that stays unknown is not mentioned again',
    { kind: 'missing' },
    { kind: 'missing' },
    undefined,
  ],
  [
    'a Service that stays empty is not mentioned again',
    { kind: 'addresses', addresses: new Map() },
    { kind: 'addresses', addresses: new Map() },
    undefined,
  ],
];

test('a Service without endpoints is told from one that does not exist', () => {
  assert.equal(openings.length, 6);
  for (const [says, sent, newest, message] of openings) {
    assert.deepEqual(nextStep(sent, newest, limit)?.message, message, says);
  }
});

test('an address that is larger than a message may be is sent alone', () => {
  const newest: Snapshot = { kind: 'addresses', addresses: new Map([...some, ...variantsAt(1)]) };
  const step = nextStep('nothing', newest, { bytes: 10, weigh: () => 100 });
  assert.deepEqual(step?.message, { kind: 'add', addresses: [...some.values()] });
});

const variantsAt = (index: number): readonly (readonly [string, Address])[] => {
  const address = universe[index]?.[0] ?? assert.fail();
  return [[keyOf(address), address]];
};
