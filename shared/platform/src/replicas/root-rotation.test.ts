import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anAuthority, aTlsMaterial, type TestAuthority } from '@gatehouse/dev/certificates';
import { policyName as name, ReplicaSet, type TestReplica } from '@gatehouse/testing/replica-set';
import { ask, token } from '@gatehouse/testing/started-admin';

const missing = async ({ admin }: TestReplica): Promise<readonly { replica: string; reason: string }[]> =>
  (await ask(`${admin.url}/v1/streams`, { token })).json.partial;

test('while roots are rotated step by step, replica after replica, every answer is whole', async (t) => {
  const set = await ReplicaSet.start(t);
  const [old, next] = [set.root, anAuthority({ name: 'next root' })];
  const replicas = await Promise.all(['p-0', 'p-1', 'p-2'].map((pod) => set.add(pod)));
  const steps: readonly (readonly [signer: TestAuthority, roots: readonly TestAuthority[]])[] = [
    [old, [old]],
    [old, [old, next]],
    [next, [old, next]],
    [next, [next]],
  ];
  for (const [signer, roots] of steps) {
    for (const replica of replicas) {
      replica.admin.replaceTlsMaterial(aTlsMaterial(signer, { name, roots }));
      for (const asked of replicas) assert.deepEqual(await missing(asked), [], asked.pod);
    }
  }
});

test('a replica that was left behind with the old root is named by the others, and names them', async (t) => {
  const set = await ReplicaSet.start(t);
  const next = anAuthority({ name: 'next root' });
  const [first, second, behind] = await Promise.all(['p-0', 'p-1', 'p-2'].map((pod) => set.add(pod)));
  assert.ok(first && second && behind);
  for (const replica of [first, second, behind]) assert.deepEqual(await missing(replica), []);
  for (const { admin } of [first, second]) {
    admin.replaceTlsMaterial(aTlsMaterial(next, { name }));
  }
  const named = async (replica: TestReplica): Promise<readonly string[]> =>
    (await missing(replica)).map((one) => one.replica);
  assert.deepEqual(await named(first), ['p-2']);
  assert.deepEqual(await named(second), ['p-2']);
  // Though it has connections from before.
  assert.deepEqual(await named(behind), ['p-0', 'p-1']);
});
