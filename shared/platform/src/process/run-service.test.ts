import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { GatehouseError } from '@gatehouse/core/error';
import type { RunningService } from '../service/service.ts';
import { type MainProcess, runService } from './run-service.ts';
import type { Ended } from './supervise.ts';

class FakeProcess extends EventEmitter implements MainProcess {
  readonly env = {};
  readonly exits: number[] = [];
  said = '';
  readonly stderr = {
    write: (text: string) => {
      this.said += text;
    },
  };
  exit(code: number): void {
    this.exits.push(code);
  }
}

const aService = () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<Ended>();
  const reasons: string[] = [];
  const stop = async (reason: string): Promise<void> => void reasons.push(reason);
  const addresses = { grpc: '127.0.0.1:1', admin: 'http://127.0.0.1:2' };
  const service: RunningService = { service: 'policy', name: 'x', ...addresses, ended, stop };
  return { service, end, reasons };
};

test('a signal stops the service in order and the exit code says that this was asked for', async () => {
  const process = new FakeProcess();
  const { service, end, reasons } = aService();
  const running = runService(process, { read: () => ({}), start: async () => service });
  await setImmediate();
  process.emit('SIGTERM');
  assert.deepEqual([reasons, process.exits], [['SIGTERM'], []]);
  end({ kind: 'stopped', reason: 'SIGTERM' });
  await running;
  assert.deepEqual(process.exits, [0]);
});

test('a second signal does not wait', async () => {
  const process = new FakeProcess();
  const { service, end, reasons } = aService();
  const running = runService(process, { read: () => ({}), start: async () => service });
  await setImmediate();
  process.emit('SIGINT');
  process.emit('SIGTERM');
  assert.deepEqual(process.exits, [1]);
  assert.equal(reasons[0], 'SIGINT');
  end({ kind: 'stopped', reason: 'SIGINT' });
  await running;
});

test('a service that failed exits with 1', async () => {
  const process = new FakeProcess();
  const { service, end } = aService();
  const running = runService(process, { read: () => ({}), start: async () => service });
  end({ kind: 'failed', task: 'watch', error: new GatehouseError('internal', 'gone') });
  await running;
  assert.deepEqual(process.exits, [1]);
});

test('a configuration that cannot be used exits with 2 and its own words', async () => {
  const process = new FakeProcess();
  const read = () => {
    throw new GatehouseError('invalid-argument', 'GATEHOUSE_SOURCE: wrong');
  };
  await runService(process, { read, start: async () => aService().service });
  assert.deepEqual([process.exits, process.said], [[2], 'GATEHOUSE_SOURCE: wrong\n']);
});

test('a start that fails exits with 1: our own errors in one sentence, bugs with their stack', async () => {
  const expected: readonly (readonly [Error, RegExp])[] = [
    [new GatehouseError('failed-precondition', 'the port is taken'), /^the port is taken\n$/],
    [new TypeError('x is not a function'), /^internal error\nTypeError: x is not a function\n +at /],
  ];
  for (const [error, said] of expected) {
    const process = new FakeProcess();
    await runService(process, { read: () => ({}), start: () => Promise.reject(error) });
    assert.deepEqual(process.exits, [1]);
    assert.match(process.said, said);
  }
});
