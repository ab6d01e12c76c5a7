import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { execPath } from 'node:process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { printKubeconfig } from '@gatehouse/dev/api-server/kubeconfig';
import { loadedModules } from '@gatehouse/testing/loaded-modules';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { runCli } from '../../cli.ts';
import { exitCode } from '../../exit-code.ts';
import { scripts } from './scripts.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../../main.ts', import.meta.url));

const named = (apiVersion: string, kind: string, name: string, namespace?: string) => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});

const objects = [
  named('v1', 'Namespace', 'demo'),
  named('v1', 'Namespace', 'depot'),
  named('v1', 'Pod', 'web-0', 'demo'),
  named('v1', 'Pod', 'api-0', 'demo'),
  named('v1', 'Pod', 'here-0', 'default'),
  named('apps/v1', 'Deployment', 'web', 'demo'),
  named('policy.linkerd.io/v1alpha1', 'NetworkAuthenticationPolicy', 'web', 'demo'),
  named('policy.linkerd.io/v1beta3', 'Server', 'web-http', 'demo'),
];

/** A cluster, and what completion offers of it to a command line. */
const aCluster = async (t: TestContext) => {
  const folder = await temporaryFolder(t);
  const server = await startFakeApiServer({ objects });
  t.after(() => server.stop());
  await server.kubeconfig(join(folder, 'kubeconfig'));
  return { server, folder, offered: (...words: readonly string[]) => offered(folder, words) };
};

const offered = async (folder: string, words: readonly string[]): Promise<string> => {
  const lines: string[] = [];
  const out = (text: string): void => void lines.push(text);
  const code = await runCli(['__complete', '--', ...words], {
    terminal: { columns: 80, isTty: false, out, err: out, paint: (_, text) => text },
    env: { KUBECONFIG: join(folder, 'kubeconfig') },
    workingDirectory: folder,
    interrupted: new AbortController().signal,
  });
  assert.equal(code, exitCode.ok);
  return lines.join(' ').replaceAll('\n', ' ');
};

/** A busy machine may need more than the 2 s, after which nothing is offered; a person tries again, too. */
const patiently = async (ask: () => Promise<string>): Promise<string> => {
  let answer = await ask();
  for (let tries = 1; answer === '' && tries < 10; tries += 1) answer = await ask();
  return answer;
};

test('names are offered where each kind of them may stand, of the namespace that the line says', async (t) => {
  const { offered: ask } = await aCluster(t);
  const cases: readonly (readonly [words: readonly string[], offered: string])[] = [
    [['policy', '-n', 'de'], 'default demo depot'],
    [['policy', '--namespace=dem'], '--namespace=demo'],
    [['policy', '-n', 'demo', ''], 'api-0 web-0'],
    [['policy', '--namespace=demo', 'w'], 'web-0'],
    [['authz', ''], 'here-0'],
    [['authz', 'demo/'], 'demo/api-0 demo/web-0'],
    [['authz', '-n', 'demo', 'deploy/'], 'deploy/web'],
    [['identity', '-n', 'demo', 'api-0', ''], 'api-0 web-0'],
    [['identity', 'list', '-n', 'demo', '--pod', ''], 'api-0 web-0'],
    [['endpoints', '--from', 'demo/w'], 'demo/web-0'],
    [['rollout', 'status', '-n', 'demo', ''], 'nap/web srv/web-http'],
    [['rollout', 'status', '-n', 'demo', 'server/'], 'server/web-http'],
    [['policy', '--control-plane-namespace', 'dep'], 'depot'],
    // Nobody of the cluster: a folder, another server, the port, the pod of a dev mesh.
    [['policy', '--dir', '.', '-n', ''], ''],
    [['policy', '--address', 'http://127.0.0.1:1', '-n', ''], ''],
    [['policy', 'web-0', ''], ''],
    [['dev', 'token', ''], ''],
  ];
  assert.equal(cases.length, 17);
  for (const [words, expected] of cases) {
    const answer = expected === '' ? ask(...words) : patiently(() => ask(...words));
    assert.equal(await answer, expected, words.join(' '));
  }
});

