import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { silentLog } from '@gatehouse/platform/log/log';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { IssuerKeeper } from './issuer-keeper.ts';

const run = promisify(execFile);
const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

/** The first block of shell commands below a heading of docs/identity.md. */
const commandsBelow = async (heading: string): Promise<string> => {
  const page = await readFile(new URL('../../../../../docs/identity.md', import.meta.url), 'utf8');
  const block = page.slice(page.indexOf(heading)).split('```sh\n')[1]?.split('```')[0];
  assert.ok(block !== undefined, `no commands below ${heading}`);
  return block;
};

test('the CA that the page makes with openssl is accepted by identity', { skip }, async (t) => {
  const folder = await temporaryFolder(t);
  const commands = await commandsBelow('### Bring your own CA');
  await run('sh', ['-euc', commands], { cwd: folder });
  const keeper = new IssuerKeeper({
    files: { issuer: { kind: 'folder', path: folder }, anchors: [join(folder, 'ca.crt')] },
    mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
    log: silentLog,
    now: Date.now,
    onChange: async () => {},
  });
  await keeper.check();
  assert.equal(keeper.rejected, undefined, JSON.stringify(keeper.rejected));
  assert.equal(keeper.usable?.judged.certificate.name, 'CN=issuer.cluster.local');
  assert.equal(keeper.usable?.judged.anchor.name, 'CN=root.cluster.local');

  // What the page says about an expired root: a new certificate for the same key and name.
  const again = 'openssl x509 -req -in root.csr -signkey root.key -days 7300 -extfile root.ext -out ca.crt';
  await run('sh', ['-euc', again], { cwd: folder });
  await keeper.check();
  assert.equal(keeper.rejected, undefined, JSON.stringify(keeper.rejected));
  assert.equal(keeper.changes.accepted, 2);
});
