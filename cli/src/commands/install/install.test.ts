import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { anAuthority } from '@gatehouse/dev/certificates';
import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import { aCluster, names, objectsOf } from '../../../testing/install-cluster.ts';
import { runToEnd } from '../../../testing/run-cli.ts';

const find = (objects: readonly WireObject[], kind: string, name: string): WireObject | undefined =>
  objects.find((object) => object.kind === kind && (object.metadata as WireObject).name === name);

const dataOf = (objects: readonly WireObject[], kind: string, name: string): WireObject => {
  const data = find(objects, kind, name)?.data;
  assert.ok(isWireObject(data), `${kind} ${name}`);
  return data;
};

const rootsIn = (objects: readonly WireObject[]): string =>
  String(dataOf(objects, 'ConfigMap', 'gatehouse-trust-roots')['ca-bundle.crt']);

const givenIn = (objects: readonly WireObject[]): unknown =>
  JSON.parse(String(dataOf(objects, 'ConfigMap', 'gatehouse-config')['values.json']));

/** A root and an issuer below it, in files of the folder. */
const ownCa = async (folder: string) => {
  const root = anAuthority({ name: 'our root' });
  const issuer = anAuthority({ name: 'our issuer', issuedBy: root });
  await writeFile(join(folder, 'ca.crt'), root.pem);
  await writeFile(join(folder, 'issuer.crt'), `a comment\n${issuer.pem}`);
  await writeFile(join(folder, 'issuer.key'), issuer.key.export({ type: 'sec1', format: 'pem' }));
  return { root, issuer };
};

const ownFiles =
  '--identity-trust-anchors-file ca.crt --identity-issuer-certificate-file issuer.crt --identity-issuer-key-file issuer.key';

test('the first installation makes a root and an issuer below it, and says that the root cannot be used again', async (t) => {
  const { run } = await aCluster(t);
  const ended = await run('install --set policyController.enabled=true');
  const objects = objectsOf(ended);
  const root = new X509Certificate(rootsIn(objects));
  const secret = dataOf(objects, 'Secret', 'gatehouse-issuer');
  const issuer = new X509Certificate(Buffer.from(String(secret['tls.crt']), 'base64'));
  assert.ok(root.ca && issuer.ca && issuer.verify(root.publicKey));
  assert.match(
    ended.err,
    /^note: a new trust root was made, valid until \d{4}-\d\d-\d\d; its key is kept nowhere/,
  );
  assert.equal(names(objects, 'CustomResourceDefinition').length, 11);
  assert.equal(names(objects, 'Deployment').length, 3);
});

test('over a running installation the root is kept, and the key is not printed again', async (t) => {
  const { run, apply } = await aCluster(t);
  const first = await apply('install');
  const ended = await run('install');
  const second = objectsOf(ended);
  assert.equal(rootsIn(second), rootsIn(first));
  assert.deepEqual(names(second, 'Secret'), []);
  assert.equal(ended.err, '');
});

test('an installation of which half is missing is not completed with another root', async (t) => {
  const { api, run, apply } = await aCluster(t);
  const objects = await apply('install');
  for (const [kind, name, other] of [
    ['Secret', 'gatehouse-issuer', 'ConfigMap gatehouse-trust-roots'],
    ['ConfigMap', 'gatehouse-trust-roots', 'Secret gatehouse-issuer'],
  ] as const) {
    const object = find(objects, kind, name);
    assert.ok(object !== undefined && api.remove(object));
    const { code, out, err } = await run('install');
    assert.deepEqual([code, out], [1, '']);
    assert.match(
      err,
      new RegExp(`^error: ${other} exists in the namespace gatehouse, but ${kind} ${name} does not: give`),
    );
    api.put(object);
  }
});

const linkerdInjector = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: 'linkerd-proxy-injector-webhook-config' },
  webhooks: [],
};

test("beside Linkerd's injector it must be said which namespaces are ours", async (t) => {
  const { api, run, apply } = await aCluster(t);
  api.put(linkerdInjector);
  const refused = await run('install');
  assert.deepEqual([refused.code, refused.out], [1, '']);
  assert.match(
    refused.err,
    /^error: Linkerd's injector is in this cluster.*add --set injector\.namespaces=claimed/,
  );
  const selectors = (objects: readonly WireObject[]): readonly string[] => {
    const { webhooks = [] } = find(objects, 'MutatingWebhookConfiguration', 'gatehouse-injector') ?? {};
    return (webhooks as readonly WireObject[]).map(({ namespaceSelector }) =>
      JSON.stringify(namespaceSelector),
    );
  };
  const claimed = '{"key":"gatehouse.dev/control-plane-ns","operator":"In","values":["gatehouse"]}';
  const all = selectors(objectsOf(await run('install --set injector.namespaces=all')));
  assert.ok(all.every((selector) => !selector.includes(claimed)));
  const some = selectors(await apply('install --set injector.namespaces=claimed'));
  assert.deepEqual([some.length, some.every((selector) => selector.includes(claimed))], [3, true]);
  // An upgrade keeps it, and a cluster that is not asked is not looked at.
  assert.ok(selectors(objectsOf(await run('upgrade'))).every((selector) => selector.includes(claimed)));
  assert.equal((await run('install --ignore-cluster')).code, 0);
  assert.equal((await run('install --set injector.enabled=false')).code, 0);
});

