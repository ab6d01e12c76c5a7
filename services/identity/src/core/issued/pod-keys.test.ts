import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PodKeys } from './pod-keys.ts';

/** Uses as `pod:key`, in turn; answers with what each was told, as the newer key and since when. */
const told = (uses: string, keys = new PodKeys()): readonly string[] =>
  uses.split(' ').map((use, at) => {
    const [podUid = '', spkiSha256 = ''] = use.split(':');
    const older = keys.note({ podUid, spkiSha256, at });
    return older === undefined ? '-' : `${older.newerSpkiSha256}@${older.newerSince}`;
  });

describe('the keys of pods', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['the first certificate is normal', 'p:a', ['-']],
    ['renewals with the same key are normal', 'p:a p:a p:a', ['-', '-', '-']],
    ['new keys after restarts of the container are normal', 'p:a p:b p:c p:c', ['-', '-', '-', '-']],
    ['the older key after the newer one is told, with the newer one', 'p:a p:b p:a', ['-', '-', 'b@1']],
    [
      'two that alternate are told at each use of the older one',
      'p:a p:b p:a p:b p:a',
      ['-', '-', 'b@1', '-', 'b@1'],
    ],
    ['a key older than two is told with the newest', 'p:a p:b p:c p:a p:b', ['-', '-', '-', 'c@2', 'c@2']],
    ['a pod made again has another uid and starts again', 'p:a p:b q:a', ['-', '-', '-']],
    ['pods do not mix', 'p:a q:b p:a q:b q:a', ['-', '-', '-', '-', '-']],
  ];
  it('are told from each other in 8 ways', () => assert.equal(cases.length, 8));
  for (const [title, uses, expected] of cases) it(title, () => assert.deepEqual(told(uses), expected));

  it('has what it learns of other replicas in the order of its use, however late it learns it', () => {
    const use = (spkiSha256: string, at: number) => ({ podUid: 'p', spkiSha256, at });
    const ordered = ['a', 'b', 'c'].map((key, at) => use(key, at * 10));
    const orders = fc.shuffledSubarray([...ordered, ...ordered], { minLength: 6 });
    fc.assert(
      fc.property(orders, fc.nat(3), (learned, own) => {
        const keys = new PodKeys();
        learned.slice(0, own).forEach((one) => void keys.learn(one));
        keys.learn(use('b', 10));
        learned.forEach((one) => void keys.learn(one));
        assert.deepEqual(keys.note(use('a', 40)), { newerSpkiSha256: 'c', newerSince: 20 });
        assert.equal(keys.note(use('c', 50)), undefined);
        assert.equal(keys.size, 3);
      }),
    );
  });

  it('takes a restart that it learns of late for none of today', () => {
    const keys = new PodKeys();
    keys.note({ podUid: 'p', spkiSha256: 'b', at: 20 });
    keys.learn({ podUid: 'p', spkiSha256: 'a', at: 10 });
    assert.equal(keys.note({ podUid: 'p', spkiSha256: 'b', at: 30 }), undefined);
    assert.ok(keys.note({ podUid: 'p', spkiSha256: 'a', at: 40 }));
  });

  it('forgets the oldest keys of a pod', () => {
    const bounds = { keysOfPod: 2, keys: 100 };
    // With the third key the first is forgotten: its return looks like a new one.
    assert.deepEqual(told('p:a p:b p:c p:a p:b', new PodKeys(bounds)), ['-', '-', '-', '-', '-']);
    assert.deepEqual(told('p:a p:b p:c p:b', new PodKeys(bounds)), ['-', '-', '-', 'c@2']);
  });

  it('forgets the pods not heard of for long, and none of the latest half', () => {
    const bounds = { keysOfPod: 2, keys: 8 };
    assert.equal(told('p:a p:b q:a r:a s:a p:a', new PodKeys(bounds)).at(-1), 'b@1');
    assert.equal(told('p:a p:b q:a r:a s:a p:b t:a u:a v:a p:a', new PodKeys(bounds)).at(-1), 'b@1');
    assert.equal(told('p:a p:b q:a r:a s:a t:a u:a v:a w:a x:a p:a', new PodKeys(bounds)).at(-1), '-');
  });

  it('tells exactly what a search through the whole history finds, and stays within its bounds', () => {
    const use = fc.record({
      podUid: fc.constantFrom('p', 'q', 'r'),
      spkiSha256: fc.constantFrom('a', 'b', 'c', 'd'),
    });
    fc.assert(
      fc.property(fc.array(use, { maxLength: 60 }), (uses) => {
        const unbounded = new PodKeys();
        const inTwoHands = new Set<string>();
        const tight = new PodKeys({ keysOfPod: 2, keys: 6 });
        uses.forEach((one, at) => {
          const before = uses.slice(0, at).filter(({ podUid }) => podUid === one.podUid);
          const seen = [...new Set(before.map(({ spkiSha256 }) => spkiSha256))];
          const newest = seen.at(-1);
          const isOlder = seen.includes(one.spkiSha256) && newest !== one.spkiSha256;
          const older = unbounded.note({ ...one, at });
          assert.equal(older?.newerSpkiSha256, isOlder ? newest : undefined);
          if (isOlder) inTwoHands.add(one.podUid);
          // A bounded memory may miss something, or tell of the wrong one of two keys; it never accuses a pod that has one.
          if (tight.note({ ...one, at }) !== undefined) assert.ok(inTwoHands.has(one.podUid));
          assert.ok(tight.size <= 6);
        });
      }),
      { numRuns: 500 },
    );
  });
});
