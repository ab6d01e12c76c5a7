import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkout, documentedEnvironment, Kubectl } from './cluster-commands.ts';
import { shownCommands } from './console-blocks.ts';
import { runPage } from './run-page.ts';
import { steadyCalls } from './steady-calls.ts';

/**
 * The page of the tutorial on a cluster, and with `more` what a cluster lives through between its end and the way back. A suite
 * that is skipped with a reason unless KUBECONFIG names a cluster: it installs and removes a mesh, so nobody gets it by accident.
 */
export const nodeStory = ({ more }: { readonly more: boolean }): void => {
  const skip =
    (process.env.KUBECONFIG ?? '') === '' &&
    'KUBECONFIG names no cluster that may be installed on and emptied';
  suite('the tutorial on a real cluster', { skip, timeout: 1_800_000 }, () => {
    let bin: string;
    let env: NodeJS.ProcessEnv;
    let kubectl: Kubectl;
    before(async () => {
      bin = await mkdtemp(join(tmpdir(), 'gatehouse-docs-'));
      env = await documentedEnvironment(bin);
      kubectl = new Kubectl(env);
    });
    after(() => rm(bin, { recursive: true, force: true }));

    const play = async (part: 'there' | 'back'): Promise<void> => {
      const page = shownCommands(await readFile(join(checkout, 'docs/getting-started.md'), 'utf8'));
      const turn = page.findIndex(({ command }) => command.startsWith('kubectl delete namespace demo'));
      assert.ok(turn > 0, 'the page has a way back');
      const commands = part === 'there' ? page.slice(0, turn) : page.slice(turn);
      await runPage(commands, { workingDirectory: checkout, env, say: (line) => console.log(line) });
    };

    test('docs/getting-started.md is true, command by command', () => play('there'));
    if (more) {
      test('a healthy install logs nothing above info', () => quiet(kubectl));
      test('each service restarts under 100 calls a second, and none is lost', () => restarts(kubectl, env));
      test('rollouts and a replica less are as quiet', () => fewerReplicas(kubectl));
      test('pods that are deleted come back with their policy', () => newPods(kubectl));
    }
    test('the way back is true too, and leaves nothing behind', async () => {
      await play('back');
      assert.deepEqual(await leftovers(kubectl), []);
    });
  });
};

const controlPlane = ['identity', 'destination', 'policy'].map((name) => `gatehouse-${name}`);

const quiet = async (kubectl: Kubectl): Promise<void> => {
  const loud: string[] = [];
  for (const name of controlPlane) {
    const selector = `app.kubernetes.io/name=${name}`;
    const log = await kubectl.run('logs', '-n', 'gatehouse', '-l', selector, '--tail=-1', '--prefix');
    assert.notEqual(log, '', `${name} logs something`);
    loud.push(...log.split('\n').filter((line) => /"level":"(?:warn|error|fatal)"/.test(line)));
  }
  assert.deepEqual(loud, []);
};

const verdicts = async (kubectl: Kubectl): Promise<Record<string, string>> => ({
  'frontend to 8080': await kubectl.statusOf('frontend', 'backend:8080'),
  'intruder to 8080': await kubectl.statusOf('intruder', 'backend:8080'),
  'frontend to 9000': await kubectl.statusOf('frontend', 'backend:9000'),
});

const promised = { 'frontend to 8080': '200', 'intruder to 8080': '403', 'frontend to 9000': '200' };

const restarts = async (kubectl: Kubectl, env: NodeJS.ProcessEnv): Promise<void> => {
  const calls = steadyCalls(env);
  await sleep(2_000);
  for (const name of controlPlane) {
    await kubectl.run('rollout', 'restart', '-n', 'gatehouse', `deployment/${name}`);
    await kubectl.rolledOut('gatehouse', name);
  }
  // The last of the old replicas have their grace period still; proxies connect to others in it.
  await sleep(15_000);
  const seen = await calls.stop();
  console.log(
    `answers while all three restarted: ${[...seen].map(([code, n]) => `${code}: ${n}`).join(', ')}`,
  );
  assert.deepEqual([...seen.keys()], ['200']);
  assert.ok((seen.get('200') ?? 0) > 1_000, 'calls went on all the while');
  assert.deepEqual(await verdicts(kubectl), promised);
};

const fewerReplicas = async (kubectl: Kubectl): Promise<void> => {
  await quiet(kubectl);
  for (const replicas of ['1', '2']) {
    for (const name of controlPlane)
      await kubectl.run('scale', '-n', 'gatehouse', `deployment/${name}`, `--replicas=${replicas}`);
    await kubectl.rolledOut('gatehouse');
    assert.deepEqual(await verdicts(kubectl), promised, `with ${replicas} of each`);
  }
  await quiet(kubectl);
};

const newPods = async (kubectl: Kubectl): Promise<void> => {
  for (let round = 0; round < 3; round += 1) {
    await kubectl.run('delete', 'pods', '-n', 'demo', '--all');
    await kubectl.rolledOut('demo');
    assert.deepEqual(await verdicts(kubectl), promised, `after ${round + 1} rounds`);
  }
};

/** All that is of ours by its label, in the cluster and its namespaces. */
const leftovers = async (kubectl: Kubectl): Promise<readonly string[]> => {
  const kinds = [
    'namespaces',
    'customresourcedefinitions',
    'clusterroles',
    'clusterrolebindings',
    'mutatingwebhookconfigurations',
    'validatingwebhookconfigurations',
    'deployments,services,configmaps,secrets,serviceaccounts,roles,rolebindings,networkpolicies,poddisruptionbudgets',
  ];
  const found: string[] = [];
  for (const kind of kinds) {
    const listed = await kubectl.run(
      'get',
      kind,
      '-A',
      '-l',
      'app.kubernetes.io/part-of=gatehouse',
      '-o',
      'name',
    );
    found.push(...listed.split('\n').filter((name) => name !== ''));
  }
  return found;
};
