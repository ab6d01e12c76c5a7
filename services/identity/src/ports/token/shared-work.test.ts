import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedWork } from './shared-work.ts';

const signalOf = (controller = new AbortController()): AbortSignal => controller.signal;

describe('shared work', () => {
  it('is done once for all who wait for it, and again for who comes later', async () => {
    const work = new SharedWork<number>();
    let count = 0;
    const begin = async (): Promise<number> => ++count;
    const both = await Promise.all([work.join('a', signalOf(), begin), work.join('a', signalOf(), begin)]);
    assert.deepEqual(both, [1, 1]);
    assert.equal(await work.join('a', signalOf(), begin), 2);
    assert.equal(work.size, 0);
  });

  it('of different keys is different work', async () => {
    const work = new SharedWork<string>();
    const both = [work.join('a', signalOf(), async () => 'A'), work.join('b', signalOf(), async () => 'B')];
    assert.equal(work.size, 2);
    assert.deepEqual(await Promise.all(both), ['A', 'B']);
  });

  it('that fails fails for all, and is not remembered', async () => {
    const work = new SharedWork<number>();
    const broken = async (): Promise<number> => Promise.reject(new Error('broken'));
    const both = [work.join('a', signalOf(), broken), work.join('a', signalOf(), broken)];
    for (const one of both) await assert.rejects(one, /broken/);
    assert.equal(await work.join('a', signalOf(), async () => 7), 7);
  });

  it('goes on while one still waits, and is abandoned with the last', async () => {
    const work = new SharedWork<number>();
    const [first, second] = [new AbortController(), new AbortController()];
    let abandoned: AbortSignal | undefined;
    const { promise, reject } = Promise.withResolvers<number>();
    const begin = (signal: AbortSignal): Promise<number> => {
      abandoned = signal;
      signal.addEventListener('abort', () => reject(signal.reason));
      return promise;
    };
    const waits = [work.join('a', first.signal, begin), work.join('a', second.signal, begin)];
    first.abort();
    await assert.rejects(waits[0] ?? Promise.resolve(), { code: 'cancelled' });
    assert.equal(abandoned?.aborted, false);
    second.abort();
    await assert.rejects(waits[1] ?? Promise.resolve(), { code: 'cancelled' });
    assert.equal(abandoned?.aborted, true);
    assert.equal(work.size, 0);
  });

  it('is not joined when it was abandoned, but begun again', async () => {
    const work = new SharedWork<number>();
    const gone = new AbortController();
    const never = new Promise<number>(() => {});
    const wait = work.join('a', gone.signal, () => never);
    gone.abort();
    await assert.rejects(wait, { code: 'cancelled' });
    assert.equal(await work.join('a', signalOf(), async () => 2), 2);
  });

  it('is not begun for who has left already', async () => {
    const work = new SharedWork<number>();
    const gone = AbortSignal.abort();
    await assert.rejects(
      work.join('a', gone, () => assert.fail('begun')),
      { code: 'cancelled' },
    );
  });
});
