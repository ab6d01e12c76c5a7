import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { requireFree } from './require-free.ts';

test('a second demo on the machine is told of the first, and may start once that has ended', async () => {
  const first = createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(first, 'listening');
  const { port } = first.address() as AddressInfo;
  await assert.rejects(requireFree('127.0.0.1', port), {
    code: 'failed-precondition',
    message: new RegExp(`^127\\.0\\.0\\.1:${port} is in use: another demo`),
  });
  first.close();
  await once(first, 'close');
  await requireFree('127.0.0.1', port);
  await requireFree('127.0.0.1', port);
});
