import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { onPolicyFolder } from '../../../testing/policy-folder.ts';
import { exitCode } from '../../exit-code.ts';

/** Output for people: what a reader sees is held as a whole. */
const prints = async (t: TestContext, args: readonly string[], lines: readonly string[]): Promise<void> => {
  const { run } = await onPolicyFolder(t);
  const { code, out } = await run(...args);
  assert.equal(code, exitCode.ok);
  assert.deepEqual(out.split('\n'), lines);
};

test('all who may call the pods of a Deployment are shown by port, and by which object', async (t) => {
  await prints(
    t,
    ['authz', 'deploy/backend', '-n', 'demo'],
    [
      'demo/deploy/backend: backend-0, backend-1, backend-2  backend.demo',
      'PORT        CLIENT           FROM                   REQUESTS                BECAUSE OF',
      '4191/proxy  anyone (probes)  anywhere               GET /live | GET /ready  probe',
      '8080/http   default.demo     pods app=frontend (2)  all                     nap/frontend-can-talk-to-backend',
      '9000/admin  admin.demo       anywhere               GET /admin/*            nap/admins-read',
      'others      nobody           -                      -                       default deny (cluster)',
      '',
      'nap/admins-read PartlyEnforced: There is no ServiceAccount demo/admin.',
    ],
  );
});

test('all workloads with a label are shown, those alike together', async (t) => {
  await prints(
    t,
    ['authz', '-l', 'app=backend', '-n', 'demo'],
    [
      'demo/agent',
      'Anyone may call every port. Open, not enforced: the pod is on its host network.',
      'Without effect here, though the labels fit: nap/admins-read,',
      '  nap/frontend-can-talk-to-backend.',
      '',
      'demo/deploy/backend: backend-0, backend-1, backend-2  backend.demo',
      'PORT        CLIENT           FROM                   REQUESTS                BECAUSE OF',
      '4191/proxy  anyone (probes)  anywhere               GET /live | GET /ready  probe',
      '8080/http   default.demo     pods app=frontend (2)  all                     nap/frontend-can-talk-to-backend',
      '9000/admin  admin.demo       anywhere               GET /admin/*            nap/admins-read',
      'others      nobody           -                      -                       default deny (cluster)',
      '',
      'nap/admins-read PartlyEnforced: There is no ServiceAccount demo/admin.',
    ],
  );
});

test('of all namespaces every workload is shown that the list of policy shows', async (t) => {
  const { run } = await onPolicyFolder(t);
  const shown = JSON.parse((await run('authz', '-A', '-o', 'json')).out).items;
  const listed = JSON.parse((await run('policy', '-A', '-o', 'json')).out).items;
  const names: string[] = shown.flatMap(
    ({ pods, workload: { namespace } }: { pods: string[]; workload: { namespace: string } }) =>
      pods.map((pod) => `${namespace}/${pod}`),
  );
  const expected = listed.flatMap(
    ({ workload }: { workload: { kind: string; namespace: string; name: string } }) =>
      workload.kind === 'Pod' ? [`${workload.namespace}/${workload.name}`] : [],
  );
  assert.ok(new Set(names.map((name) => name.split('/')[0])).size > 1, names.join());
  assert.deepEqual(names.sort(), expected.sort());
  const backends = JSON.parse((await run('authz', '-A', '-l', 'app=backend', '-o', 'json')).out).items;
  assert.ok(backends.length > 0 && backends.length < shown.length);
});

test('a route, a rejected policy and a default are each said to be the reason', async (t) => {
  await prints(
    t,
    ['authz', 'demo/orders-0'],
    [
      'demo/orders-0  default.demo',
      'PORT        CLIENT           FROM      REQUESTS                BECAUSE OF',
      '4191/proxy  anyone (probes)  anywhere  GET /live | GET /ready  probe',
      '8080/http   backend.demo     anywhere  GET /orders/*           authzpolicy/backend-reads-orders',
      '9000/grpc   nobody           -         -                       nap/grpc-callers (rejected)',
      'others      nobody           -         -                       default deny (cluster)',
      '',
      'nap/grpc-callers: It could not be read (spec.sorces: unknown field: remove it;',
      '  known here: target, ports, sources, rules, mode, allowUnnormalizedPaths): it',
      '  grants nothing, and what its target and ports still name is closed to all whom',
      '  no other policy admits.',
    ],
  );
  await prints(
    t,
    ['authz', 'open/web'],
    [
      'open/web  default.open',
      'PORT        CLIENT  FROM      REQUESTS  BECAUSE OF',
      '4191/proxy  anyone  anywhere  all       default all-unauthenticated (namespace)',
      '8080/http   anyone  anywhere  all       default all-unauthenticated (namespace)',
      '9443        anyone  anywhere  all       not enforced: skipped-port',
      'others      anyone  anywhere  all       default all-unauthenticated (namespace)',
      '',
      'port 9443: Open, not enforced: the port is in skip-inbound-ports.',
    ],
  );
});

