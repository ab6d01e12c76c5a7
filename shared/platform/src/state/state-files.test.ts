import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import {
  makeFileOnce,
  makeFolderOnce,
  makePrivateFolder,
  readStateFile,
  replaceFile,
} from './state-files.ts';

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

test('of many who need a file first, one makes it and all read the same', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'sub', 'token');
  const made = await Promise.all(
    Array.from({ length: 20 }, (_, index) => makeFileOnce(path, 'private', () => `token ${index}`)),
  );
  assert.equal(new Set(made).size, 1);
  assert.equal(await readFile(path, 'utf8'), made[0]);
  assert.deepEqual(await readdir(join(folder, 'sub')), ['token']);
  assert.deepEqual([await modeOf(path), await modeOf(join(folder, 'sub'))], ['600', '700']);
});

test('of many who need a folder first, one makes it, and its files belong together', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'ca');
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      makeFolderOnce(path, async () => ({
        'root.key': { secrecy: 'private', content: `key ${index}` },
        'root.crt': { secrecy: 'public', content: `crt ${index}` },
      })),
    ),
  );
  const key = await readFile(join(path, 'root.key'), 'utf8');
  assert.equal(await readFile(join(path, 'root.crt'), 'utf8'), key.replace('key', 'crt'));
  assert.deepEqual(await readdir(folder), ['ca']);
  assert.deepEqual(await Promise.all(['', 'root.key', 'root.crt'].map((name) => modeOf(join(path, name)))), [
    '700',
    '600',
    '644',
  ]);
});

test('a maker that fails leaves nothing behind, and the next one succeeds', async (t) => {
  const folder = await temporaryFolder(t);
  const failing = async () => {
    throw new Error('no entropy');
  };
  await assert.rejects(makeFileOnce(join(folder, 'token'), 'private', failing), /no entropy/);
  await assert.rejects(makeFolderOnce(join(folder, 'ca'), failing), /no entropy/);
  assert.deepEqual(await readdir(folder), []);
  assert.equal(await makeFileOnce(join(folder, 'token'), 'private', () => 'x'), 'x');
});

test('an empty folder of that name is filled, a filled one is kept as it is', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'dev');
  const make = (content: string) => async () => ({ key: { secrecy: 'private' as const, content } });
  await mkdir(path);
  await makeFolderOnce(path, make('first'));
  await makeFolderOnce(path, make('second'));
  assert.equal(await readFile(join(path, 'key'), 'utf8'), 'first');
});

test('a replaced file is the old or the new one, and gets the secrecy asked for', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'demo', 'frontend');
  const long = (letter: string): string => letter.repeat(100_000);
  await replaceFile(path, 'private', long('a'));
  const reads: Promise<string>[] = [];
  for (const letter of ['b', 'c', 'd']) {
    const writing = replaceFile(path, 'private', long(letter));
    reads.push(readFile(path, 'utf8'), readFile(path, 'utf8'));
    await writing;
  }
  for (const text of await Promise.all(reads)) assert.equal(text, long(text[0] ?? ''));
  assert.equal(await readFile(path, 'utf8'), long('d'));
  assert.deepEqual([await modeOf(path), await readdir(join(folder, 'demo'))], ['600', ['frontend']]);
});

test('a file that is missing is named', async (t) => {
  const path = join(await temporaryFolder(t), 'token-key.json');
  await assert.rejects(readStateFile(path), {
    code: 'failed-precondition',
    message: `${path} cannot be read (ENOENT)`,
  });
});

test('a folder where a file is needed is an error, not an endless wait', async (t) => {
  const folder = await temporaryFolder(t);
  await makePrivateFolder(join(folder, 'token'));
  await assert.rejects(
    makeFileOnce(join(folder, 'token'), 'private', () => 'x'),
    { code: 'EISDIR' },
  );
  await writeFile(join(folder, 'file'), 'x');
  await assert.rejects(
    makeFolderOnce(join(folder, 'file'), async () => ({})),
    { code: 'ENOTDIR' },
  );
});
