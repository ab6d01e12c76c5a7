import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { release } from '@gatehouse/core/release';

const root = join(import.meta.dirname, '..');

test('the code says the release that every package.json says', async () => {
  const versions = new Map<string, string | undefined>();
  const packages = [
    'package.json',
    '{shared,services,deploy}/*/package.json',
    '{cli,dev,docs,bench,tests}/package.json',
  ];
  for await (const path of glob(packages, { cwd: root })) {
    const { version } = JSON.parse(await readFile(join(root, path), 'utf8'));
    if (version !== undefined) versions.set(path, version);
  }
  assert.equal(versions.get('package.json'), release);
  assert.equal(versions.get('cli/package.json'), release);
  assert.deepEqual(
    [...versions].filter(([, version]) => version !== release),
    [],
  );
});
