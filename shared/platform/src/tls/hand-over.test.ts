import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { HandOver } from './hand-over.ts';

/** All that is asked of a socket here is that it says when it closed, and can be cut. */
class FakeSocket extends EventEmitter {
  destroy(): void {
    this.emit('close');
  }
}

/** A fixture in which serving a connection takes 3 ms, and time passes by `wait` alone. */
const aHandOver = (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const fixture: { crowd: 'none' | 'some' | 'waiting'; now: number } = { crowd: 'none', now: 0 };
  const names = new Map<Socket, string>();
  const served: string[] = [];
  const handOver = new HandOver({
    crowd: () => fixture.crowd,
    patienceMs: 2_000,
    sliceMs: 10,
    now: () => fixture.now,
    serve: (socket) => {
      served.push(names.get(socket) ?? 'a stranger');
      fixture.now += 3;
    },
  });
  t.after(() => handOver.clear());
  const take = (name: string): Socket => {
    const socket = new FakeSocket() as unknown as Socket;
    names.set(socket, name);
    handOver.take(socket);
    return socket;
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const wait = async (ms: number): Promise<void> => {
    fixture.now += ms;
    t.mock.timers.tick(ms);
    await turn();
  };
  return { handOver, fixture, served, take, wait, turn };
};

test('a connection is served at once while nobody else is in a hurry', (t) => {
  const { served, take } = aHandOver(t);
  take('a');
  assert.deepEqual(served, ['a']);
});

test('connections are kept back while others wait for their handshake, and come in their order', async (t) => {
  const { handOver, fixture, served, take, turn, wait } = aHandOver(t);
  fixture.crowd = 'waiting';
  for (const name of ['a', 'b']) take(name);
  await wait(1_000);
  assert.deepEqual([served, handOver.waiting], [[], 2]);
  fixture.crowd = 'none';
  take('late');
  assert.deepEqual(served, [], 'who comes later does not overtake');
  handOver.resume();
  await turn();
  assert.deepEqual(served, ['a', 'b', 'late']);
});

test('those that were kept back come in slices, between which new clients are heard', async (t) => {
  const { handOver, fixture, served, take, turn } = aHandOver(t);
  fixture.crowd = 'waiting';
  for (let count = 0; count < 10; count += 1) take(`${count}`);
  fixture.crowd = 'none';
  handOver.resume();
  await turn();
  assert.equal(served.length, 4, '10 ms of 3 ms each');
  fixture.crowd = 'waiting';
  await turn();
  assert.equal(served.length, 4, 'the next wave comes first');
  fixture.crowd = 'none';
  handOver.resume();
  await turn();
  await turn();
  assert.equal(served.length, 10);
});

test('nobody is kept back for more than two seconds, however many knock', async (t) => {
  const { fixture, served, take, wait } = aHandOver(t);
  fixture.crowd = 'waiting';
  take('a');
  await wait(500);
  take('b');
  await wait(1_500);
  assert.deepEqual(served, ['a']);
  await wait(500);
  assert.deepEqual(served, ['a', 'b']);
});

test('while others are at their handshake and none waits, connections come after the handshakes of the turn', async (t) => {
  const { fixture, served, take, turn } = aHandOver(t);
  fixture.crowd = 'some';
  for (const name of ['a', 'b']) take(name);
  assert.deepEqual(served, []);
  await turn();
  assert.deepEqual(served, ['a', 'b']);
});

test('one that goes away while it is kept back is not served', async (t) => {
  const { handOver, fixture, served, take, turn } = aHandOver(t);
  fixture.crowd = 'waiting';
  const gone = take('gone');
  take('b');
  gone.destroy();
  assert.equal(handOver.waiting, 1);
  fixture.crowd = 'none';
  handOver.resume();
  await turn();
  assert.deepEqual(served, ['b']);
});

test('whoever is kept back when the server goes away is cut', async (t) => {
  const { handOver, fixture, served, take, wait } = aHandOver(t);
  fixture.crowd = 'waiting';
  let closed = false;
  take('a').once('close', () => {
    closed = true;
  });
  handOver.clear();
  fixture.crowd = 'none';
  await wait(5_000);
  assert.deepEqual([closed, served, handOver.waiting], [true, [], 0]);
});
