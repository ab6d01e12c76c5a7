import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import { aTokenSigner, type TokenSigner } from '../../../testing/token-builder.ts';
import type { KeySource, PublishedKeys } from './key-source.ts';
import { TokenKeys } from './token-keys.ts';

const start = 1_780_000_000_000;
const first = aTokenSigner('ES256', 'first');
const second = aTokenSigner('ES256', 'second');

const setOf = (...signers: readonly TokenSigner[]): PublishedKeys => ({
  issuer: 'https://issuer',
  set: { keys: signers.map(({ jwk }) => jwk) },
});

/** Keys on clocks and a source that the test holds. */
const held = (test: TestContext, { maxStalenessMs = 90_000 } = {}) => {
  test.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: start });
  let answer: () => Promise<PublishedKeys> = async () => setOf(first);
  let reads = 0;
  const source: KeySource = {
    name: 'the test',
    read: (signal) => {
      reads += 1;
      const late = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
      return Promise.race([answer(), late]);
    },
  };
  const log = new RecordingLog();
  let ahead = 0;
  const keys = new TokenKeys({
    source,
    maxStalenessMs,
    log,
    now: () => Date.now() + ahead,
    elapsed: Date.now,
  });
  return {
    keys,
    log,
    reads: () => reads,
    publish: (...signers: readonly TokenSigner[]) => {
      answer = async () => setOf(...signers);
    },
    say: (next: () => Promise<PublishedKeys>) => {
      answer = next;
    },
    setClock: (byMs: number) => {
      ahead += byMs;
    },
    ids: () => [...(keys.current?.keys.keys() ?? [])],
    pass: async (ms: number): Promise<void> => {
      // What has been answered by now came in time.
      await new Promise((resolve) => setImmediate(resolve));
      test.mock.timers.tick(ms);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
};

describe('the keys of tokens', () => {
  it('are none before they were read, and readiness says so', async (test) => {
    const { keys, say, pass } = held(test);
    assert.deepEqual([keys.current, keys.readAt], [undefined, undefined]);
    assert.equal(keys.notReady(), 'the keys of tokens were not read yet');
    say(() => Promise.reject(new Error('no cluster')));
    await keys.refresh();
    assert.equal(keys.notReady(), 'the keys of tokens were not read yet: no cluster');
    say(async () => setOf(first));
    await pass(10_000);
    await keys.refresh();
    assert.equal(keys.notReady(), undefined);
    assert.equal(keys.current?.issuer, 'https://issuer');
    assert.equal(keys.readAt, start + 10_000);
  });

  it('are read at most every 10 s, however often they are asked for, and once for all who ask', async (test) => {
    const { keys, reads, pass } = held(test);
    await Promise.all(Array.from({ length: 100 }, () => keys.refresh()));
    await keys.refresh();
    await pass(9_999);
    await keys.refresh();
    assert.equal(reads(), 1);
    await pass(1);
    await keys.refresh();
    assert.equal(reads(), 2);
  });

  it('that the issuer no longer shows are dropped', async (test) => {
    const { keys, publish, ids, pass } = held(test);
    await keys.refresh();
    publish(first, second);
    await pass(10_000);
    await keys.refresh();
    assert.deepEqual(ids(), ['first', 'second']);
    publish(second);
    await pass(10_000);
    await keys.refresh();
    assert.deepEqual(ids(), ['second']);
  });

  it('are read every minute without anybody asking, and every 10 s while that fails', async (test) => {
    const { keys, reads, publish, say, ids, pass } = held(test);
    await keys.refresh();
    const end = new AbortController();
    const running = keys.run(end.signal);
    publish(second);
    await pass(59_999);
    assert.equal(reads(), 1);
    await pass(1);
    assert.deepEqual(ids(), ['second']);
    say(() => Promise.reject(new Error('away')));
    await pass(60_000);
    await pass(10_000);
    await pass(10_000);
    assert.equal(reads(), 5);
    publish(first);
    await pass(10_000);
    assert.deepEqual(ids(), ['first']);
    end.abort();
    await running;
    assert.equal(reads(), 6);
  });

  const broken: readonly (readonly [string, () => Promise<unknown>, RegExp])[] = [
    ['cannot be had', () => Promise.reject(new Error('away')), /away/],
    ['are no set', async () => ({ issuer: 'https://issuer', set: 'text' }), /not a JSON Web Key Set/],
    ['are empty', async () => ({ issuer: 'https://issuer', set: { keys: [] } }), /holds no key/],
    ['do not come', () => new Promise(() => {}), /no answer within 5 s/],
  ];
  it('knows 4 ways to fail', () => assert.equal(broken.length, 4));
  for (const [title, answer, why] of broken) {
    it(`stay as they were when new ones ${title}, for an hour, and say so once`, async (test) => {
      const { keys, log, say, ids, pass } = held(test);
      await keys.refresh();
      say(answer as () => Promise<PublishedKeys>);
      await pass(10_000);
      for (let tries = 0; tries < 3; tries += 1) {
        const refreshed = keys.refresh();
        await pass(5_000);
        await refreshed;
        await pass(5_000);
      }
      assert.deepEqual(ids(), ['first']);
      assert.match(keys.failure ?? '', why);
      const until = new Date(start + 3_600_000).toISOString();
      assert.deepEqual(log.lines('warn'), [
        `the token keys cannot be read: the old ones stay in use until ${until}`,
      ]);
      await pass(start + 3_600_000 - Date.now());
      assert.deepEqual(ids(), ['first']);
      await pass(1);
      assert.equal(keys.current, undefined);
      assert.equal(keys.notReady(), undefined, 'readiness once had is kept');
    });
  }

  it('stay for as long as the watch is believed, where that is longer than an hour', async (test) => {
    const { keys, pass } = held(test, { maxStalenessMs: 7_200_000 });
    await keys.refresh();
    await pass(7_200_000);
    assert.ok(keys.current);
    await pass(1);
    assert.equal(keys.current, undefined);
  });

  it('grow old and are read by time that has passed, wherever the wall clock is set', async (test) => {
    const { keys, reads, ids, pass, setClock } = held(test);
    await keys.refresh();
    setClock(86_400_000);
    assert.deepEqual(ids(), ['first'], 'a clock that jumps forward makes them no older');
    setClock(-2 * 86_400_000);
    await pass(10_000);
    await keys.refresh();
    assert.equal(reads(), 2, 'nor does one that is set back keep a new key unknown');
    await pass(3_600_001);
    assert.equal(keys.current, undefined);
  });

  it('that can be read again are as good as new', async (test) => {
    const { keys, say, pass } = held(test);
    await keys.refresh();
    say(() => Promise.reject(new Error('away')));
    await pass(10_000);
    await keys.refresh();
    say(async () => setOf(first));
    await pass(10_000);
    await keys.refresh();
    assert.equal(keys.failure, undefined);
    await pass(3_600_000);
    assert.ok(keys.current);
  });
});
