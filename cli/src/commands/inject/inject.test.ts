import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadYaml } from '@gatehouse/platform/kube/directory/kubernetes-yaml';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { runToEnd } from '../../../testing/run-cli.ts';
import { exitCode } from '../../exit-code.ts';

/** `input.yaml` and what becomes of it. To write them anew: `UPDATE_INJECTED=1 node --test` this file, and read the difference. */
const samples = fileURLToPath(new URL('../../../testing/injected/', import.meta.url));
const sample = (name: string): Promise<string> => readFile(join(samples, name), 'utf8');

const offline = ['--ignore-cluster'];
const manual = ['--manual', ...offline, '--trust-anchors', join(samples, 'ca.crt')];

const run = (args: readonly string[], input?: string) =>
  runToEnd(args, { workingDirectory: samples, ...(input === undefined ? {} : { input }) });

const reportOf = (err: string): readonly string[] => err.split('\n').filter((line) => line !== '');

for (const [name, args, report] of [
  ['annotated.yaml', offline, 'annotated'],
  ['manual.yaml', manual, 'injected'],
] as const) {
  test(`a manifest of every style is injected as ${name} has it`, async () => {
    const { code, out, err } = await run(['inject', ...args, 'input.yaml']);
    assert.equal(code, exitCode.ok, err);
    if (process.env.UPDATE_INJECTED === '1') await writeFile(join(samples, name), out);
    assert.equal(out, await sample(name), report);
    assert.deepEqual(reportOf(err), [
      'namespace "shop" annotated',
      'deployment "web" injected',
      'statefulset "db" injected',
      'cronjob "night" injected',
      'service "web" skipped: a Service has no pods of its own',
      'daemonset "agent" skipped: it is on its host network',
    ]);
  });

  test(`uninject makes the input of ${name} again, byte for byte`, async () => {
    const { code, out, err } = await run(['uninject', name]);
    assert.equal(code, exitCode.ok);
    assert.equal(out, await sample('input.yaml'));
    assert.deepEqual(reportOf(err), [
      'namespace "shop" uninjected',
      'deployment "web" uninjected',
      'statefulset "db" uninjected',
      'cronjob "night" uninjected',
      'service "web" skipped: nothing of it was injected',
      'daemonset "agent" skipped: nothing of it was injected',
    ]);
  });
}

test('what is injected twice is injected once', async () => {
  const annotated = await run(['inject', ...offline, 'annotated.yaml']);
  assert.equal(annotated.out, await sample('annotated.yaml'));
  const injected = await run(['inject', ...manual, 'manual.yaml']);
  assert.equal(injected.out, await sample('manual.yaml'));
  assert.match(injected.err, /deployment "web" skipped: it has a proxy already/);
});

test('what configures the proxy is written as annotations, on namespaces too', async () => {
  const manifest = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a}]}\n';
  const options = [
    '--proxy-log-level',
    'debug',
    '--skip-outbound-ports',
    '3306',
    '--enable-debug-sidecar',
    '--ingress',
  ];
  const { out } = await run(['inject', ...offline, ...options, '-'], manifest);
  const [pod] = (loadYaml(out) as { readonly value: readonly { readonly metadata: unknown }[] }).value;
  assert.deepEqual(pod?.metadata, {
    name: 'a',
    annotations: {
      'linkerd.io/inject': 'ingress',
      'config.linkerd.io/proxy-log-level': 'debug',
      'config.linkerd.io/skip-outbound-ports': '3306',
      'config.linkerd.io/enable-debug-sidecar': 'true',
    },
  });
  const service = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: db\n';
  const opaque = await run(['inject', ...offline, '--opaque-ports', '3306', '-'], service);
  assert.equal(opaque.out, `${service}  annotations:\n    config.linkerd.io/opaque-ports: "3306"\n`);
  const wrong = await run(['inject', ...offline, '--proxy-cpu-request', 'much', '-'], manifest);
  assert.equal(wrong.code, exitCode.usage);
  assert.match(wrong.err, /pod "a": .*proxy-cpu-request\]: `much` is not a valid quantity/);
});

