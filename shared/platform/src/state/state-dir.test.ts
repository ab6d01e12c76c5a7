import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { makeStateDir, openStateDir, stateDirAt } from './state-dir.ts';

test('everything lives where design §5.1 says', () => {
  const state = stateDirAt('/s');
  const { tokenFile, lockSocket, ...paths } = state;
  assert.deepEqual(paths, {
    root: '/s',
    ca: '/s/ca',
    rootCert: '/s/ca/root.crt',
    rootKey: '/s/ca/root.key',
    issuerCert: '/s/ca/issuer.crt',
    issuerKey: '/s/ca/issuer.key',
    trustAnchors: '/s/trust-anchors.crt',
    dev: '/s/dev',
    devTokenKey: '/s/dev/token-key.json',
    devJwks: '/s/dev/jwks.json',
    adminToken: '/s/admin-token',
    issuanceLog: '/s/issuance.log',
    dir: '/s/dir',
  });
  assert.deepEqual([tokenFile('demo', 'a'), lockSocket('policy')], ['/s/tokens/demo/a', '/s/policy.sock']);
});

test('a missing state directory is refused with words that say what to do', async (t) => {
  const folder = await temporaryFolder(t);
  const missing = join(folder, 'x');
  const file = join(folder, 'file');
  await writeFile(file, '');
  const expected: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'a directory source needs a state directory: set GATEHOUSE_STATE_DIR to a folder'],
    [
      missing,
      `the state directory ${missing} does not exist: make it (mkdir -m 700 ${missing}) or correct GATEHOUSE_STATE_DIR (--state)`,
    ],
    [file, `the state directory ${file} is a file: correct GATEHOUSE_STATE_DIR (--state)`],
  ];
  for (const [path, message] of expected) {
    await assert.rejects(openStateDir(path), { code: 'failed-precondition', message });
  }
});

test('a command that may make one makes it for its owner only, with its parents', async (t) => {
  const path = join(await temporaryFolder(t), 'a', 'b');
  assert.equal((await makeStateDir(path)).root, path);
  assert.equal(((await stat(path)).mode & 0o777).toString(8), '700');
  assert.equal((await openStateDir(path)).root, path);
});
