import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { text } from 'node:stream/consumers';
import { suite, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadedModules } from '@gatehouse/testing/loaded-modules';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Runs the command as a shell would; answers its exit code and what it printed. */
const start = async (
  args: readonly string[],
  { env = {} }: { readonly env?: Record<string, string> } = {},
) => {
  const child = spawn(execPath, [main, ...args], { env: { PATH: process.env.PATH, ...env } });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  return { code: await promise, text: Buffer.concat(chunks).toString() };
};

const loadedBy = (t: TestContext, args: readonly string[]) => loadedModules(t, { main, args });

/** All that is loaded at each start; anything else is imported when a command runs: see "A command" in CONTRIBUTING.md. */
const light = [
  /^cli\/src\/[\w-]+\.ts$/,
  /^cli\/src\/commands\//,
  /^cli\/src\/print\/(?:input|output-option|read-arguments|terminal)\.ts$/,
  /^cli\/src\/reach\/reach-options\.ts$/,
  /^shared\/core\/src\//,
  /^shared\/platform\/src\/process\/run-service\.ts$/,
  /^dev\/serve\/(?:default-state-dir|service-addresses)\.ts$/,
];

suite('the start of the command line', () => {
  for (const [args, code] of [
    [['--help'], 0],
    [['identity', 'list', '--help'], 0],
    [['dev', 'watch', '--help'], 0],
    [['identty'], 2],
    [['serve', '--port-base', 'x'], 2],
  ] as const) {
    test(`\`gatehouse ${args.join(' ')}\` loads no module that a command needs to run`, async (t) => {
      const loaded = await loadedBy(t, args);
      assert.equal(loaded.code, code);
      assert.deepEqual(loaded.packages, ['commander']);
      assert.deepEqual(
        loaded.own.filter((file) => !light.some((allowed) => allowed.test(file))),
        [],
      );
    });
  }

  test('a command loads what it needs once it runs', async (t) => {
    const { code, packages } = await loadedBy(t, [
      'identity',
      'issuer',
      '--address',
      'http://127.0.0.1:1',
      '--token',
      'x',
    ]);
    assert.equal(code, 1);
    assert.ok(packages.includes('typebox'), packages.join());
  });

  test('output that cannot be written is a failure, and a reader that has gone is none', {
    skip: existsSync('/dev/full') ? false : 'there is no /dev/full',
  }, async () => {
    const help = (stdout: number | 'pipe') =>
      spawn(execPath, [main, '--help'], {
        env: { PATH: process.env.PATH },
        stdio: ['ignore', stdout, 'pipe'],
      });
    const full = openSync('/dev/full', 'w');
    const child = help(full);
    closeSync(full);
    const [[code], err] = await Promise.all([once(child, 'close'), text(child.stderr ?? assert.fail())]);
    assert.equal(code, 1);
    assert.match(err, /^error: the output could not be written: ENOSPC.*\n$/);
    const gone = help('pipe');
    gone.stdout?.destroy();
    const [[ended], said] = await Promise.all([once(gone, 'close'), text(gone.stderr ?? assert.fail())]);
    assert.deepEqual([ended, said], [0, '']);
  });

  test('what was compiled is kept where nobody else can write', async (t) => {
    const cache = await temporaryFolder(t);
    assert.equal((await start(['--help'], { env: { XDG_CACHE_HOME: cache } })).code, 0);
    const kept = join(cache, 'gatehouse', 'compiled');
    assert.equal((await stat(kept)).mode & 0o777, 0o700);
    assert.ok((await readdir(kept, { recursive: true })).length > 5);
  });

  test('without XDG_CACHE_HOME they are below the home, and a relative one counts for nothing', async (t) => {
    const home = await temporaryFolder(t);
    assert.equal((await start(['--help'], { env: { HOME: home, XDG_CACHE_HOME: 'here' } })).code, 0);
    assert.deepEqual(await readdir(join(home, '.cache', 'gatehouse')), ['compiled']);
  });

  test('nothing is kept where others can write, or nobody, and the command works all the same', async (t) => {
    const folder = await temporaryFolder(t);
    const open = join(folder, 'gatehouse', 'compiled');
    await mkdir(open, { recursive: true });
    await chmod(open, 0o777);
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    for (const cache of [folder, file, '/proc']) {
      const { code, text: printed } = await start(['--help'], { env: { XDG_CACHE_HOME: cache } });
      assert.deepEqual([code, /^Usage: gatehouse/.test(printed)], [0, true], cache);
    }
    assert.deepEqual(await readdir(open), []);
  });
});
