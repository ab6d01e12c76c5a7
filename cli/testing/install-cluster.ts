import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type FakeApiServer, startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { parseAllDocuments } from 'yaml';
import { type Ended, runToEnd } from './run-cli.ts';

export interface Fixture {
  readonly folder: string;
  readonly api: FakeApiServer;
  /** A command line on that cluster, in that folder. */
  readonly run: (line: string, env?: Readonly<Record<string, string>>) => Promise<Ended>;
  /** The same, whose objects are applied. */
  readonly apply: (line: string) => Promise<readonly WireObject[]>;
}

export const aCluster = async (t: TestContext): Promise<Fixture> => {
  const folder = await temporaryFolder(t);
  const api = await startFakeApiServer({ crds: [] });
  t.after(() => api.stop());
  const kubeconfig = join(folder, 'kubeconfig');
  await api.kubeconfig(kubeconfig);
  const run: Fixture['run'] = (line, env = { KUBECONFIG: kubeconfig }) =>
    runToEnd(line.split(' '), { workingDirectory: folder, env });
  const apply: Fixture['apply'] = async (line) => {
    const objects = objectsOf(await run(line));
    api.put(...objects);
    return objects;
  };
  return { folder, api, run, apply };
};

export const objectsOf = (ended: Ended): readonly WireObject[] => {
  assert.equal(ended.code, 0, ended.err);
  return parseAllDocuments(ended.out).map((document): WireObject => document.toJS());
};

export const names = (objects: readonly WireObject[], kind: string): readonly string[] =>
  objects
    .filter((object) => object.kind === kind)
    .map(({ metadata }) => String((metadata as WireObject).name));
