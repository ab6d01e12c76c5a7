import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process, { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { parseHostPort } from '@gatehouse/core/host-port';
import { defaultUid } from '@gatehouse/platform/kube/directory/default-uid';
import { certify } from '@gatehouse/platform/own-leaf/certify-client';
import { mintDevToken } from '@gatehouse/platform/state/dev-tokens';
import { makeStateDir, type StateDir } from '@gatehouse/platform/state/state-dir';
import { ask } from '@gatehouse/testing/started-admin';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { aName } from '../../../testing/csr-builder.ts';
import { sha256 } from '../issuer/x509.ts';

/** A folder with one pod, demo/frontend-0, and a state directory beside it. */
const aFixture = async (test: TestContext) => {
  const root = await temporaryFolder(test);
  const folder = join(root, 'manifests');
  const logFolder = join(root, 'log');
  for (const made of [folder, logFolder]) await mkdir(made);
  await writeFile(
    join(folder, 'pod.json'),
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'frontend-0', namespace: 'demo', labels: { app: 'frontend' } },
      spec: { containers: [{ name: 'app', image: 'app' }] },
    }),
  );
  const state = await makeStateDir(join(root, 'state'));
  return { folder, state, logFolder, path: join(logFolder, 'issuance.log') };
};
type Fixture = Awaited<ReturnType<typeof aFixture>>;

interface Up {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly grpc: string;
  readonly admin: string;
}

/** The service as users run it, perhaps by way of another command; resolves when it says that it is up. */
const start = async (
  test: TestContext,
  { folder, state, path }: Fixture,
  command: readonly string[] = [],
): Promise<Up> => {
  const [program = execPath, ...args] = [...command, execPath, join(import.meta.dirname, '../../main.ts')];
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      GATEHOUSE_SOURCE: `directory:${folder}`,
      GATEHOUSE_STATE_DIR: state.root,
      GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
      GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
      GATEHOUSE_ISSUANCE_LOG: path,
      GATEHOUSE_LOG_FORMAT: 'json',
    },
  });
  const { pid, stderr } = child;
  assert.ok(pid !== undefined && stderr !== null);
  test.after(() => kill(child));
  const said: string[] = [];
  for await (const line of createInterface({ input: stderr })) {
    said.push(line);
    const { msg, grpc, admin } = JSON.parse(line) as { msg: string; grpc: string; admin: string };
    if (msg !== 'identity is up') continue;
    stderr.resume();
    return { child, pid, grpc, admin };
  }
  return assert.fail(`it did not start:\n${said.join('\n')}`);
};

const kill = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
};

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

/** What a workload needs to ask again and again. */
const aClient = async (state: StateDir, { grpc }: Up) => {
  const address = parseHostPort(grpc);
  assert.ok(address.ok);
  const token = await mintDevToken({
    state,
    namespace: 'demo',
    serviceAccount: { name: 'default', uid: defaultUid('ServiceAccount', 'demo', 'default') },
    pod: { name: 'frontend-0', uid: defaultUid('Pod', 'demo', 'frontend-0') },
    now: Date.now(),
  });
  const request = {
    name: aName,
    trustAnchors: await readFile(state.trustAnchors, 'utf8'),
    key,
    token: Buffer.from(token),
    server: { address: address.value, security: 'plaintext' as const },
  };
  return async (): Promise<Uint8Array> => {
    const [leaf] = (await certify(request)).chain;
    assert.ok(leaf);
    return leaf;
  };
};

interface Line {
  readonly kind: string;
  readonly serial?: string;
  readonly leafSha256?: string;
}

const readLines = async (path: string): Promise<readonly Line[]> =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);

const serialOf = (leaf: Uint8Array): string => new X509Certificate(leaf).serialNumber.toLowerCase();

/** Whether memory file systems can be mounted here, where nobody else sees them. */
const mountTmpfs = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c'];
const canMount = await promisify(execFile)(mountTmpfs[0] ?? '', [
  ...mountTmpfs.slice(1),
  'mount -t tmpfs none /mnt',
]).then(
  () => true,
  () => false,
);

