import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Attempt, evaluate } from '@gatehouse/core/inbound/evaluate-inbound';
import { DirectorySource } from '@gatehouse/platform/kube/directory/directory-source';
import { matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import { silentLog } from '@gatehouse/platform/log/log';
import { ipOf } from '@gatehouse/testing/inbound-attempt';
import { ManifestFolder } from '@gatehouse/testing/manifest-folder';
import { aPolicy } from './a-policy.ts';
import { identified, trafficOf } from './situation.ts';

/** A policy service that reads the folder, and what it makes of a request to the backend. */
export const aFolderMesh = async (t: TestContext, files: Readonly<Record<string, string>>) => {
  const folder = await ManifestFolder.make();
  t.after(() => folder[Symbol.asyncDispose]());
  for (const [file, text] of Object.entries(files)) await folder.put(file, text);
  const policy = aPolicy(t);
  const source = new DirectorySource({
    path: folder.path,
    controlPlaneNamespace: 'gatehouse',
    log: silentLog,
    quietMs: 1,
    pollMs: 10,
  });
  const verdict = async (who: string, request: string): Promise<string> => {
    const row = await policy.watch.look({ namespace: 'demo', pod: 'backend', port: 8080 });
    assert.ok(row, 'the backend is expected to be known');
    const attempt: Attempt = { client: ipOf('10.0.0.9'), tls: identified(who), traffic: trafficOf(request) };
    const said = evaluate(row.compiled.server, attempt, matchesWhole);
    return said.kind === 'allowed' ? 'allowed' : said.reason;
  };
  const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
    const deadline = performance.now() + 10_000;
    while (!(await holds())) {
      assert.ok(performance.now() < deadline, 'it is expected to happen within 10 s');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const start = async (): Promise<void> => {
    policy.follow(source);
    await until(() => policy.watch.isReady);
  };
  return { folder, watch: policy.watch, verdict, until, start };
};
