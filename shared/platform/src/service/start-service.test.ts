import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { createLog } from '../log/log.ts';
import { readConfig } from '../settings/config.ts';
import { sharedProblems, sharedSettings } from '../settings/settings.ts';
import type { RunningService } from './service.ts';
import { type ServiceBase, type ServiceServers, startService } from './start-service.ts';

const servers: ServiceServers = { grpc: { address: '127.0.0.1:1' }, admin: { url: 'http://127.0.0.1:2' } };

interface Trial {
  readonly state: string;
  readonly lines: { readonly msg: string }[];
  start(assemble: (base: ServiceBase) => Promise<ServiceServers>): Promise<RunningService>;
}

const aTrial = async (t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Trial> => {
  const state = await temporaryFolder(t);
  const lines: { msg: string }[] = [];
  const to = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLog({ service: 'policy', level: 'info', format: 'json', to });
  const config = readConfig(
    sharedSettings({ grpc: 1, admin: 2 }),
    { GATEHOUSE_SOURCE: 'directory:/nowhere', GATEHOUSE_STATE_DIR: state, ...env },
    sharedProblems,
  );
  const parts = { log, source: new FakeSource() };
  return { state, lines, start: (assemble) => startService('policy', { config, parts, assemble }) };
};

test('a service says where it is and who it is, and keeps its state directory to itself until it ends', async (t) => {
  const trial = await aTrial(t, { GATEHOUSE_NAMESPACE: 'linkerd', GATEHOUSE_TRUST_DOMAIN: 'example.org' });
  const running = await trial.start(async () => servers);
  assert.deepEqual(
    [running.service, running.name, running.grpc, running.admin],
    [
      'policy',
      'gatehouse-policy.linkerd.serviceaccount.identity.linkerd.example.org',
      '127.0.0.1:1',
      'http://127.0.0.1:2',
    ],
  );
  await assert.rejects(
    trial.start(async () => servers),
    { code: 'already-exists' },
  );
  await running.stop('done');
  assert.deepEqual(await running.ended, { kind: 'stopped', reason: 'done' });
  assert.deepEqual(await readdir(trial.state), ['admin-token']);
  await (await trial.start(async () => servers)).stop('done');
});

test('a start that fails half way lets go of everything it had', async (t) => {
  const trial = await aTrial(t);
  const closed: string[] = [];
  const failing = trial.start(async ({ supervisor }) => {
    supervisor.onEnd('gRPC server', () => void closed.push('gRPC server'));
    throw new GatehouseError('failed-precondition', 'the port is taken');
  });
  await assert.rejects(failing, { message: 'the port is taken' });
  assert.deepEqual([closed, await readdir(trial.state)], [['gRPC server'], ['admin-token']]);
});

test('a task that fails ends the service, which says why', async (t) => {
  const trial = await aTrial(t);
  const gone = Promise.withResolvers<void>();
  const running = await trial.start(async ({ supervisor }) => {
    supervisor.run('watch', () => gone.promise);
    return servers;
  });
  gone.reject(new GatehouseError('unavailable', 'the folder is gone'));
  const ended = await running.ended;
  assert.equal(ended.kind === 'failed' && ended.error.message, 'the folder is gone');
  assert.deepEqual(await readdir(trial.state), ['admin-token']);
});

test('variables that mean nothing are said in the log', async (t) => {
  const trial = await aTrial(t, { GATEHOUSE_CONSOLE_COLOUR: 'blue' });
  await (await trial.start(async () => servers)).stop('done');
  assert.equal(trial.lines[0]?.msg, 'GATEHOUSE_CONSOLE_COLOUR means nothing to Gatehouse');
});

test('what no service can start with is told together with all other problems', () => {
  const read = (env: Record<string, string>) =>
    readConfig(sharedSettings({ grpc: 1, admin: 2 }), env, sharedProblems);
  assert.throws(() => read({ GATEHOUSE_SOURCE: 'nonsense' }), /GATEHOUSE_SOURCE: `nonsense` is no source/);
  assert.throws(() => read({ GATEHOUSE_SOURCE: 'directory:/x' }), /GATEHOUSE_STATE_DIR: is not set/);
});
