import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execPath, pid } from 'node:process';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { stateDirAt } from './state-dir.ts';
import { lockState } from './state-lock.ts';

test('a second instance is refused with the owner, the path and what to do', async (t) => {
  const state = stateDirAt(await temporaryFolder(t));
  const lock = await lockState(state, 'policy');
  await assert.rejects(lockState(state, 'policy'), {
    code: 'already-exists',
    message:
      `policy already runs on the state directory ${state.root} (process ${pid}, policy.sock): ` +
      'stop it, or use another GATEHOUSE_STATE_DIR (--state)',
  });
  await lock.release();
});

test('services do not keep each other out', async (t) => {
  const state = stateDirAt(await temporaryFolder(t));
  const locks = await Promise.all([lockState(state, 'policy'), lockState(state, 'identity')]);
  await Promise.all(locks.map((lock) => lock.release()));
  assert.deepEqual(await readdir(state.root), []);
});

test('a released lock lets the next one in and leaves no file', async (t) => {
  const state = stateDirAt(await temporaryFolder(t));
  await (await lockState(state, 'policy')).release();
  assert.deepEqual(await readdir(state.root), []);
  await (await lockState(state, 'policy')).release();
});

test('what a killed instance left is taken over', async (t) => {
  const state = stateDirAt(await temporaryFolder(t));
  const script = `
    import { stateDirAt } from ${JSON.stringify(import.meta.resolve('./state-dir.ts'))};
    import { lockState } from ${JSON.stringify(import.meta.resolve('./state-lock.ts'))};
    await lockState(stateDirAt(${JSON.stringify(state.root)}), 'policy');
    console.log('locked');
    setInterval(() => {}, 1_000);`;
  const child = spawn(execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await assert.rejects(lockState(state, 'policy'), {
    message: new RegExp(`process ${child.pid}, policy\\.sock`),
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.deepEqual(await readdir(state.root), ['policy.sock']);
  await (await lockState(state, 'policy')).release();
  assert.deepEqual(await readdir(state.root), []);
});

/** A socket that refuses: the name of one whose server is gone, which is what SIGKILL leaves. */
const deadSocket = async (path: string): Promise<void> => {
  const server = createServer();
  server.listen(`${path}.bound`);
  await once(server, 'listening');
  await link(`${path}.bound`, path);
  server.close();
  await once(server, 'close');
};

test('of several who find a dead lock at once, exactly one gets it', async (t) => {
  let rounds = 0;
  for (let racers = 2; racers <= 8; racers += 1) {
    for (const spread of [0, 1, 3]) {
      const state = stateDirAt(await temporaryFolder(t));
      await deadSocket(state.lockSocket('policy'));
      const race = async (position: number) => {
        for (let turn = 0; turn < position * spread; turn += 1) await setImmediate();
        return lockState(state, 'policy');
      };
      const tries = await Promise.allSettled(Array.from({ length: racers }, (_, position) => race(position)));
      const held = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      const codes = tries.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
      assert.equal(held.length, 1, `${racers} racers, ${spread} apart`);
      assert.deepEqual(codes, Array(racers - 1).fill('already-exists'));
      assert.deepEqual(await readdir(state.root), ['policy.sock']);
      await held[0]?.release();
      rounds += 1;
    }
  }
  assert.equal(rounds, 21);
});

test('one that was killed while it took over does not block the next', async (t) => {
  const state = stateDirAt(await temporaryFolder(t));
  await deadSocket(state.lockSocket('policy'));
  const { dev, ino, birthtimeNs } = await stat(state.lockSocket('policy'), { bigint: true });
  await deadSocket(join(state.root, `.policy-after-${dev}-${ino}-${birthtimeNs}.sock`));
  const lock = await lockState(state, 'policy');
  await assert.rejects(lockState(state, 'policy'), { code: 'already-exists' });
  await lock.release();
  assert.deepEqual(await readdir(state.root), []);
});

test('a state directory whose path is longer than a socket address works too', async (t) => {
  const root = join(await temporaryFolder(t), 'x'.repeat(100), 'y'.repeat(100));
  await mkdir(root, { recursive: true });
  const state = stateDirAt(root);
  const lock = await lockState(state, 'policy');
  await assert.rejects(lockState(state, 'policy'), { code: 'already-exists' });
  await lock.release();
  assert.deepEqual(await readdir(root), []);
});

test('releasing removes no lock but its own', async (t) => {
  const state = stateDirAt(await temporaryFolder(t));
  const first = await lockState(state, 'policy');
  await rm(state.lockSocket('policy'));
  const second = await lockState(state, 'policy');
  await first.release();
  await assert.rejects(lockState(state, 'policy'), { code: 'already-exists' });
  await second.release();
});