describe('the issuance log of a running service', () => {
  it('has every certificate that a workload was given, however often the service is killed', async (test) => {
    const fixture = await aFixture(test);
    const given: Uint8Array[] = [];
    for (let life = 1; life <= 3; life += 1) {
      const service = await start(test, fixture);
      const askForOne = await aClient(fixture.state, service);
      const enough = given.length + 60;
      const lane = async (): Promise<void> => {
        while (given.length < enough) given.push(await askForOne());
        service.child.kill('SIGKILL');
      };
      const lanes = await Promise.allSettled(Array.from({ length: 8 }, lane));
      assert.ok(lanes.some(({ status }) => status === 'fulfilled'));
      await kill(service.child);
      // The last line may be half; the next process cuts it off.
      const text = await readFile(fixture.path, 'utf8');
      for (const leaf of given) assert.ok(text.includes(`"serial":"${serialOf(leaf)}"`));
    }
    const service = await start(test, fixture);
    const token = (await readFile(fixture.state.adminToken, 'utf8')).trim();
    const report = (await ask(`${service.admin}/v1/issuance-log`, { token })).json;
    assert.equal(report.damagedLines, 0);
    assert.equal(report.writable, true);
    const items = (await ask(`${service.admin}/v1/certificates?limit=1000`, { token })).json
      .items as readonly {
      readonly serial: string;
      readonly leafSha256: string | null;
    }[];
    const hashes = new Map(items.map(({ serial, leafSha256 }) => [serial, leafSha256]));
    for (const leaf of given) {
      const found = hashes.get(serialOf(leaf));
      assert.ok(found === null || found === sha256(leaf).toHex(), `${serialOf(leaf)}: ${found}`);
    }
    assert.ok(given.length >= 180);
  });

  it('refuses on a full disk, is not ready, and goes on by itself when there is room', {
    skip: !canMount && 'it takes root on Linux to mount a small file system',
  }, async (test) => {
    const fixture = await aFixture(test);
    const fill =
      'mount -t tmpfs -o size=64k none "$1" && head -c 49152 /dev/zero > "$1/filler" && shift && exec "$@"';
    const service = await start(test, fixture, [...mountTmpfs, fill, 'sh', fixture.logFolder]);
    // The mount is in a namespace of the process alone.
    const inside = (path: string): string => `/proc/${service.pid}/root${path}`;
    const askForOne = await aClient(fixture.state, service);
    const given: Uint8Array[] = [];
    const failed = async (): Promise<{ code?: string; message: string }> => {
      for (;;) {
        try {
          given.push(await askForOne());
        } catch (error) {
          return error as Error;
        }
      }
    };
    const error = await failed();
    assert.equal(error.code, 'unavailable');
    assert.match(error.message, /cannot be recorded and was not signed \(ENOSPC\)/);
    assert.ok(given.length > 5, `${given.length} certificates found room`);
    const ready = await ask(`${service.admin}/ready`);
    assert.equal(ready.status, 503);
    assert.match(ready.text, /the issuance log cannot be written since .* \(ENOSPC\)/);
    const { text } = await ask(`${service.admin}/metrics`);
    assert.match(text, /gatehouse_identity_issuance_log_writable\{.*\} 0/);
    const intents = (await readFile(inside(fixture.path), 'utf8')).matchAll(
      /"kind":"intent".*?"serial":"(\w+)"/g,
    );
    const recorded = new Set(Array.from(intents, ([, serial]) => serial));
    for (const leaf of given) assert.ok(recorded.has(serialOf(leaf)), 'signed unrecorded');
    await rm(inside(join(fixture.logFolder, 'filler')));
    while ((await ask(`${service.admin}/ready`)).status !== 200);
    given.push(await askForOne());
    const lines = await readLines(inside(fixture.path));
    assert.ok(lines.some(({ kind }) => kind === 'resumed'));
    assert.ok(given.every((leaf) => lines.some(({ serial }) => serial === serialOf(leaf))));
  });
});
