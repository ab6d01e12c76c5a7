import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const fixture = 'shared/core/fence/breaks-every-rule.txt';
const plugin = 'shared/core/fence/core-is-pure.grit';
const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');

/** `line rule` of every finding of the fence when the fixture lies at `path` beside the real configuration. */
const findings = async (path: string): Promise<string[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-fence-'));
  try {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await mkdir(join(folder, plugin, '..'), { recursive: true });
    await cp(join(root, 'biome.json'), join(folder, 'biome.json'));
    await cp(join(root, plugin), join(folder, plugin));
    await cp(join(root, fixture), join(folder, path));
    const { promise, resolve } = Promise.withResolvers<string>();
    const args = ['lint', '--vcs-enabled=false', '--reporter=github', '--max-diagnostics=none', path];
    execFile(process.execPath, [biome, ...args], { cwd: folder }, (_error, stdout) => resolve(stdout));
    const found = (await promise).matchAll(/title=(?:lint\/style\/)?(noRestricted\w+|plugin),.*?line=(\d+)/g);
    return [...found].map(([, rule, line]) => `${line} ${rule}`).sort();
  } finally {
    await rm(folder, { recursive: true });
  }
};

test('a core file may not import the outside, wait, read a clock or draw lots', async () => {
  const lines = (await readFile(join(root, fixture), 'utf8')).split('\n');
  const expected = lines.flatMap((line, index) => {
    const rule = /\/\/ (noRestricted\w+|plugin)$/.exec(line)?.[1];
    return rule === undefined ? [] : [`${index + 1} ${rule}`];
  });
  assert.equal(expected.length, 50);
  for (const path of ['shared/core/src/x.ts', 'services/policy/src/core/inbound/x.ts']) {
    assert.deepEqual(await findings(path), expected.sort(), path);
  }
});

test('tests of core and files outside it are not fenced', async () => {
  for (const path of ['shared/core/src/x.test.ts', 'services/policy/src/service.ts']) {
    assert.deepEqual(await findings(path), [], path);
  }
});

test('the package of core depends on nothing, so that nothing in it can reach the outside', async () => {
  const manifest = JSON.parse(await readFile(join(root, 'shared/core/package.json'), 'utf8')) as object;
  assert.deepEqual('dependencies' in manifest ? manifest.dependencies : {}, {});
});
