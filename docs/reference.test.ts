import assert from 'node:assert/strict';
import { glob, readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { settingNames } from '@gatehouse/platform/settings/setting-names';
import { referencePages } from './generator/pages.ts';
import { askServices } from './generator/running-services.ts';
import { proxyVariables, variables } from './generator/settings-page.ts';

const folder = new URL('reference/', import.meta.url);

test('the reference says what the code says: node docs/generate-reference.ts brings it up to date', async () => {
  const pages = await referencePages();
  assert.deepEqual((await readdir(folder)).sort(), Object.keys(pages).sort());
  assert.equal(Object.keys(pages).length, 9);
  for (const [name, text] of Object.entries(pages)) {
    const written = await readFile(new URL(name, folder), 'utf8');
    assert.equal(written, text, `docs/reference/${name} is out of date: run node docs/generate-reference.ts`);
  }
});

test('every metric says in a sentence what it means', async () => {
  const metrics = (await askServices()).flatMap((told) => told.metrics);
  assert.ok(metrics.length > 40, `only ${metrics.length} metrics were looked at`);
  for (const { name, help } of metrics) assert.match(help, /^[A-Z].*\.$/, name);
});

test('a variable is known exactly when some part reads it', () => {
  const read = [
    ...variables().map(({ setting }) => setting.variable),
    ...proxyVariables.map(([name]) => name),
  ];
  assert.deepEqual([...settingNames].sort(), read.sort());
});

const root = fileURLToPath(new URL('..', import.meta.url));

const sources = async (path: string): Promise<string[]> => {
  const files: string[] = [];
  for await (const name of glob(`${path}/**/*.ts`, {
    cwd: root,
    exclude: ['**/node_modules', '**/*.test.ts'],
  })) {
    files.push(`${root}/${name}`);
  }
  return files;
};

test('no source file speaks of a variable that nobody knows', async () => {
  const known: readonly string[] = settingNames;
  const files = (await Promise.all(['shared', 'services', 'dev', 'cli/src'].map(sources))).flat();
  assert.ok(files.length > 150, `only ${files.length} files were looked at`);
  const unknown = new Set<string>();
  for (const file of files) {
    for (const [name] of (await readFile(file, 'utf8')).matchAll(
      /\bGATEHOUSE_[A-Z0-9_]*[A-Z0-9](?![A-Z0-9_\\])/g,
    )) {
      // What Kubernetes itself puts into pods beside a Service `gatehouse-webhook` (config.ts).
      if (!known.includes(name) && !name.startsWith('GATEHOUSE_WEBHOOK_')) unknown.add(`${name} in ${file}`);
    }
  }
  assert.deepEqual([...unknown], []);
});