test('one object that is wrong keeps all from being printed, and each mistake is named', async () => {
  const { code, out, err } = await run(
    ['inject', ...offline, '-'],
    `apiVersion: v1
kind: Pod
metadata: {name: a, annotations: {linkerd.io/inject: enabeld}}
spec: {containers: [{name: a}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: b}
spec: {template: {metadata: {annotations: {note: yes}}, spec: {containers: [{name: b}]}}}
`,
  );
  assert.deepEqual([code, out], [exitCode.usage, '']);
  assert.deepEqual(err.split('\n'), [
    'error: nothing is printed:',
    '  pod "a": metadata.annotations[linkerd.io/inject]: `enabeld` is not known: enabled is meant? use enabled, ingress, disabled',
    '  deployment "b": spec.template.metadata.annotations: `note` has a value that is not text: put the value in quotes',
  ]);
});

test('files, folders and URLs are read in the order in which they are named', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'more/.hidden'), { recursive: true });
  const service = (name: string): string => `kind: Service\napiVersion: v1\nmetadata: {name: ${name}}`;
  await writeFile(join(folder, 'more/b.yaml'), service('b'));
  await writeFile(
    join(folder, 'more/a.json'),
    JSON.stringify({ kind: 'Service', apiVersion: 'v1', metadata: { name: 'a' } }),
  );
  await writeFile(join(folder, 'more/.hidden/c.yaml'), 'not: [read');
  await writeFile(join(folder, 'more/notes.txt'), 'not: [read');
  const server = createServer((_request, response) => response.end(service('web')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/web.yaml`;
  const { code, out, err } = await runToEnd(['inject', ...offline, 'more', url], {
    workingDirectory: folder,
  });
  assert.equal(code, exitCode.ok, err);
  assert.deepEqual(
    out.match(/"?name"?: ?"?\w+/g)?.map((name) => name.replace(/.*[ :"]/, '')),
    ['a', 'b', 'web'],
  );
  assert.equal(out.split('\n---\n').length, 3);
});

test('what cannot be read is told with what to do', async () => {
  const cases: readonly (readonly [readonly string[], number, RegExp, string?])[] = [
    [['inject'], exitCode.usage, /nothing to inject: name a file, a folder or a URL, or - for stdin/],
    [['inject', ...offline, '-'], exitCode.usage, /nothing is piped to stdin: pipe a manifest/],
    [
      ['inject', ...offline, 'nowhere.yaml'],
      exitCode.failed,
      /nowhere\.yaml cannot be read \(ENOENT\): correct its name/,
    ],
    [
      ['inject', ...offline, '-'],
      exitCode.usage,
      /stdin: line 2, column \d+: .*fix the YAML/,
      'a: 1\na: 2\n',
    ],
    [
      ['inject', '--manual', ...offline, 'input.yaml'],
      exitCode.failed,
      /needs the trust anchors of the mesh, and --ignore-cluster: name them with --trust-anchors FILE/,
    ],
    [['inject', ...offline, '--settings', 'input.yaml', '-'], exitCode.failed, /input\.yaml is not JSON/, ''],
    [
      ['inject', ...offline, '--trust-anchors', 'input.yaml', '-'],
      exitCode.failed,
      /input\.yaml holds no certificate: use PEM/,
      '',
    ],
    [['uninject'], exitCode.usage, /missing required argument 'source'/],
  ];
  assert.equal(cases.length, 8);
  for (const [args, code, message, input] of cases) {
    const ended = await run(args, input);
    assert.equal(ended.code, code, args.join(' '));
    assert.match(ended.err, message);
  }
});

test('a stream without objects is said to be one', async () => {
  const { code, out, err } = await run(['inject', ...offline, '-'], '# nothing yet\n');
  assert.deepEqual([code, out, reportOf(err)], [exitCode.ok, '# nothing yet\n', ['‼ no objects found']]);
});
