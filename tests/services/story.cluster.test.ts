import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { openScreen } from '@gatehouse/dev/demo/screen';
import { playStory, type StoryOptions } from '@gatehouse/dev/demo/story';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { ClusterStorySource } from './cluster-source.ts';
import { verdictOf } from './kill-matrix.ts';
import { promisedVerdicts, withoutAddresses } from './promised-verdicts.ts';

const { assets, skip: noAssets } = realApiServerAssets();
const skip = noAssets || (process.platform !== 'linux' && 'the reference proxy needs Linux');

suite("the seed's story on a real API server", { skip, timeout: 600_000 }, () => {
  /** Tells the story on a cluster of its own, with real objects, tokens and processes; answers what was on the screen. */
  const tell = async (kill?: StoryOptions['kill']) => {
    await using cluster = await RealCluster.start(assets, { authorization: 'RBAC' });
    const stateRoot = await mkdtemp(join(tmpdir(), 'gatehouse-cluster-story-'));
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const end = await playStory({
      stateRoot,
      screen: openScreen({ paint: (_style, text) => text, out: say }),
      interrupted: AbortSignal.timeout(240_000),
      once: true,
      openSource: (state) => ClusterStorySource.open(cluster, state),
      ...(kill === undefined ? {} : { kill }),
    });
    if (end.kind === 'told') await rm(stateRoot, { recursive: true });
    return { end, output: lines.join('\n'), verdicts: withoutAddresses(lines.flatMap(verdictOf)), stateRoot };
  };

  test('every verdict is that of the story on a folder', async () => {
    const { end, output, verdicts, stateRoot } = await tell();
    assert.deepEqual(end, { kind: 'told' }, `${output}\n(state: ${stateRoot})`);
    assert.deepEqual(verdicts, promisedVerdicts);
  });

  for (const [service, step] of [
    ['identity', 2],
    ['policy', 4],
  ] as const) {
    test(`${service} killed in step ${step} and started again changes no verdict`, async () => {
      const { end, output, verdicts, stateRoot } = await tell({ service, step });
      assert.deepEqual(end, { kind: 'told' }, `${output}\n(state: ${stateRoot})`);
      assert.deepEqual(verdicts, promisedVerdicts);
    });
  }
});