test('a cluster that does not answer is an error, and --ignore-cluster does not ask it', async (t) => {
  const { api, run } = await aCluster(t);
  await api.away(async () => {
    const { code, out, err } = await run('install');
    assert.deepEqual([code, out], [1, '']);
    assert.match(
      err,
      /whether Gatehouse runs there is not known; correct the kubeconfig, or use --ignore-cluster/,
    );
    assert.equal(objectsOf(await run('install --ignore-cluster')).length > 40, true);
    assert.equal(objectsOf(await run('install --crds')).length, 11);
  });
});

test('without a cluster a new root is made, and what that means is said', async (t) => {
  const { run, folder } = await aCluster(t);
  const home = process.env.HOME;
  process.env.HOME = folder;
  t.after(() => {
    process.env.HOME = home;
  });
  const { code, err } = await run('install', {});
  assert.equal(code, 0, err);
  assert.match(err, /^note: no cluster is known, so it is not known whether Gatehouse runs there already/);
});

test('certificates from files are checked as identity would, and only they are printed', async (t) => {
  const { run, folder } = await aCluster(t);
  const { root, issuer } = await ownCa(folder);
  const objects = objectsOf(await run(`install ${ownFiles}`));
  assert.deepEqual(new X509Certificate(rootsIn(objects)).raw, new X509Certificate(root.pem).raw);
  const secret = dataOf(objects, 'Secret', 'gatehouse-issuer');
  const text = (key: string): string => Buffer.from(String(secret[key]), 'base64').toString();
  assert.deepEqual(new X509Certificate(text('tls.crt')).raw, new X509Certificate(issuer.pem).raw);
  assert.ok(text('tls.crt').startsWith('-----BEGIN CERTIFICATE-----'));
  assert.equal(text('tls.key'), issuer.key.export({ type: 'pkcs8', format: 'pem' }));

  await writeFile(join(folder, 'ca.crt'), anAuthority({ name: 'another root' }).pem);
  const { code, out, err } = await run(`install ${ownFiles}`);
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /^error: the issuer cannot be used:\n {2}.*does not chain to a trust anchor/);
});

test('another bundle must be one that the running issuer is below, and roots that it leaves out are told', async (t) => {
  const { run, apply, folder } = await aCluster(t);
  const { root } = await ownCa(folder);
  await apply(`install ${ownFiles}`);
  const next = anAuthority({ name: 'next root' });
  await writeFile(join(folder, 'both.crt'), root.pem + next.pem);
  await writeFile(join(folder, 'next.crt'), next.pem);
  const both = await run('upgrade --identity-trust-anchors-file both.crt');
  assert.equal(rootsIn(objectsOf(both)).match(/BEGIN/g)?.length, 2);
  assert.equal(both.err, '');
  const { code, out, err } = await run('upgrade --identity-trust-anchors-file next.crt');
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /^error: the issuer cannot be used:\n {2}.*does not chain to a trust anchor/);

  const issuer = anAuthority({ name: 'next issuer', issuedBy: next });
  await writeFile(join(folder, 'issuer.crt'), issuer.pem);
  await writeFile(join(folder, 'issuer.key'), issuer.key.export({ type: 'pkcs8', format: 'pem' }));
  const replaced = await run(`upgrade ${ownFiles.replace('ca.crt', 'next.crt')}`);
  assert.equal(replaced.code, 0, replaced.err);
  assert.match(replaced.err, /^note: a root of the mesh that runs will not be trusted any more/);
});

test("with cert-manager's issuer or an external CA only the rest is printed", async (t) => {
  const { run, folder } = await aCluster(t);
  await ownCa(folder);
  const scheme = '--set identity.issuer.scheme=kubernetes.io/tls';
  const issuedElsewhere = objectsOf(await run(`install ${scheme} --identity-trust-anchors-file ca.crt`));
  assert.deepEqual(names(issuedElsewhere, 'Secret'), []);
  assert.match(rootsIn(issuedElsewhere), /BEGIN CERTIFICATE/);
  const allElsewhere = objectsOf(await run(`install ${scheme} --set identity.externalCA=true`));
  assert.deepEqual(names(allElsewhere, 'Secret'), []);
  assert.deepEqual(names(allElsewhere, 'ConfigMap'), ['gatehouse-config']);
});

