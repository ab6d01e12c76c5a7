import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { type GateOptions, HandshakeGate } from './handshake-gate.ts';

/** All that the gate asks of a socket is that it says when it closed. */
const aSocket = (): Socket => new EventEmitter() as Socket;
const sockets = (count: number): Socket[] => Array.from({ length: count }, aSocket);

const aGate = ({ atOnce = 2, ...options }: Partial<GateOptions> & { readonly atOnce?: number } = {}) => {
  const begun: Socket[] = [];
  const took: number[] = [];
  const limit = { atOnce, done: (busyMs: number) => void took.push(busyMs) };
  /** Time passes with the event loop at work, unless it is told otherwise. */
  const clock = { now: 0, idle: 0 };
  const refused: [Socket, string][] = [];
  const gate = new HandshakeGate({
    limit,
    clock: () => ({ ...clock }),
    waiting: 2,
    waitMs: 700,
    slow: 2,
    begin: (socket) => begun.push(socket),
    refuse: (socket, reason) => {
      refused.push([socket, reason]);
      socket.emit('close');
    },
    ...options,
  });
  const admit = (...all: readonly Socket[]): void => {
    for (const socket of all) gate.admit(socket, '10.0.0.1');
  };
  return { gate, admit, begun, refused, took, limit, clock };
};

test('handshakes beyond the limit wait their turn, oldest first', () => {
  const { gate, admit, begun } = aGate();
  const [a, b, c, d] = [aSocket(), aSocket(), aSocket(), aSocket()];
  admit(a, b, c, d);
  assert.deepEqual([begun.length, gate.running, gate.waiting], [2, 2, 2]);
  gate.done(b);
  assert.equal(begun[2], c);
  a.emit('close');
  assert.equal(begun[3], d);
  for (const socket of [c, d]) socket.emit('close');
  assert.deepEqual([gate.running, gate.waiting], [0, 0]);
});

test('addresses take turns, so that a crowd from one makes another wait for one handshake only', () => {
  const { gate, begun } = aGate({ atOnce: 1, waiting: 10 });
  const [crowd, one] = [sockets(8), aSocket()];
  for (const socket of crowd) gate.admit(socket, 'the crowd');
  gate.admit(one, 'another');
  gate.done(crowd[0] as Socket);
  gate.done(crowd[1] as Socket);
  assert.equal(begun[2], one);
  for (const socket of [...crowd, one]) socket.emit('close');
});

test('what finds the queue full is refused at once', () => {
  const { admit, begun, refused } = aGate();
  const all = sockets(5);
  admit(...all);
  assert.deepEqual(refused, [[all[4], 'queue-full']]);
  assert.equal(begun.length, 2);
  for (const socket of all) socket.emit('close');
});

test('when the queue is full, the address that has most in it makes room for others', () => {
  const { gate, refused } = aGate({ atOnce: 1, waiting: 3 });
  const [crowd, one] = [sockets(4), aSocket()];
  for (const socket of crowd) gate.admit(socket, 'the crowd');
  gate.admit(one, 'another');
  assert.deepEqual(refused, [[crowd[1], 'queue-full']]);
  for (const socket of [...crowd, one]) socket.emit('close');
});

test('what waited too long is refused, since its client has given up', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { gate, admit, begun, refused } = aGate({ atOnce: 1 });
  const [a, b] = [aSocket(), aSocket()];
  admit(a, b);
  t.mock.timers.tick(699);
  assert.deepEqual(refused, []);
  t.mock.timers.tick(1);
  assert.deepEqual(refused, [[b, 'waited-too-long']]);
  gate.done(a);
  assert.deepEqual(begun, [a]);
});

test('a place is given back once, however a handshake ends', () => {
  const { gate, admit, begun } = aGate({ atOnce: 1, waiting: 3 });
  const all = sockets(4);
  admit(...all);
  const [first] = all;
  if (first !== undefined) gate.done(first);
  first?.emit('close');
  assert.equal(begun.length, 2, 'the second leaving let nobody in');
  // One that gives up while it waits is never begun.
  all[2]?.emit('close');
  all[1]?.emit('close');
  assert.deepEqual(begun, [all[0], all[1], all[3]]);
  all[3]?.emit('close');
});

test('the limit is told how much of our time handshakes took that ended well, and may grow meanwhile', () => {
  const { gate, admit, begun, took, limit, clock } = aGate({ atOnce: 1, waiting: 3 });
  const [a, b, c, d] = [aSocket(), aSocket(), aSocket(), aSocket()];
  admit(a, b, c, d);
  clock.now = 40;
  clock.idle = 10;
  limit.atOnce = 2;
  gate.done(a);
  assert.deepEqual(begun, [a, b, c]);
  clock.now = 100;
  b.emit('close');
  gate.done(c);
  assert.deepEqual(took, [30, 60], 'one that was cut says nothing');
  d.emit('close');
});

test('a client that lets an idle process wait loses its place, and the limit is told nothing of it', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { gate, admit, begun, took, clock } = aGate({ atOnce: 1 });
  const [lazy, busy, next] = [aSocket(), aSocket(), aSocket()];
  admit(lazy, busy);
  const pass = (ms: number, idle: number): void => {
    clock.now += ms;
    clock.idle += idle;
    t.mock.timers.tick(ms);
  };
  pass(100, 9);
  assert.deepEqual(begun, [lazy], 'nearly all of that time was ours');
  pass(10, 1);
  assert.deepEqual(begun, [lazy, busy]);
  assert.deepEqual([gate.running, gate.slow, gate.waiting], [1, 1, 0]);
  pass(3_000, 2_900);
  admit(next);
  assert.deepEqual(begun, [lazy, busy, next], 'who comes later finds out at once');
  gate.done(lazy);
  gate.done(busy);
  assert.deepEqual([gate.slow, took], [0, []]);
  next.emit('close');
});

test('in a process that is never idle a place is kept for a bounded time', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { gate, admit, begun, took, clock } = aGate({ atOnce: 1 });
  const [a, b, c] = [aSocket(), aSocket(), aSocket()];
  admit(a, b);
  clock.now = 399;
  t.mock.timers.tick(10);
  assert.deepEqual(begun, [a]);
  clock.now = 400;
  t.mock.timers.tick(10);
  assert.deepEqual([begun, took], [[a, b], []]);
  clock.now = 800;
  admit(c);
  gate.done(a);
  b.emit('close');
  assert.deepEqual(
    [begun, took],
    [[a, b, c], [800]],
    'the limit is told of those that end, not of those that never do',
  );
  c.emit('close');
});

test('slow handshakes are bounded too: the address that has most of them loses its oldest', () => {
  const { gate, begun, refused, clock } = aGate({ atOnce: 1 });
  const [crowd, one] = [sockets(3), aSocket()];
  const slowly = (socket: Socket, holder: string): void => {
    gate.admit(socket, holder);
    clock.now += 20;
    clock.idle += 20;
  };
  slowly(one, 'another');
  for (const socket of crowd) slowly(socket, 'the crowd');
  assert.equal(begun.length, 4);
  assert.deepEqual(refused, [[crowd[0], 'too-slow']]);
  gate.done(one);
  assert.equal(gate.slow, 1, 'the other one went on');
});