test('of a pod without a proxy one sentence says that anyone may call it', async (t) => {
  await prints(
    t,
    ['authz', 'demo/batch'],
    [
      'demo/batch',
      'Anyone may call every port. Open, not enforced: the pod has no proxy: the',
      '  annotation linkerd.io/inject says disabled.',
    ],
  );
});

test('where nobody may call, the answer says what to do next', async (t) => {
  const { run } = await onPolicyFolder(t);
  const { code, out, err } = await run('authz', 'frontend-0', '-n', 'demo');
  assert.equal(code, exitCode.ok);
  assert.match(out, /\nothers +nobody +- +- +default deny \(cluster\)$/);
  assert.match(
    err,
    /^nobody may call it: admit clients by a NetworkAuthenticationPolicy .*`gatehouse policy demo\/frontend-0`/,
  );
});

test('wide has whole names and every address, and on a narrow terminal sentences stand for the table', async (t) => {
  const { run, runAt } = await onPolicyFolder(t);
  const wide = await run('authz', 'backend-0', '-n', 'demo', '-o', 'wide');
  assert.match(
    wide.out,
    /\n8080\/http +default\.demo\.serviceaccount\.identity\.gatehouse\.cluster\.local +127\.[\d.]+, 127\.[\d.]+ +all +nap\//,
  );
  const narrow = await runAt(60, 'authz', 'backend-0', '-n', 'demo');
  assert.deepEqual(narrow.out.split('\n'), [
    'demo/backend-0  backend.demo',
    '4191/proxy',
    '  anyone (probes) from anywhere: GET /live | GET /ready, by',
    '    probe',
    '8080/http',
    '  default.demo from pods app=frontend (2): all, by',
    '    nap/frontend-can-talk-to-backend',
    '9000/admin',
    '  admin.demo from anywhere: GET /admin/*, by nap/admins-read',
    'others',
    '  nobody, by default deny (cluster)',
    '',
    'nap/admins-read PartlyEnforced: There is no ServiceAccount demo/admin.',
  ]);
});

test('programs get the clients of each port with the objects behind them', async (t) => {
  const { run } = await onPolicyFolder(t);
  const { out } = await run('authz', 'deploy/backend', '-n', 'demo', '-o', 'json');
  const [item, ...others] = JSON.parse(out).items;
  assert.deepEqual([others.length, item.pods], [0, ['backend-0', 'backend-1', 'backend-2']]);
  const http = item.ports.find(({ port }: { port: { first: number } }) => port.first === 8080);
  const [client] = http.clients;
  assert.deepEqual(client.by.object, {
    group: 'policy.linkerd.io',
    kind: 'NetworkAuthenticationPolicy',
    namespace: 'demo',
    name: 'frontend-can-talk-to-backend',
  });
  assert.deepEqual(client.source.podSelector.matchLabels, { app: 'frontend' });
  assert.equal(client.networks.length, 2);
  assert.equal(item.otherPorts.access, 'closed');
});

test('what does not exist is told with where to look', async (t) => {
  const { run } = await onPolicyFolder(t);
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [
      ['authz', 'demo/nobody'],
      exitCode.failed,
      /no pod demo\/nobody: `gatehouse policy -n demo` on the same mesh or folder/,
    ],
    [
      ['authz', 'deploy/nobody', '-n', 'demo'],
      exitCode.failed,
      /no pod .* demo is of deploy\/nobody: `gatehouse/,
    ],
    [['authz', 'a/b/c'], exitCode.usage, /names no workload: use POD, NAMESPACE\/POD/],
    [['authz'], exitCode.usage, /say one of WORKLOAD, --selector and --all-namespaces/],
    [['authz', 'demo/web', '-l', 'app'], exitCode.usage, /say one of WORKLOAD, --selector and/],
    [['authz', 'demo/web', '-A'], exitCode.usage, /say one of WORKLOAD, --selector and --all-namespaces/],
    [
      ['authz', '-A', '-n', 'demo'],
      exitCode.usage,
      /'-A, --all-namespaces' cannot be used with .*--namespace/,
    ],
    [
      ['authz', '-A', '-l', 'app=nobody'],
      exitCode.failed,
      /no workload of any namespace .* has the labels `app=nobody`/,
    ],
    [
      ['authz', '-l', 'app=nobody', '-n', 'demo'],
      exitCode.failed,
      /no workload .* demo has the labels `app=nobody`/,
    ],
    [['authz', '-l', 'app in a'], exitCode.usage, /selector: `app in a` is not a requirement/],
    [['authz', 'x', '--state', 'y'], exitCode.usage, /'--dir <folder>' cannot be used with option '--state/],
  ];
  assert.equal(cases.length, 11);
  for (const [args, code, message] of cases) {
    const ended = await run(...args);
    assert.equal(ended.code, code, args.join(' '));
    assert.match(ended.err, message);
  }
});
