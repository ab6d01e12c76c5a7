import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { openScreen } from '@gatehouse/dev/demo/screen';
import { playStory } from '@gatehouse/dev/demo/story';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { ClusterStorySource } from './cluster-source.ts';
import { verdictOf } from './kill-matrix.ts';
import { promisedVerdicts, withoutAddresses } from './promised-verdicts.ts';

const skip = process.platform === 'linux' ? false : 'the reference proxy needs Linux';

test('on the fake API server every verdict is that of the story on a folder', { skip }, async () => {
  const stateRoot = await mkdtemp(join(tmpdir(), 'gatehouse-fake-story-'));
  const administrator = { username: 'tester', groups: ['system:masters'] };
  const tokens = new Map([['administrator', administrator]]);
  const fake = await startFakeApiServer({ crds: [], tokens, authorize: 'RBAC' });
  const kubeconfig = join(stateRoot, 'kubeconfig');
  await fake.kubeconfig(kubeconfig, 'administrator');
  await using cluster = await RealCluster.on({ kubeconfig, stop: () => fake.stop() });
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const end = await playStory({
    stateRoot,
    screen: openScreen({ paint: (_style, text) => text, out: say }),
    interrupted: AbortSignal.timeout(120_000),
    once: true,
    openSource: (state) => ClusterStorySource.open(cluster, state),
  });
  assert.deepEqual(end, { kind: 'told' }, `${lines.join('\n')}\n(state: ${stateRoot})`);
  assert.deepEqual(withoutAddresses(lines.flatMap(verdictOf)), promisedVerdicts);
  await rm(stateRoot, { recursive: true });
});
