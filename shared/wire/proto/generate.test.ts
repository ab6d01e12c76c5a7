import assert from 'node:assert/strict';
import { appendFile, cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { differences, generatedDirectory } from './generate.ts';

test('the committed code is what the protos give', async () => {
  assert.deepEqual(await differences(generatedDirectory), []);
});

test('code that was edited, forgotten or left over is named', async (t) => {
  const copy = await temporaryFolder(t);
  await cp(generatedDirectory, copy, { recursive: true });
  await appendFile(join(copy, 'io/linkerd/proxy/net.ts'), '// edited\n');
  await rm(join(copy, 'io/linkerd/proxy/meta.ts'));
  await writeFile(join(copy, 'io/linkerd/proxy/spare.ts'), '');
  assert.deepEqual(await differences(copy), [
    'io/linkerd/proxy/meta.ts is missing',
    'io/linkerd/proxy/net.ts differs',
    'io/linkerd/proxy/spare.ts comes from no proto',
  ]);
});
