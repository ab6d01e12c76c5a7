import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { GatehouseError } from '@gatehouse/core/error';
import { CertifyQueue } from './certify-queue.ts';

const patient = { from: '10.0.0.1', signal: new AbortController().signal, bytes: 2_000 };

/** The queue on a clock that only work moves on. */
const slowDesk = (maxBytes = 1_048_576) => {
  let clock = 0;
  const refused: string[] = [];
  const queue = new CertifyQueue({
    maxBytes,
    now: () => clock,
    onRefused: (reason) => void refused.push(reason),
  });
  const order: string[] = [];
  const work = (name: string, ms: number) => () => {
    clock += ms;
    order.push(name);
    return name;
  };
  const wait = (ms: number): void => {
    clock += ms;
  };
  return { queue, work, order, wait, refused };
};

describe('the turns of Certify', () => {
  it('come at once while there is time', async () => {
    const { queue, work, order } = slowDesk();
    const call = queue.take(work('a', 1), patient);
    assert.deepEqual(order, ['a']);
    assert.equal(await call, 'a');
  });

  it('hand on what the work throws', async () => {
    const { queue } = slowDesk();
    const fail = (): never => {
      throw new GatehouseError('failed-precondition', 'no');
    };
    await assert.rejects(queue.take(fail, patient), { code: 'failed-precondition' });
    await assert.rejects(
      queue.take(() => fail(), patient),
      { code: 'failed-precondition' },
    );
  });

  it('come in the order of the calls, a few in each turn of the event loop', async () => {
    const { queue, work, order } = slowDesk();
    const calls = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => queue.take(work(name, 3), patient));
    assert.deepEqual(order, ['a', 'b'], 'five milliseconds hold two of three');
    assert.equal(queue.waiting, 4);
    await nextTurn();
    assert.deepEqual(order, ['a', 'b', 'c', 'd']);
    await nextTurn();
    assert.deepEqual(order, ['a', 'b', 'c', 'd', 'e', 'f']);
    assert.deepEqual(await Promise.all(calls), ['a', 'b', 'c', 'd', 'e', 'f']);
    assert.equal(queue.waiting, 0);
  });

  it('never come to a newer call before an older one', async () => {
    const { queue, work, order } = slowDesk();
    const first = [queue.take(work('a', 6), patient), queue.take(work('b', 1), patient)];
    await nextTurn();
    const second = queue.take(work('c', 1), patient);
    await Promise.all([...first, second]);
    assert.deepEqual(order, ['a', 'b', 'c']);
  });

  it('refuse who has waited for more than 8 s, and do not work for him', async () => {
    const { queue, work, order, wait } = slowDesk();
    const served = queue.take(work('a', 6), patient);
    const late = queue.take(work('b', 1), patient);
    wait(8_001);
    await assert.rejects(late, { code: 'unavailable' });
    await served;
    assert.deepEqual(order, ['a']);
  });

  it('serve who has waited for 8 s', async () => {
    const { queue, work, wait } = slowDesk();
    void queue.take(work('a', 6), patient);
    const call = queue.take(work('b', 1), patient);
    wait(7_994);
    assert.equal(await call, 'b');
  });

  it('do not work for who has gone away', async () => {
    const { queue, work, order } = slowDesk();
    const gone = new AbortController();
    const served = queue.take(work('a', 6), patient);
    const cancelled = queue.take(work('b', 1), { ...patient, signal: gone.signal });
    const next = queue.take(work('c', 1), patient);
    gone.abort();
    await assert.rejects(cancelled, { code: 'cancelled' });
    assert.equal(queue.waiting, 1);
    await Promise.all([served, next]);
    assert.deepEqual(order, ['a', 'c']);
  });

  it('do not let in who was gone before he asked', async () => {
    const { queue, work, order } = slowDesk();
    void queue.take(work('a', 6), patient);
    await assert.rejects(queue.take(work('b', 1), { ...patient, signal: AbortSignal.abort() }), {
      code: 'cancelled',
    });
    await nextTurn();
    assert.deepEqual(order, ['a']);
  });

  it('are taken by the addresses one after the other, and by each in the order of its calls', async () => {
    const { queue, work, order } = slowDesk();
    const names = ['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2', 'c1'];
    const calls = names.map((name) => queue.take(work(name, 6), { ...patient, from: name.slice(0, 1) }));
    await Promise.all(calls);
    assert.deepEqual(order, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4', 'a5']);
  });

  it('are bounded by the memory of the calls that wait', async () => {
    const { queue, work, order, refused } = slowDesk(30 * 1_024);
    const served = queue.take(work('a', 6), patient);
    const waiting = Array.from({ length: 10 }, (_, index) => queue.take(work(`${index}`, 0), patient));
    await assert.rejects(queue.take(work('too many', 0), patient), { code: 'unavailable' });
    await assert.rejects(queue.take(work('too large', 0), { ...patient, bytes: 30 * 1_024 }), {
      code: 'unavailable',
    });
    assert.deepEqual(refused, ['queue-full', 'queue-full']);
    await Promise.all([served, ...waiting]);
    assert.equal(order.length, 11);
  });

  it('are given up by the address that has most calls waiting, when others want one', async () => {
    const { queue, work, order, refused } = slowDesk(30 * 1_024);
    const served = queue.take(work('a', 6), patient);
    const outcomes = Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => queue.take(work(`a${index}`, 0), patient)),
    );
    const other = queue.take(work('b', 0), { ...patient, from: '10.0.0.2' });
    assert.deepEqual(refused, ['made-room']);
    await Promise.all([served, other]);
    assert.deepEqual(
      (await outcomes).map(({ status }) => status),
      ['rejected', ...Array.from({ length: 9 }, () => 'fulfilled')],
    );
    assert.equal(order.length, 11);
  });
});
