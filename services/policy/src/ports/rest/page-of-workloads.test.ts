import assert from 'node:assert/strict';
import test from 'node:test';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { AdminCaller } from '@gatehouse/platform/http/authenticator';
import { type Asking, Permitted } from '@gatehouse/platform/http/permitted';
import { anExternalWorkload, aPod } from '@gatehouse/testing/builders';
import { pageOfWorkloads, type WorkloadsQuery } from './page-of-workloads.ts';

const indexOf = (...pods: readonly ReturnType<typeof aPod>[]): ResourceIndex => {
  const index = new ResourceIndex();
  index.apply([{ type: 'reset', kind: 'Pod', objects: pods }]);
  return index;
};

/** A caller who may see these namespaces; undefined = all. */
const asking = (...visible: readonly string[]): Permitted<string> => {
  const mayRead = async (_resource: string, namespace: string | undefined): Promise<boolean> =>
    visible.length === 0 || (namespace !== undefined && visible.includes(namespace));
  const request = {
    caller: { name: 'jane', mayRead } as unknown as AdminCaller,
    routeOptions: { url: '/v1/workloads', config: { access: { reads: 'workloads' } } },
  } as unknown as Asking;
  return new Permitted(request, (namespace) => namespace);
};

const all = async (
  index: ResourceIndex,
  permitted: Permitted<string>,
  query: WorkloadsQuery,
): Promise<readonly string[]> => {
  const names: string[] = [];
  let mark: string | undefined;
  do {
    const page = await pageOfWorkloads(index, permitted, { ...query, continue: mark });
    assert.ok(page.items.length <= (query.limit ?? 100));
    names.push(...page.items.map(({ meta }) => `${meta.namespace}/${meta.name}`));
    mark = page.continue;
  } while (mark !== undefined);
  return names;
};

// `a-b` sorts before `a` where a slash follows, and after it as a namespace.
const namespaces = ['a', 'a-b', 'b', 'c'];
const pods = namespaces.flatMap((namespace) =>
  Array.from({ length: 23 }, (_, at) =>
    aPod({
      namespace,
      name: `p-${(at * 7) % 23}`,
      owner: { kind: 'Deployment', name: at % 2 === 0 ? 'even' : 'odd' },
      labels: { third: `${at % 3}` },
    }),
  ),
);
const inOrder = (namespace: string): readonly string[] =>
  pods
    .filter(({ meta }) => meta.namespace === namespace)
    .map(({ meta }) => `${namespace}/${meta.name}`)
    .sort();

test('pages over all pods hold each once, by namespace and name, whatever the limit', async () => {
  const index = indexOf(...pods);
  for (const limit of [1, 2, 5, 23, 24, 91, 92, 1000]) {
    assert.deepEqual(await all(index, asking(), { limit }), namespaces.flatMap(inOrder), `${limit}`);
  }
});

test('a caller who may see some namespaces gets full pages of those alone', async () => {
  const index = indexOf(...pods);
  for (const limit of [3, 40, 100]) {
    assert.deepEqual(await all(index, asking('a-b', 'c'), { limit }), ['a-b', 'c'].flatMap(inOrder));
  }
  assert.deepEqual(await all(index, asking('none'), {}), []);
});

test('a namespace and an owner narrow the list', async () => {
  const index = indexOf(...pods);
  assert.deepEqual(await all(index, asking(), { namespace: 'b', limit: 4 }), inOrder('b'));
  const even = await all(index, asking(), { namespace: 'b', owner: 'Deployment/even', limit: 4 });
  assert.equal(even.length, 12);
  assert.deepEqual(await all(index, asking(), { owner: 'StatefulSet/even' }), []);
});

test('ExternalWorkloads come after the pods of their namespace, and a kind narrows the list', async () => {
  const index = indexOf(...pods);
  const outside = ['a', 'c', 'd'].flatMap((namespace) => [
    anExternalWorkload({ namespace, name: 'vm-1' }),
    // Of the name of a pod.
    anExternalWorkload({ namespace, name: 'p-1' }),
  ]);
  index.apply([{ type: 'reset', kind: 'ExternalWorkload', objects: outside }]);
  const vms = (namespace: string): readonly string[] => [`${namespace}/p-1`, `${namespace}/vm-1`];
  const whole = [
    ...inOrder('a'),
    ...vms('a'),
    ...inOrder('a-b'),
    ...inOrder('b'),
    ...inOrder('c'),
    ...vms('c'),
    ...vms('d'),
  ];
  for (const limit of [1, 2, 23, 24, 25, 1000])
    assert.deepEqual(await all(index, asking(), { limit }), whole, `${limit}`);
  const external = await all(index, asking(), { kind: 'ExternalWorkload', limit: 2 });
  assert.deepEqual(external, ['a', 'c', 'd'].flatMap(vms));
  assert.deepEqual(await all(index, asking(), { kind: 'Pod', namespace: 'c', limit: 5 }), inOrder('c'));
  assert.deepEqual(await all(index, asking('d'), {}), vms('d'));
  assert.deepEqual(await all(index, asking(), { owner: 'Deployment/even', namespace: 'd' }), []);
});

test('a selector narrows pages to the labels asked for, among what the caller may see', async () => {
  const index = indexOf(...pods);
  const externals = [
    anExternalWorkload({ namespace: 'c', name: 'vm-1', labels: { third: '1' } }),
    anExternalWorkload({ namespace: 'c', name: 'vm-2', labels: {} }),
  ];
  index.apply([{ type: 'reset', kind: 'ExternalWorkload', objects: externals }]);
  const of = (namespace: string, ...thirds: readonly string[]): readonly string[] =>
    pods
      .filter(({ meta }) => meta.namespace === namespace && thirds.includes(meta.labels.third ?? ''))
      .map(({ meta }) => `${namespace}/${meta.name}`)
      .sort();
  for (const limit of [1, 2, 7, 8, 9, 1000]) {
    const seen = await all(index, asking('a-b', 'c'), { selector: 'third=1', limit });
    assert.deepEqual(seen, [...of('a-b', '1'), ...of('c', '1'), 'c/vm-1'], `${limit}`);
    const some = await all(index, asking(), { selector: 'third in (0,2)', namespace: 'b', limit });
    assert.deepEqual(some, of('b', '0', '2'), `${limit}`);
  }
  assert.equal(of('c', '1').length, 8);
  assert.deepEqual(await all(index, asking(), { selector: '!third' }), ['c/vm-2']);
  const both = await all(index, asking(), { selector: 'third!=0', owner: 'Deployment/even', namespace: 'a' });
  assert.equal(both.length, 8);
  assert.deepEqual(await all(index, asking(), { selector: '', namespace: 'a' }), inOrder('a'));
  assert.deepEqual(await all(index, asking('none'), { selector: 'third' }), []);
});

test('a mark that no page has said is refused', async () => {
  const index = indexOf(...pods);
  for (const mark of [
    'x',
    Buffer.from('a').toString('base64url'),
    Buffer.from('a/b/c').toString('base64url'),
  ]) {
    await assert.rejects(pageOfWorkloads(index, asking(), { continue: mark }), { code: 'invalid-argument' });
  }
});
