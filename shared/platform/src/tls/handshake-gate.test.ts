import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { type GateOptions, HandshakeGate } from './handshake-gate.ts';

/** All that the gate asks of a socket is that it says when it closed. */
const aSocket = (): Socket => new EventEmitter() as Socket;

const aGate = ({ atOnce = 2, ...options }: Partial<GateOptions> & { readonly atOnce?: number } = {}) => {
  const begun: Socket[] = [];
  const took: number[] = [];
  const limit = { atOnce, done: (durationMs: number) => void took.push(durationMs) };
  const clock = { now: 0 };
  let calm = 0;
  const refused: [Socket, string][] = [];
  const gate = new HandshakeGate({
    limit,
    now: () => clock.now,
    onCalm: () => {
      calm += 1;
    },
    waiting: 2,
    waitMs: 700,
    begin: (socket) => begun.push(socket),
    refuse: (socket, reason) => {
      refused.push([socket, reason]);
      socket.emit('close');
    },
    ...options,
  });
  return { gate, begun, refused, took, limit, clock, calm: () => calm };
};

test('handshakes beyond the limit wait their turn, oldest first', () => {
  const { gate, begun } = aGate();
  const [a, b, c, d] = [aSocket(), aSocket(), aSocket(), aSocket()];
  for (const socket of [a, b, c, d]) gate.admit(socket);
  assert.deepEqual([begun.length, gate.running, gate.waiting], [2, 2, 2]);
  gate.done(b);
  assert.equal(begun[2], c);
  a.emit('close');
  assert.equal(begun[3], d);
  for (const socket of [c, d]) socket.emit('close');
  assert.deepEqual([gate.running, gate.waiting], [0, 0]);
});

test('what finds the queue full is refused at once', () => {
  const { gate, begun, refused } = aGate();
  const sockets = Array.from({ length: 5 }, aSocket);
  for (const socket of sockets) gate.admit(socket);
  assert.deepEqual(refused, [[sockets[4], 'queue-full']]);
  assert.equal(begun.length, 2);
  for (const socket of sockets) socket.emit('close');
});

test('what waited too long is refused, since its client has given up', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { gate, begun, refused } = aGate({ atOnce: 1 });
  const [a, b] = [aSocket(), aSocket()];
  gate.admit(a);
  gate.admit(b);
  t.mock.timers.tick(699);
  assert.deepEqual(refused, []);
  t.mock.timers.tick(1);
  assert.deepEqual(refused, [[b, 'waited-too-long']]);
  gate.done(a);
  assert.deepEqual(begun, [a]);
});

test('a place is given back once, however a handshake ends', () => {
  const { gate, begun } = aGate({ atOnce: 1, waiting: 3 });
  const sockets = Array.from({ length: 4 }, aSocket);
  for (const socket of sockets) gate.admit(socket);
  const [first] = sockets;
  if (first !== undefined) gate.done(first);
  first?.emit('close');
  assert.equal(begun.length, 2, 'the second leaving let nobody in');
  // One that gives up while it waits is never begun.
  sockets[2]?.emit('close');
  sockets[1]?.emit('close');
  assert.deepEqual(begun, [sockets[0], sockets[1], sockets[3]]);
  sockets[3]?.emit('close');
});

test('the limit is told how long handshakes took that ended well, and may grow meanwhile', () => {
  const { gate, begun, took, limit, clock } = aGate({ atOnce: 1, waiting: 3 });
  const [a, b, c, d] = [aSocket(), aSocket(), aSocket(), aSocket()];
  for (const socket of [a, b, c, d]) gate.admit(socket);
  clock.now = 40;
  limit.atOnce = 2;
  gate.done(a);
  assert.deepEqual(begun, [a, b, c]);
  clock.now = 100;
  b.emit('close');
  gate.done(c);
  assert.deepEqual(took, [40, 60], 'one that was cut says nothing');
  d.emit('close');
});

test('it says when nobody waits any more, however the last one went', () => {
  const { gate, calm } = aGate({ atOnce: 1 });
  const [a, b, c] = [aSocket(), aSocket(), aSocket()];
  gate.admit(a);
  gate.done(a);
  assert.equal(calm(), 0, 'nobody had waited');
  for (const socket of [b, c]) gate.admit(socket);
  gate.done(b);
  assert.equal(calm(), 1);
  gate.admit(a);
  a.emit('close');
  assert.equal(calm(), 2);
  c.emit('close');
});
