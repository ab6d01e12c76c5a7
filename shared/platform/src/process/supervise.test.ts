import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { GatehouseError } from '@gatehouse/core/error';
import { createLog, silentLog } from '../log/log.ts';
import { Supervisor } from './supervise.ts';

const untilAborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort');
};

const recording = () => {
  const lines: { msg: string; [field: string]: unknown }[] = [];
  const to = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return { lines, log: createLog({ service: 'test', level: 'info', format: 'json', to }) };
};

test('stopping aborts the tasks, then closes in reverse order, then it is over', async () => {
  const events: string[] = [];
  const supervisor = new Supervisor({ log: silentLog });
  supervisor.onEnd('first', () => void events.push('first closed'));
  supervisor.onEnd('second', async () => void events.push('second closed'));
  supervisor.run('task', async (signal) => {
    await untilAborted(signal);
    events.push('task aborted');
  });
  await supervisor.stop('SIGTERM');
  assert.deepEqual(await supervisor.ended, { kind: 'stopped', reason: 'SIGTERM' });
  assert.deepEqual([...events].sort(), ['first closed', 'second closed', 'task aborted']);
  assert.ok(events.indexOf('second closed') < events.indexOf('first closed'));
});

test('the first task that throws ends all, and the end says which and why', async () => {
  const supervisor = new Supervisor({ log: silentLog });
  const broken = new GatehouseError('unavailable', 'the folder is gone');
  let others = 0;
  supervisor.run('other', async (signal) => {
    await untilAborted(signal);
    others += 1;
  });
  supervisor.run('watch', async () => {
    throw broken;
  });
  supervisor.run('late', async () => {
    throw new Error('second');
  });
  assert.deepEqual(await supervisor.ended, { kind: 'failed', task: 'watch', error: broken });
  assert.equal(others, 1);
});

test('a task that simply returns ends all too, since it was meant to last', async () => {
  const supervisor = new Supervisor({ log: silentLog });
  supervisor.run('watch', async () => {});
  const ended = await supervisor.ended;
  assert.equal(ended.kind === 'failed' && ended.error.message, 'watch ended by itself');
});

test('tasks may share a name, and the end waits for each', async () => {
  const supervisor = new Supervisor({ log: silentLog });
  let ended = 0;
  for (const turns of [1, 5]) {
    supervisor.run('stream', async (signal) => {
      await untilAborted(signal);
      for (let turn = 0; turn < turns; turn += 1) await setImmediate();
      ended += 1;
    });
  }
  await supervisor.stop('done');
  assert.equal(ended, 2);
});

test('a part that cannot close is reported and does not keep the others from closing', async () => {
  const { lines, log } = recording();
  const supervisor = new Supervisor({ log });
  let closed = false;
  supervisor.onEnd('good', () => {
    closed = true;
  });
  supervisor.onEnd('bad', () => Promise.reject(new Error('stuck')));
  await supervisor.stop('done');
  assert.ok(closed);
  assert.deepEqual(
    lines.map(({ msg, part }) => ({ msg, part })),
    [{ msg: 'closing failed', part: 'bad' }],
  );
});

test('an end that takes too long is given up, and what hangs is named', async () => {
  const { lines, log } = recording();
  const supervisor = new Supervisor({ log, graceMs: 1 });
  const never = Promise.withResolvers<void>();
  supervisor.run('deaf', () => never.promise);
  supervisor.onEnd('grpc', () => never.promise);
  await supervisor.stop('done');
  assert.deepEqual(
    lines.map(({ msg, closing, tasks }) => ({ msg, closing, tasks })),
    [{ msg: 'gave up waiting for the end', closing: 'grpc', tasks: ['deaf'] }],
  );
  never.resolve();
});

test('stopping twice is one end, with the first reason', async () => {
  const supervisor = new Supervisor({ log: silentLog });
  await Promise.all([supervisor.stop('first'), supervisor.stop('second')]);
  assert.deepEqual(await supervisor.ended, { kind: 'stopped', reason: 'first' });
});

test('a start that fails half way closes what it had opened and says why', async () => {
  const supervisor = new Supervisor({ log: silentLog });
  let open = 0;
  const failing = supervisor.build(async () => {
    open += 1;
    supervisor.onEnd('lock', () => {
      open -= 1;
    });
    throw new GatehouseError('failed-precondition', 'the port is taken');
  });
  await assert.rejects(failing, { code: 'failed-precondition', message: 'the port is taken' });
  assert.equal(open, 0);
});

test('a task that fails while the rest is still starting fails the start, and what opens later is closed', async () => {
  const supervisor = new Supervisor({ log: silentLog });
  let closed = false;
  const building = supervisor.build(async () => {
    supervisor.run('watch', async () => {
      throw new GatehouseError('unavailable', 'no folder');
    });
    await supervisor.ended;
    supervisor.onEnd('late', () => {
      closed = true;
    });
    return 'built';
  });
  await assert.rejects(building, { message: 'no folder' });
  assert.ok(closed);
});
