import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { type FakeApiServer, startFakeApiServer } from './fake-api-server.ts';
import { readManifests } from './read-manifests.ts';

const kubectl = join(process.env.KUBEBUILDER_ASSETS ?? '', 'kubectl');
const skip = !existsSync(kubectl) && 'KUBEBUILDER_ASSETS names no folder with kubectl';
const generated = join(import.meta.dirname, '../../deploy/crds/generated');

const workload = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: demo }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - { name: app, image: a, ports: [ { containerPort: 8080 } ] }
        - { name: side, image: b }
`;
const policy = `
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthenticationPolicy
metadata: { name: web, namespace: demo }
spec:
  target: { selector: { matchLabels: { app: web } } }
  sources: [ { podSelector: {} } ]
`;

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const aKubectl = async (t: TestContext) => {
  const folder = await temporaryFolder(t);
  const server = await startFakeApiServer({ controllers: true, crds: await readManifests(generated) });
  t.after(() => server.stop());
  await server.kubeconfig(join(folder, 'kubeconfig'));
  await writeFile(join(folder, 'web.yaml'), workload);
  await writeFile(join(folder, 'policy.yaml'), policy);
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    new Promise((resolve) => {
      const settings = {
        KUBECONFIG: join(folder, 'kubeconfig'),
        HOME: folder,
        PATH: `${process.env.PATH}`,
        ...env,
      };
      execFile(kubectl, args, { cwd: folder, env: settings, timeout: 60_000 }, (error, out, err) =>
        resolve({ code: error === null ? 0 : 1, out: out.trim(), err: err.trim() }),
      );
    });
  /** What it prints; it must succeed. */
  const ok = async (text: string, env?: Readonly<Record<string, string>>): Promise<string> => {
    const { code, out, err } = await run(text.split(' '), env);
    assert.equal(code, 0, `kubectl ${text}: ${err}`);
    return out;
  };
  return { ok, run, server, folder };
};

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of an object is checked by its assertions
const read = (server: FakeApiServer, apiVersion: string, kind: string): Record<string, any> =>
  (server.read({ apiVersion, kind, metadata: { name: 'web', namespace: 'demo' } }) ?? {}) as Record<
    string,
    unknown
  >;

suite('kubectl as people use it', { skip, timeout: 180_000 }, () => {
  test('creates what it sends as protobuf, and a token of it', async (t) => {
    const { ok, run, server } = await aKubectl(t);
    assert.equal(await ok('create namespace demo'), 'namespace/demo created');
    assert.match(await ok('get serviceaccounts -n demo'), /^NAME +AGE\ndefault +\d+s$/);
    await ok('create serviceaccount web -n demo');
    const token = await ok('create token web -n demo --duration 20m --audience gatehouse');
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    assert.deepEqual(
      [claims.sub, claims.aud, claims.exp - claims.iat],
      ['system:serviceaccount:demo:web', ['gatehouse'], 1200],
    );
    await ok('create configmap web -n demo --from-literal=a=b');
    await ok('create secret generic web -n demo --from-literal=a=b');
    assert.deepEqual(read(server, 'v1', 'ConfigMap').data, { a: 'b' });
    assert.deepEqual(read(server, 'v1', 'Secret').data, { a: 'Yg==' });
    await ok('create rolebinding web -n demo --clusterrole=admin --serviceaccount=demo:web');
    assert.equal(await ok('auth can-i get pods -n demo'), 'yes');
    const deployment = await run(['create', 'deployment', 'x', '-n', 'demo', '--image=i']);
    assert.match(deployment.err, /accepted media types include: application\/json/);
  });

  test('applies, by the client and by the server, and changes only what changed', async (t) => {
    const { ok, server, folder } = await aKubectl(t);
    await ok('create namespace demo');
    assert.equal(await ok('apply -f web.yaml'), 'deployment.apps/web created');
    assert.equal(await ok('apply -f web.yaml'), 'deployment.apps/web unchanged');
    assert.equal(await ok('diff -f web.yaml'), '');
    await ok('patch deployment web -n demo -p {"metadata":{"labels":{"by":"hand"}}}');
    await writeFile(
      join(folder, 'web.yaml'),
      workload.replace(/ {8}- \{ name: side.*\n/, '').replace('image: a', 'image: c'),
    );
    assert.equal(await ok('apply -f web.yaml'), 'deployment.apps/web configured');
    const { spec, metadata } = read(server, 'apps/v1', 'Deployment');
    assert.deepEqual(spec.template.spec.containers, [
      { name: 'app', image: 'c', ports: [{ containerPort: 8080 }] },
    ]);
    assert.deepEqual(metadata.labels, { by: 'hand' });
    assert.match(await ok('apply -f policy.yaml --server-side'), /serverside-applied$/);
    assert.match(await ok('apply -f web.yaml --dry-run=server'), /unchanged \(server dry run\)$/);
  });

  test('labels, edits, restarts and deletes', async (t) => {
    const { ok, server } = await aKubectl(t);
    await ok('create namespace demo');
    await ok('apply -f web.yaml -f policy.yaml');
    await ok('label deployment,nap --all -n demo team=red');
    await ok('annotate deployment web -n demo a=b');
    await ok('set image deployment/web side=z -n demo');
    await ok('rollout restart deployment/web -n demo');
    const edited = await ok('edit deployment web -n demo', { EDITOR: 'sed -i s/replicas:.1/replicas:\\ 3/' });
    assert.equal(edited, 'deployment.apps/web edited');
    const { spec, metadata } = read(server, 'apps/v1', 'Deployment');
    assert.deepEqual(
      [spec.replicas, spec.template.spec.containers.map(({ image }: { image: string }) => image)],
      [3, ['a', 'z']],
    );
    assert.deepEqual(metadata.labels, { team: 'red' });
    await ok('edit nap web -n demo', { EDITOR: 'sed -i s/app:.web/app:\\ api/' });
    assert.match(
      JSON.stringify(read(server, 'policy.linkerd.io/v1alpha1', 'NetworkAuthenticationPolicy').spec),
      /"app":"api"/,
    );
    assert.match(await ok('delete -f policy.yaml'), /"web" deleted/);
    assert.match(await ok('delete namespace demo'), /"demo" deleted/);
    assert.equal(
      server.read({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: 'demo' },
      }),
      undefined,
    );
  });

  test('scales, restarts, and sees the pods come and go', async (t) => {
    const { ok, run } = await aKubectl(t);
    await ok('create namespace demo');
    await ok('apply -f web.yaml');
    const pods = () => ok('get pods -n demo -o name');
    assert.equal(await pods(), 'pod/web-0');
    assert.equal(await ok('scale deployment web -n demo --replicas=3'), 'deployment.apps/web scaled');
    assert.equal(await pods(), 'pod/web-0\npod/web-1\npod/web-2');
    const other = await run(['scale', 'deploy/web', '-n', 'demo', '--current-replicas=2', '--replicas=1']);
    assert.match(other.err, /Expected replicas to be 2, was 3/);
    await ok('scale deploy/web -n demo --current-replicas=3 --replicas=1');
    assert.equal(await pods(), 'pod/web-0');
    assert.match(await ok('get deployment web -n demo --subresource=scale'), /web/);
    const uid = () => ok('get pod web-0 -n demo -o jsonpath={.metadata.uid}');
    const before = await uid();
    await ok('rollout restart deployment/web -n demo');
    assert.equal(
      await ok('rollout status deployment/web -n demo --timeout 20s'),
      'deployment "web" successfully rolled out',
    );
    assert.notEqual(await uid(), before);
    assert.match(await ok('get deployment web -n demo'), /\nweb +1\/1 /);
    await ok('delete deployment web -n demo');
    assert.equal(await pods(), '');
  });

  test('shows with `get all` what runs, and with the category of policies those', async (t) => {
    const { ok } = await aKubectl(t);
    await ok('create namespace demo');
    for (const file of ['web.yaml', 'policy.yaml']) await ok(`apply -f ${file}`);
    const all = await ok('get all -n demo -o name');
    assert.match(all, /^deployment\.apps\/web$/m);
    assert.doesNotMatch(all, /networkauthenticationpolicy/);
    assert.equal(await ok('get policy -n demo -o name'), 'networkauthenticationpolicy.policy.linkerd.io/web');
  });

  test('prints the columns of the CRD by its short name, explains its fields, and follows changes', async (t) => {
    const { ok } = await aKubectl(t);
    await ok('create namespace demo');
    await ok('apply -f policy.yaml');
    assert.match(
      await ok('get nap -A'),
      /^NAMESPACE +NAME +MODE +PODS +SOURCES +EFFECTIVE +AGE\ndemo +web .*\ds$/,
    );
    assert.match(await ok('get ns demo'), /^NAME +STATUS +AGE\ndemo +Active +\d+s$/);
    assert.match(await ok('get nap web -n demo -o yaml'), /\n {4}selector:\n/);
    assert.match(await ok('explain nap.spec.sources'), /FIELD: sources <\[\]Object>/);
    assert.match(
      await ok('api-resources --api-group policy.linkerd.io'),
      /\nnetworkauthenticationpolicies +nap +policy/,
    );
    assert.match(await ok('get nap -n demo -w --request-timeout 2s'), /^NAME +MODE/);
  });
});
