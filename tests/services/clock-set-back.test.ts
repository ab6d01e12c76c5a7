import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readDestinationConfig } from '@gatehouse/destination/config';
import { startDestination } from '@gatehouse/destination/service';
import { readIdentityConfig } from '@gatehouse/identity/config';
import { startIdentity } from '@gatehouse/identity/service';
import { silentLog } from '@gatehouse/platform/log/log';
import type { RunningService } from '@gatehouse/platform/service/service';
import { readStateFile } from '@gatehouse/platform/state/state-files';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { startPolicy } from '@gatehouse/policy/service';
import { eventually } from '@gatehouse/testing/grpc';
import { ask } from '@gatehouse/testing/started-admin';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';

const minuteMs = 60_000;

/** The three services over TLS, on a wall clock that the test sets. */
const aMesh = async (t: TestContext) => {
  const root = await temporaryFolder(t);
  const [state, folder] = [join(root, 'state'), join(root, 'manifests')];
  for (const path of [state, folder]) await mkdir(path);
  const env = {
    GATEHOUSE_SOURCE: `directory:${folder}`,
    GATEHOUSE_STATE_DIR: state,
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_GRPC_TLS: 'always',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
  };
  let ahead = 0;
  const parts = { log: silentLog, now: () => Date.now() + ahead };
  const owned = async (starting: Promise<RunningService>): Promise<RunningService> => {
    const service = await starting;
    t.after(() => service.stop('the test is over'));
    return service;
  };
  const identity = await owned(startIdentity(readIdentityConfig(env), parts));
  const more = { ...env, GATEHOUSE_IDENTITY_ADDR: identity.grpc };
  const destination = await owned(startDestination(readDestinationConfig(more), parts));
  const policy = await owned(startPolicy(readPolicyConfig(more), parts));
  const token = (await readStateFile(join(state, 'admin-token'))).trim();
  return {
    all: [identity, destination, policy],
    token,
    setClock: (byMs: number) => {
      ahead = byMs;
    },
  };
};

const isReady = async ({ admin }: RunningService): Promise<boolean> =>
  (await ask(`${admin}/ready`)).status === 200;

/** How many serving certificates it has obtained. */
const obtained = async ({ admin }: RunningService): Promise<number> => {
  const { text } = await ask(`${admin}/metrics`);
  return Number(/gatehouse_serving_certificate_requests_total\{result="ok"[^}]*\} (\d+)/.exec(text)?.[1]);
};

test('after a clock is set back every service says that its certificate is not valid yet, and renews it', async (t) => {
  const { all, token, setClock } = await aMesh(t);
  for (const service of all) await eventually(() => isReady(service));
  const before = await Promise.all(all.map(obtained));

  // The CA of dev mode begins an hour ago: so nobody can renew, and what is said stays.
  setClock(-120 * minuteMs);
  for (const { service, admin } of all) {
    const { status, text } = await ask(`${admin}/ready`);
    assert.equal(status, 503, service);
    assert.match(text, /^the serving certificate is valid only from \S+: the clock was set back/m, service);
    const { json } = await ask(`${admin}/v1/health`, { token });
    assert.deepEqual([json.ready, json.reasons.join('\n')], [false, text.trim()], service);
  }
  const [identity] = all;
  assert.match(
    (await ask(`${identity?.admin}/ready`)).text,
    /^no usable issuer: CN=issuer\S* is valid only from/m,
  );

  setClock(-30 * minuteMs);
  for (const service of all) await eventually(() => isReady(service));
  const after = await Promise.all(all.map(obtained));
  for (const [at, { service }] of all.entries()) {
    assert.ok((after[at] ?? 0) > (before[at] ?? 0), `${service} is ready by a new certificate`);
  }
});