test('options that contradict each other, or are half, are usage errors', async (t) => {
  const { run, folder } = await aCluster(t);
  await ownCa(folder);
  await writeFile(join(folder, 'empty.key'), '');
  const cases: readonly (readonly [string, RegExp])[] = [
    ['--identity-issuer-key-file issuer.key', /belong together: give both/],
    [
      '--identity-issuer-certificate-file issuer.crt --identity-issuer-key-file issuer.key',
      /the issuer needs its root beside it/,
    ],
    ['--identity-trust-anchors-file ca.crt', /needs the issuer below it/],
    ['--set identity.issuer.scheme=kubernetes.io/tls', /the roots that the mesh trusts are not known/],
    [`--set identity.issuer.scheme=kubernetes.io/tls ${ownFiles}`, /leave out its files/],
    ['--set identity.externalCA=true', /needs an issuer below that CA/],
    ['--set identity.externalCA=true --identity-trust-anchors-file ca.crt', /leave out their file/],
    [ownFiles.replace('issuer.key', 'empty.key'), /its key|private key/],
    [ownFiles.replace('ca.crt', 'nothing.crt'), /nothing\.crt.* cannot be read \(ENOENT\)/],
    ['-f nothing.yaml', /nothing\.yaml cannot be read \(ENOENT\): correct its name/],
    ['--set replica=3', /replica: unknown value: replicas is meant\?/],
    ['--set replicas', /`replicas` is not an assignment: use NAME=VALUE/],
    ['--crds --skip-crds', /cannot be used with/],
  ];
  assert.equal(cases.length, 13);
  for (const [options, message] of cases) {
    const { code, out, err } = await run(`install ${options}`);
    assert.deepEqual([code, out], [2, ''], options);
    assert.match(err, message, options);
  }
});

test('values come from files, then from single values; the namespace from its own option', async (t) => {
  const { run, folder } = await aCluster(t);
  await writeFile(join(folder, 'a.yaml'), 'replicas: 4\nlogLevel: debug\n');
  await writeFile(join(folder, 'b.json'), '{"logLevel": "warn"}');
  const objects = objectsOf(
    await run('install --skip-crds --set replicas=5 -f a.yaml -f b.json --control-plane-namespace mesh'),
  );
  assert.deepEqual(givenIn(objects), { namespace: 'mesh', replicas: 5, logLevel: 'warn' });
  assert.ok(names(objects, 'Namespace').includes('mesh'));
});

test('values can be piped in, and nothing is waited for where nothing is', async () => {
  const line = 'install --ignore-cluster --skip-crds -f -'.split(' ');
  const objects = objectsOf(await runToEnd(line, { input: 'replicas: 7\n' }));
  assert.deepEqual(givenIn(objects), { replicas: 7 });
  const bad = await runToEnd(line, { input: '- a\n' });
  assert.match(bad.err, /^error: standard input: holds a list: write an object of values/);
  const { code, err } = await runToEnd(line);
  assert.deepEqual([code, err], [2, 'error: -f - reads values from standard input, but nothing is piped in']);
});

test('an upgrade keeps values and root; installing again with other values says so', async (t) => {
  const { run, apply } = await aCluster(t);
  const first = await apply('install --set replicas=4 --set logLevel=debug');
  const ended = await run('upgrade --set logLevel=null --set trustDomain=cluster.local -o json');
  assert.deepEqual([ended.code, ended.err], [0, '']);
  const objects = JSON.parse(ended.out).items as readonly WireObject[];
  assert.deepEqual(givenIn(objects), { trustDomain: 'cluster.local', replicas: 4 });
  assert.equal(rootsIn(objects), rootsIn(first));
  assert.match(
    (await run('install')).err,
    /^note: Gatehouse was installed there with other values; `gatehouse upgrade` would/,
  );
});

test('what was never installed cannot be upgraded or pruned, and nothing moves to another namespace', async (t) => {
  const { run, apply } = await aCluster(t);
  for (const line of ['upgrade', 'prune', 'uninstall']) {
    const { code, out, err } = await run(line);
    assert.deepEqual([code, out], [1, ''], line);
    assert.match(err, /^error: nothing /, line);
  }
  await apply('install');
  assert.match(
    (await run('upgrade --set namespace=other')).err,
    /nothing is installed in the namespace other/,
  );
});
