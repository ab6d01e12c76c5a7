import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { GatehouseError } from '@gatehouse/core/error';
import { CertifyTurns } from './certify-queue.ts';

const patient = new AbortController().signal;

/** Turns on a clock that only work moves on. */
const slowDesk = () => {
  let clock = 0;
  const turns = new CertifyTurns({ now: () => clock });
  const order: string[] = [];
  const work = (name: string, ms: number) => () => {
    clock += ms;
    order.push(name);
    return name;
  };
  const wait = (ms: number): void => {
    clock += ms;
  };
  return { turns, work, order, wait };
};

describe('the turns of Certify', () => {
  it('come at once while there is time', async () => {
    const { turns, work, order } = slowDesk();
    const call = turns.take(work('a', 1), patient);
    assert.deepEqual(order, ['a']);
    assert.equal(await call, 'a');
  });

  it('hand on what the work throws', async () => {
    const { turns } = slowDesk();
    const fail = (): never => {
      throw new GatehouseError('failed-precondition', 'no');
    };
    await assert.rejects(turns.take(fail, patient), { code: 'failed-precondition' });
    await assert.rejects(
      turns.take(() => fail(), patient),
      { code: 'failed-precondition' },
    );
  });

  it('come in the order of the calls, a few in each turn of the event loop', async () => {
    const { turns, work, order } = slowDesk();
    const calls = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => turns.take(work(name, 3), patient));
    assert.deepEqual(order, ['a', 'b'], 'five milliseconds hold two of three');
    assert.equal(turns.waiting, 4);
    await nextTurn();
    assert.deepEqual(order, ['a', 'b', 'c', 'd']);
    await nextTurn();
    assert.deepEqual(order, ['a', 'b', 'c', 'd', 'e', 'f']);
    assert.deepEqual(await Promise.all(calls), ['a', 'b', 'c', 'd', 'e', 'f']);
    assert.equal(turns.waiting, 0);
  });

  it('never come to a newer call before an older one', async () => {
    const { turns, work, order } = slowDesk();
    const first = [turns.take(work('a', 6), patient), turns.take(work('b', 1), patient)];
    await nextTurn();
    const second = turns.take(work('c', 1), patient);
    await Promise.all([...first, second]);
    assert.deepEqual(order, ['a', 'b', 'c']);
  });

  it('refuse who has waited for more than 8 s, and do not work for him', async () => {
    const { turns, work, order, wait } = slowDesk();
    const served = turns.take(work('a', 6), patient);
    const late = turns.take(work('b', 1), patient);
    wait(8_001);
    await assert.rejects(late, { code: 'unavailable' });
    await served;
    assert.deepEqual(order, ['a']);
  });

  it('serve who has waited for 8 s', async () => {
    const { turns, work, wait } = slowDesk();
    void turns.take(work('a', 6), patient);
    const call = turns.take(work('b', 1), patient);
    wait(7_994);
    assert.equal(await call, 'b');
  });

  it('do not work for who has gone away', async () => {
    const { turns, work, order } = slowDesk();
    const gone = new AbortController();
    const served = turns.take(work('a', 6), patient);
    const cancelled = turns.take(work('b', 1), gone.signal);
    const next = turns.take(work('c', 1), patient);
    gone.abort();
    await assert.rejects(cancelled, { code: 'cancelled' });
    assert.equal(turns.waiting, 1);
    await Promise.all([served, next]);
    assert.deepEqual(order, ['a', 'c']);
  });

  it('do not let in who was gone before he asked', async () => {
    const { turns, work, order } = slowDesk();
    void turns.take(work('a', 6), patient);
    await assert.rejects(turns.take(work('b', 1), AbortSignal.abort()), { code: 'cancelled' });
    await nextTurn();
    assert.deepEqual(order, ['a']);
  });

  it('refuse more than 4096 waiting calls at once', async () => {
    const { turns, work, order } = slowDesk();
    const served = turns.take(work('a', 6), patient);
    const waiting = Array.from({ length: 4_096 }, (_, index) => turns.take(work(`${index}`, 0), patient));
    await assert.rejects(turns.take(work('too many', 0), patient), { code: 'unavailable' });
    await Promise.all([served, ...waiting]);
    assert.equal(order.length, 4_097);
  });
});
