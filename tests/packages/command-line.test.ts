import assert from 'node:assert/strict';
import { type ExecFileException, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execPath } from 'node:process';
import { before, suite, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { pack } from '@gatehouse/pack/pack';
import { checkout } from '@gatehouse/pack/programs';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';

/** npm and the command as a user has them: the Node that runs us comes first, and nothing is fetched. */
const env = {
  PATH: `${dirname(execPath)}:${process.env.PATH}`,
  HOME: process.env.HOME ?? '/',
  npm_config_offline: 'true',
  npm_config_update_notifier: 'false',
  GATEHOUSE_LOG_LEVEL: 'error',
};

const run = async (folder: string, command: string, args: readonly string[]) => {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { cwd: folder, env });
    return { code: 0, stdout, stderr };
  } catch (thrown) {
    const { code, stdout, stderr } = thrown as ExecFileException;
    return { code, stdout: `${stdout}`, stderr: `${stderr}` };
  }
};

suite('the npm package of the command line', () => {
  /** Where a user ran `npm install` of it, with a folder of manifests beside it. */
  let installed = '';
  const gatehouse = (...args: readonly string[]) =>
    run(installed, 'npx', ['--no-install', 'gatehouse', ...args]);

  before(async (t) => {
    const folder = await temporaryFolder(t as TestContext);
    await pack(join(folder, 'packed'));
    const packed = await run(folder, 'npm', ['pack', './packed', '--json']);
    assert.equal(packed.code, 0, packed.stderr);
    const [{ filename }] = JSON.parse(packed.stdout);
    installed = join(folder, 'installed');
    await mkdir(installed);
    await writeFile(join(installed, 'package.json'), '{"private": true}');
    // Without Node, which comes from the registry; it has no other dependency.
    const added = await run(installed, 'npm', ['install', '--omit=optional', join('..', filename)]);
    assert.equal(added.code, 0, added.stderr);
    await mkdir(join(installed, 'manifests'));
    await cp(join(checkout, 'dev/demo/manifests/demo.yaml'), join(installed, 'manifests/demo.yaml'));
  });

  test('has the name that its checkout has, a licence for all that it holds, and no dependency but Node', async () => {
    const folder = join(installed, 'node_modules/@gatehouse/cli');
    const { name, version, bin, dependencies, scripts, optionalDependencies } = JSON.parse(
      await readFile(join(folder, 'package.json'), 'utf8'),
    );
    const root = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8'));
    assert.deepEqual(
      { name, version, bin, dependencies, scripts, optionalDependencies },
      {
        name: '@gatehouse/cli',
        version: root.version,
        bin: {
          gatehouse: './gatehouse.mjs',
          'kubectl-gatehouse': './gatehouse.mjs',
          'kubectl_complete-gatehouse': './gatehouse.mjs',
        },
        dependencies: undefined,
        scripts: undefined,
        optionalDependencies: root.optionalDependencies,
      },
    );
    const licences = await readFile(join(folder, 'THIRD-PARTY-LICENSES'), 'utf8');
    for (const one of ['@grpc/grpc-js', '@peculiar/x509', 'commander', 'fastify', 'pino'])
      assert.match(licences, new RegExp(`^${one} \\d+\\.\\d+\\.\\d+, [\\w.-]+$`, 'm'));
    assert.deepEqual(await readdir(join(installed, 'node_modules')), [
      '.bin',
      '.package-lock.json',
      '@gatehouse',
    ]);
  });

  test('`npx gatehouse --help` lists the commands', async () => {
    const { code, stdout } = await gatehouse('--help');
    assert.equal(code, 0);
    for (const command of ['serve', 'demo', 'dev', 'policy', 'identity', 'version', 'completion'])
      assert.match(stdout, new RegExp(`^  ${command} `, 'm'));
    const plugin = await run(installed, 'npx', ['--no-install', 'kubectl-gatehouse', '--help']);
    assert.match(plugin.stdout, /^Usage: kubectl gatehouse /);
  });

  test('`install` prints the control plane', async () => {
    const { code, stdout, stderr } = await gatehouse('install', '--ignore-cluster');
    assert.equal(code, 0, stderr);
    for (const kind of ['CustomResourceDefinition', 'ClusterRole', 'Deployment'])
      assert.match(stdout, new RegExp(`^kind: ${kind}$`, 'm'));
  });

  test('`serve` runs the three services, and `dev` reaches them as a pod does', async () => {
    const bin = join(installed, 'node_modules/.bin/gatehouse');
    const args = ['serve', '--dir', 'manifests', '--port-base', '0', '-o', 'json'];
    const server = spawn(bin, args, { cwd: installed, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(server, 'close');
    try {
      const [said] = await Promise.race([
        once(server.stdout.setEncoding('utf8'), 'data'),
        closed.then(([code]) => Promise.reject(new Error(`serve ended with ${code}`))),
      ]);
      assert.deepEqual(Object.keys(JSON.parse(said)).slice(0, 3), ['identity', 'destination', 'policy']);
      const certified = await gatehouse('dev', 'certify', 'demo/backend-0', '-o', 'json');
      assert.equal(certified.code, 0, certified.stderr);
      assert.equal(
        JSON.parse(certified.stdout).certificates[0].name,
        'default.demo.serviceaccount.identity.gatehouse.cluster.local',
      );
      const watched = await gatehouse('dev', 'watch', 'demo/backend-0', '8080', '--once', '-o', 'json');
      assert.equal(watched.code, 0, watched.stderr);
      assert.equal(JSON.parse(watched.stdout).server.protocol.kind, 'detect');
    } finally {
      server.kill('SIGTERM');
      assert.deepEqual(await closed, [0, null]);
    }
  });
});
