import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerPatience, patienceMs } from './peer-patience.ts';

const down = (replica: string) => ({ replica, reason: 'ECONNREFUSED' });

test('a replica is worth a warning when it is out of reach for longer than it takes to start or to end', () => {
  const clock = { now: 0 };
  const patience = new PeerPatience(() => clock.now);
  const at = (now: number, ...replicas: readonly string[]) => {
    clock.now = now;
    return patience.judge(replicas.map(down)).map(({ replica }) => replica);
  };
  assert.deepEqual(at(0, 'starting', 'broken'), []);
  assert.deepEqual(at(15_000, 'broken'), []);
  assert.deepEqual(at(patienceMs - 1, 'broken', 'ending'), []);
  assert.deepEqual(at(patienceMs, 'broken', 'starting'), ['broken']);
  assert.deepEqual(at(patienceMs + 15_000), []);
  assert.deepEqual(at(patienceMs + 15_001, 'broken'), []);
});
