import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admit, aRow, at, TestMesh } from './test-mesh.ts';

test('a granted caller gets through on the very connections that were denied before', async (t) => {
  const mesh = new TestMesh(t);
  await mesh.start();
  const backend = await mesh.pod('backend', { ports: [8080] });
  const frontend = await mesh.pod('frontend');
  mesh.push('backend', 8080, aRow());
  mesh.service('backend.demo.svc.cluster.local:8080', [at(backend, 8080)]);
  await backend.seen('row');
  const url = 'http://backend.demo:8080/hello';
  const denied = await frontend.caller.call({ url });
  assert.equal(denied.status, 403);
  mesh.push('backend', 8080, aRow({ authorizations: [admit(frontend.ip)] }));
  await backend.seen('row', ({ row }) => row.authorizations.length > 0);
  const granted = await frontend.caller.call({ url });
  assert.equal(granted.status, 200);
  assert.deepEqual(granted.connections, denied.connections);
});
