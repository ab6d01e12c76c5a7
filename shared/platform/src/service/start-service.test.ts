import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { eventually } from '@gatehouse/testing/grpc';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { createLog } from '../log/log.ts';
import { leafParts } from '../own-leaf/own-leaf.ts';
import { ServingLeaf } from '../own-leaf/serving-leaf.ts';
import { readConfig } from '../settings/config.ts';
import { sharedProblems, sharedSettings } from '../settings/settings.ts';
import type { OwnHalf } from './serve-half.ts';
import type { RunningService } from './service.ts';
import type { ServiceBase } from './service-base.ts';
import { startService } from './start-service.ts';

/** A service that answers nobody, and waits for nothing but what all wait for. */
const half = (base: ServiceBase): OwnHalf => ({
  methods: {},
  leaf: new ServingLeaf({
    ...leafParts(base),
    obtain: () => Promise.reject(new Error('there is no issuer')),
    trustAnchors: async () => '',
  }),
  routes: () => {},
});

const loopback = { GATEHOUSE_GRPC_ADDR: '127.0.0.1:0', GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0' };

interface Trial {
  readonly state: string;
  readonly lines: { readonly msg: string }[];
  start(assemble?: (base: ServiceBase) => OwnHalf): Promise<RunningService>;
}

const aTrial = async (t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Trial> => {
  const state = await temporaryFolder(t);
  const lines: { msg: string }[] = [];
  const to = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLog({ service: 'policy', level: 'info', format: 'json', to });
  const config = readConfig(
    sharedSettings({ grpc: 1, admin: 2 }),
    { GATEHOUSE_SOURCE: 'directory:/nowhere', GATEHOUSE_STATE_DIR: state, ...loopback, ...env },
    sharedProblems,
  );
  const parts = { log, source: new FakeSource() };
  return { state, lines, start: (assemble = half) => startService('policy', { config, parts, assemble }) };
};

test('a service says where it is and who it is, and keeps its state directory to itself until it ends', async (t) => {
  const trial = await aTrial(t, { GATEHOUSE_NAMESPACE: 'linkerd', GATEHOUSE_TRUST_DOMAIN: 'example.org' });
  const running = await trial.start();
  assert.deepEqual(
    [running.service, running.name],
    ['policy', 'gatehouse-policy.linkerd.serviceaccount.identity.linkerd.example.org'],
  );
  assert.match(running.grpc, /^127\.0\.0\.1:\d+$/);
  assert.equal(await (await fetch(`${running.admin}/live`)).text(), 'live\n');
  await assert.rejects(trial.start(), { code: 'already-exists' });
  await running.stop('done');
  assert.deepEqual(await running.ended, { kind: 'stopped', reason: 'done' });
  assert.deepEqual(await readdir(trial.state), ['admin-token']);
  await (await trial.start()).stop('done');
});

test('a start that fails half way lets go of everything it had', async (t) => {
  const trial = await aTrial(t);
  const closed: string[] = [];
  const failing = trial.start(({ supervisor }) => {
    supervisor.onEnd('gRPC server', () => void closed.push('gRPC server'));
    throw new GatehouseError('failed-precondition', 'the port is taken');
  });
  await assert.rejects(failing, { message: 'the port is taken' });
  assert.deepEqual([closed, await readdir(trial.state)], [['gRPC server'], ['admin-token']]);
});

test('a task that fails ends the service, which says why', async (t) => {
  const trial = await aTrial(t);
  const gone = Promise.withResolvers<void>();
  const running = await trial.start((base) => {
    base.supervisor.run('watch', () => gone.promise);
    return half(base);
  });
  gone.reject(new GatehouseError('unavailable', 'the folder is gone'));
  const ended = await running.ended;
  assert.equal(ended.kind === 'failed' && ended.error.message, 'the folder is gone');
  assert.deepEqual(await readdir(trial.state), ['admin-token']);
});

test('variables that mean nothing are said in the log', async (t) => {
  const trial = await aTrial(t, { GATEHOUSE_CONSOLE_COLOUR: 'blue' });
  await (await trial.start()).stop('done');
  assert.equal(trial.lines[0]?.msg, 'GATEHOUSE_CONSOLE_COLOUR means nothing to Gatehouse');
});

test('what no service can start with is told together with all other problems', () => {
  const read = (env: Record<string, string>) =>
    readConfig(sharedSettings({ grpc: 1, admin: 2 }), env, sharedProblems);
  assert.throws(
    () => read({ GATEHOUSE_SOURCE: 'nonsense' }),
    /GATEHOUSE_SOURCE: `nonsense` is not a valid source/,
  );
  assert.throws(() => read({ GATEHOUSE_SOURCE: 'directory:/x' }), /GATEHOUSE_STATE_DIR: is not set/);
});

const readiness = async ({ admin }: RunningService) => {
  const answer = await fetch(`${admin}/ready`);
  return { status: answer.status, reasons: (await answer.text()).trim().split('\n') };
};

test('a service is ready when its source, its certificate and its own half are, and says what it waits for', async (t) => {
  const trial = await aTrial(t, { GATEHOUSE_GRPC_TLS: 'always' });
  const running = await trial.start((base) => ({ ...half(base), reasons: () => ['the tea is not ready'] }));
  t.after(() => running.stop('the test is over'));
  await eventually(
    async () => (await readiness(running)).reasons[1]?.endsWith('there is no issuer') ?? false,
  );
  assert.deepEqual(await readiness(running), {
    status: 503,
    reasons: [
      'the tea is not ready',
      'no serving certificate yet: there is no issuer',
      'the watch has not begun',
    ],
  });
});

test('a service that serves plaintext and watches nothing waits for neither', async (t) => {
  const trial = await aTrial(t);
  const running = await trial.start((base) => ({ ...half(base), watches: 'nothing' }));
  t.after(() => running.stop('the test is over'));
  assert.deepEqual(await readiness(running), { status: 200, reasons: ['ready'] });
});

test('a service that is told to stop goes on for the drain delay, and says that it is not ready', async (t) => {
  const trial = await aTrial(t, { GATEHOUSE_DRAIN_DELAY: '300ms' });
  const running = await trial.start();
  const stopped = running.stop('SIGTERM');
  const answer = await fetch(`${running.admin}/ready`);
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /the service is being stopped/);
  await stopped;
  assert.deepEqual(await running.ended, { kind: 'stopped', reason: 'SIGTERM' });
  await assert.rejects(fetch(`${running.admin}/ready`));
});
