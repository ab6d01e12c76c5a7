import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Comer, type Permit, ReviewQueue } from './review-queue.ts';

const start = 1_780_000_000_000;
const patienceMs = 8_000;

/** The queue on a clock that the test holds. `ask` says what became of a review, in the order of events. */
const held = (test: TestContext, limit = { perSecond: 1_000, burst: 1_000 }) => {
  test.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: start });
  const queue = new ReviewQueue({ limit, maxBytes: 8_192 * 1_024, now: Date.now });
  const events: string[] = [];
  const ask = async (name: string, change: Partial<Comer> = {}): Promise<Permit | undefined> => {
    const comer: Comer = {
      from: '10.0.0.1',
      bytes: 1_000,
      until: Date.now() + patienceMs,
      signal: new AbortController().signal,
      ...change,
    };
    try {
      const permit = await queue.take(comer);
      events.push(name);
      return permit;
    } catch (error) {
      events.push(`${name}: ${(error as { code?: string }).code ?? error}`);
      return undefined;
    }
  };
  const pass = async (ms: number): Promise<void> => {
    test.mock.timers.tick(ms);
    await settle();
  };
  return { queue, events, ask, pass };
};

/** Lets everything go on that does not wait for a timer. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const names = (count: number, from = 0): string[] => Array.from({ length: count }, (_, at) => `${from + at}`);

describe('permits to ask the API server', () => {
  it('come at once while there is room', async (test) => {
    const { queue, events, ask } = held(test);
    await Promise.all(names(3).map((name) => ask(name)));
    assert.deepEqual(events, ['0', '1', '2']);
    assert.equal(queue.waiting, 0);
  });

  it('are 50 at once, and the next goes to the caller that has waited longest', async (test) => {
    const { queue, events, ask } = held(test);
    const first = await Promise.all(names(50).map((name) => ask(name)));
    for (const name of ['a', 'b', 'c']) void ask(name);
    await settle();
    assert.equal(queue.waiting, 3);
    first[7]?.end();
    first[3]?.end();
    await settle();
    assert.deepEqual(events.slice(50), ['a', 'b']);
    assert.equal(queue.waiting, 1);
  });

  it('come as often as the rate allows, after the burst', async (test) => {
    const { events, ask, pass } = held(test, { perSecond: 10, burst: 2 });
    for (const name of names(5)) void ask(name);
    await settle();
    assert.deepEqual(events, ['0', '1']);
    await pass(99);
    assert.equal(events.length, 2);
    await pass(1);
    assert.deepEqual(events, ['0', '1', '2']);
    await pass(200);
    assert.deepEqual(events, names(5));
  });

  it('are taken by the addresses one after the other', async (test) => {
    const { events, ask, pass } = held(test, { perSecond: 1_000, burst: 1 });
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'c2']) void ask(name, { from: name.slice(0, 1) });
    for (let passed = 0; passed < 10; passed += 1) await pass(1);
    assert.deepEqual(events, ['a1', 'a2', 'b1', 'c1', 'a3', 'c2', 'a4']);
  });

  it('are given up by the address that has most waiting, when others want one', async (test) => {
    const { queue, events, ask } = held(test, { perSecond: 1, burst: 1 });
    for (const name of names(4_097)) void ask(name);
    void ask('other', { from: '10.0.0.2' });
    await settle();
    assert.deepEqual(events, ['0', '1: unavailable']);
    assert.equal(queue.waiting, 4_096);
  });

  it('are not waited for by more than their memory allows', async (test) => {
    const { queue, events, ask, pass } = held(test, { perSecond: 1, burst: 1 });
    for (const name of names(4_097)) void ask(name);
    await settle();
    assert.equal(queue.waiting, 4_096);
    await ask('one more');
    assert.deepEqual(events, ['0', 'one more: unavailable']);
    await pass(patienceMs);
    assert.equal(queue.waiting, 0, 'and nobody waits for longer than 8 s');
    assert.equal(events.length, 4_098);
  });

  it('that do not come in time are refused, each at its own time', async (test) => {
    const { events, ask, pass } = held(test, { perSecond: 0.01, burst: 1 });
    await ask('first');
    void ask('second');
    await pass(1_000);
    void ask('third');
    await pass(6_999);
    assert.deepEqual(events, ['first']);
    await pass(1);
    assert.deepEqual(events, ['first', 'second: unavailable']);
    await pass(1_000);
    assert.deepEqual(events, ['first', 'second: unavailable', 'third: unavailable']);
  });

  it('are given back by who goes away while waiting', async (test) => {
    const { queue, events, ask } = held(test);
    const first = await Promise.all(names(50).map((name) => ask(name)));
    const gone = new AbortController();
    void ask('gone', { signal: gone.signal });
    void ask('still here');
    await settle();
    gone.abort(Object.assign(new Error('left'), { code: 'cancelled' }));
    first[0]?.end();
    await settle();
    assert.deepEqual(events.slice(50), ['gone: cancelled', 'still here']);
    assert.equal(queue.waiting, 0);
  });

  it('are not taken by who has gone before', async (test) => {
    const { queue, events, ask } = held(test);
    await ask('gone', { signal: AbortSignal.abort(Object.assign(new Error('left'), { code: 'cancelled' })) });
    assert.deepEqual(events, ['gone: cancelled']);
    assert.equal(queue.waiting, 0);
  });

  it('stop while the API server wants to be left alone; who has asked before asks again first', async (test) => {
    const { queue, events, ask, pass } = held(test, { perSecond: 10, burst: 1 });
    const first = await ask('first');
    void first?.again(2_000).then(() => events.push('first again'));
    void ask('second');
    await pass(1_999);
    assert.deepEqual(events, ['first']);
    assert.equal(queue.waiting, 2);
    await pass(1);
    assert.deepEqual(events, ['first', 'first again']);
    await pass(100);
    assert.deepEqual(events, ['first', 'first again', 'second']);
  });

  it('are refused at once where the API server wants to be left alone for longer than anybody waits', async (test) => {
    const { queue, events, ask, pass } = held(test, { perSecond: 1, burst: 1 });
    const first = await ask('first');
    void ask('second');
    await settle();
    const why = await first?.again(9_000).catch(({ message }: Error) => message);
    assert.equal(why, 'the API server has asked us to review no tokens for 9 s: try again');
    await ask('third');
    assert.deepEqual(events, ['first', 'second: unavailable', 'third: unavailable']);
    assert.equal(queue.waiting, 0);
    first?.end();
    await pass(9_000);
    assert.ok(await ask('fourth'));
  });

  it('of a caller that is told to come again are given back when it goes away', async (test) => {
    const { queue, ask, pass } = held(test);
    const gone = new AbortController();
    const all = await Promise.all(names(50).map((name) => ask(name, { signal: gone.signal })));
    const again = all.map((permit) => permit?.again(1_000).finally(() => permit.end()));
    void Promise.allSettled(again);
    gone.abort(new Error('left'));
    await settle();
    assert.equal(queue.waiting, 0);
    await pass(1_000);
    assert.equal((await Promise.all(names(50).map((name) => ask(name)))).filter(Boolean).length, 50);
  });
});
