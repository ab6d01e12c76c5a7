import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { aCluster, names, objectsOf } from '../../../testing/install-cluster.ts';

test('uninstall names all that was installed, the CRDs if asked, and not while pods are meshed', async (t) => {
  const { api, run, apply } = await aCluster(t);
  const installed = await apply('install');
  const id = ({ apiVersion, kind, metadata }: WireObject): string => {
    const { name, namespace } = metadata as WireObject;
    return [apiVersion, kind, namespace, name].join(' ');
  };
  const all = objectsOf(await run('uninstall --crds'));
  assert.deepEqual(all.map(id).sort(), installed.map(id).sort());
  const ended = await run('uninstall');
  const kept = installed.filter(({ kind }) => kind !== 'CustomResourceDefinition');
  assert.deepEqual(objectsOf(ended).map(id).sort(), kept.map(id).sort());
  assert.equal(names(objectsOf(ended), 'Namespace').at(-1), 'gatehouse');
  assert.match(ended.err, /policies and their CustomResourceDefinitions stay/);

  const labels = { 'linkerd.io/control-plane-ns': 'gatehouse' };
  api.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-0', namespace: 'demo', labels } });
  const refused = await run('uninstall');
  assert.deepEqual([refused.code, refused.out], [1, '']);
  assert.match(
    refused.err,
    /^error: 1 pod has a proxy of this control plane \(demo\/web-0\): take the proxies out first/,
  );
  const forced = await run('uninstall --force');
  assert.equal(objectsOf(forced).length, kept.length);
  assert.match(forced.err, /they work until their certificates end/);
});

test('another namespace takes nothing of the control plane that runs', async (t) => {
  const { api, run, apply } = await aCluster(t);
  const installed = await apply('install');
  const wrong = await run('uninstall --crds --control-plane-namespace typo');
  assert.deepEqual([wrong.code, wrong.out], [1, '']);
  assert.match(
    wrong.err,
    /^error: nothing of Gatehouse is in .* in the namespace typo: .*\(it runs in gatehouse\)/,
  );
  const second = await run('install --control-plane-namespace other');
  assert.deepEqual([second.code, second.out], [1, '']);
  assert.match(
    second.err,
    /Gatehouse runs in the namespace gatehouse of .*: use --control-plane-namespace gatehouse/,
  );

  // What an installation left that was taken over is removed without what the other one needs.
  const labels = { 'app.kubernetes.io/part-of': 'gatehouse' };
  api.put(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'old', labels } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'gatehouse-policy', namespace: 'old', labels } },
  );
  const old = await run('uninstall --crds --control-plane-namespace old');
  assert.deepEqual(
    objectsOf(old).map(({ kind }) => kind),
    ['Service', 'Namespace'],
  );
  assert.match(
    old.err,
    /outside of namespaces stays, as the control plane in the namespace gatehouse needs it/,
  );
  // Where only cluster-wide objects are left, they are found.
  for (const object of installed.filter(({ metadata }) => (metadata as WireObject).namespace !== undefined))
    assert.ok(api.remove(object));
  assert.ok(names(objectsOf(await run('uninstall')), 'ClusterRole').includes('gatehouse-policy'));
});

test('a namespace in which other things are is not removed', async (t) => {
  const { api, run, apply } = await aCluster(t);
  await apply('install');
  const metadata = { name: 'db-0', namespace: 'gatehouse' };
  api.put({ apiVersion: 'v1', kind: 'Pod', metadata, status: { phase: 'Succeeded' } });
  assert.ok(names(objectsOf(await run('uninstall')), 'Namespace').includes('gatehouse'));
  api.put({ apiVersion: 'v1', kind: 'Pod', metadata, status: { phase: 'Running' } });
  const { out, err, code } = await run('uninstall');
  assert.deepEqual(names(objectsOf({ out, err, code }), 'Namespace'), []);
  assert.match(
    err,
    /the namespace gatehouse stays, as it would take with it what else is there \(pod db-0\)/,
  );
});

test('a cluster that was named is named to the user of kubectl', async (t) => {
  const { run, apply } = await aCluster(t);
  await apply('install');
  for (const line of ['install', 'upgrade', 'uninstall']) {
    assert.doesNotMatch((await run(line)).err, /give kubectl/, line);
    const named = await run(`${line} --kubeconfig kubeconfig`, {});
    assert.equal(named.code, 0, named.err);
    assert.match(
      named.err,
      /^note: this is for the cluster http\S+: give kubectl --kubeconfig kubeconfig too/,
      line,
    );
  }
});

test('a name that no namespace has is an error, wherever it comes from', async (t) => {
  const { run } = await aCluster(t);
  for (const line of ['uninstall', 'prune', 'check', 'diagnostics', 'inject -', 'identity list', 'policy']) {
    const option = await run(`${line} --control-plane-namespace ../x`);
    assert.deepEqual([option.code, option.out], [2, ''], line);
    assert.match(
      option.err,
      /--control-plane-namespace: `\.\.\/x` is not a valid namespace: use one DNS label/,
    );
  }
  const empty = await run('uninstall', { GATEHOUSE_NAMESPACE: '' });
  assert.match(empty.err, /GATEHOUSE_NAMESPACE: `` is not a valid namespace/);
});