test('a cluster that refuses, is not there, or is none at all offers nothing, and says nothing', async (t) => {
  const { server, folder, offered: ask } = await aCluster(t);
  server.faults.inject({ kind: 'status', code: 403 }, { resource: 'namespaces' });
  assert.equal(await ask('policy', '-n', ''), '');
  assert.match(
    await patiently(() => ask('policy', '-n', '')),
    /demo/,
    'the fault hit the first question alone',
  );
  await server.away(async () => assert.equal(await ask('policy', '-n', ''), ''));
  for (const text of ['', 'no: [yaml'])
    assert.equal(await writeFile(join(folder, 'kubeconfig'), text).then(() => ask('policy', '-n', '')), '');
  assert.equal(await offered(join(folder, 'nowhere'), ['policy', '-n', '']), '');
});

test('a cluster that does not answer is waited for 2 s', async (t) => {
  const folder = await temporaryFolder(t);
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  t.after(() => silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  await writeFile(join(folder, 'kubeconfig'), printKubeconfig({ server: `http://127.0.0.1:${port}` }));
  const before = performance.now();
  assert.equal(await offered(folder, ['policy', '-n', '']), '');
  const tookMs = performance.now() - before;
  assert.ok(tookMs > 1_900 && tookMs < 8_000, `${tookMs} ms`);
});

test('a credential plugin that waits for input does not hold the shell', async (t) => {
  const folder = await temporaryFolder(t);
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'sleep',
    args: ['20'],
    interactiveMode: 'Never',
  };
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'u', user: { exec } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  await writeFile(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
  const env = { PATH: process.env.PATH, KUBECONFIG: join(folder, 'kubeconfig') };
  const before = performance.now();
  const { stdout } = await run(execPath, [main, '__complete', '--', 'policy', '-n', ''], {
    cwd: folder,
    env,
  });
  assert.equal(stdout, '');
  assert.ok(performance.now() - before < 15_000, `${performance.now() - before} ms`);
});

test('what asks a cluster is loaded only where a name of one is wanted', async (t) => {
  const { code, packages } = await loadedModules(t, { main, args: ['__complete', '--', 'policy', '-o', ''] });
  assert.deepEqual([code, packages], [0, ['commander']]);
});

const missing = (shell: string): false | string =>
  spawnSync(shell, ['-c', 'true']).status === 0 ? false : `${shell} is not installed`;

const asks = {
  bash: `COMP_WORDS=(gatehouse authz -n demo demo/w) COMP_CWORD=4
_gatehouse
printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Without a line editor there is no _describe: what it would show.
  zsh: `compdef() { : }
_describe() { print -l -- "\${(@P)2}" }
words=(gatehouse authz -n demo demo/w) CURRENT=5
_gatehouse`,
  fish: `complete --do-complete 'gatehouse authz -n demo demo/w'`,
} as const;

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  test(`${shell} completes them`, { skip: missing(shell) }, async (t) => {
    const folder = await temporaryFolder(t);
    const server = await startFakeApiServer({ objects });
    t.after(() => server.stop());
    await server.kubeconfig(join(folder, 'kubeconfig'));
    await symlink(main, join(folder, 'gatehouse'));
    const definition = shell === 'zsh' ? `compdef() { : }\n${scripts.zsh}` : scripts[shell];
    const env = {
      PATH: `${folder}:${dirname(execPath)}:${process.env.PATH}`,
      HOME: folder,
      KUBECONFIG: join(folder, 'kubeconfig'),
    };
    const ask = async (): Promise<string> =>
      (await run(shell, ['-c', `${definition}\n${asks[shell]}`], { cwd: folder, env })).stdout.trim();
    assert.equal(await patiently(ask), 'demo/web-0');
  });
}
