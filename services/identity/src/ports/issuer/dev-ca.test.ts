import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { silentLog } from '@gatehouse/platform/log/log';
import { makeStateDir } from '@gatehouse/platform/state/state-dir';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { ensureDevCa } from './dev-ca.ts';
import { IssuerKeeper } from './issuer-keeper.ts';

describe('the embedded CA', () => {
  it('passes the check that every issuer must pass', async (test) => {
    const state = await makeStateDir(await temporaryFolder(test));
    await ensureDevCa(state, 'cluster.local', Date.now());
    const keeper = new IssuerKeeper({
      files: {
        issuer: { kind: 'files', certificate: state.issuerCert, key: state.issuerKey },
        anchors: [state.trustAnchors],
      },
      mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
      log: silentLog,
      now: Date.now,
      onChange: async () => {},
    });
    await keeper.check();
    assert.deepEqual(keeper.rejected, undefined);
    assert.equal(keeper.usable?.judged.certificate.name, 'CN=issuer.cluster.local');
    assert.equal(keeper.usable?.judged.anchor.name, 'CN=root.cluster.local');
    assert.equal(keeper.usable?.judged.certificate.ca?.pathLength, 0);
  });

  it('keeps its keys to its owner', async (test) => {
    const state = await makeStateDir(await temporaryFolder(test));
    await ensureDevCa(state, 'cluster.local', Date.now());
    for (const path of [state.rootKey, state.issuerKey]) {
      assert.equal((await stat(path)).mode & 0o777, 0o600, path);
    }
  });

  it('is one for all who make it at the same time, and stays', async (test) => {
    const state = await makeStateDir(await temporaryFolder(test));
    await Promise.all(Array.from({ length: 8 }, () => ensureDevCa(state, 'cluster.local', Date.now())));
    const anchors = await readFile(state.trustAnchors, 'utf8');
    assert.equal(anchors, await readFile(state.rootCert, 'utf8'));
    await ensureDevCa(state, 'cluster.local', Date.now());
    assert.equal(await readFile(state.trustAnchors, 'utf8'), anchors);
  });
});
