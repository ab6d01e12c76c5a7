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

test('every workload of a namespace is listed, alike pods together, and why policy is not enforced on some', async (t) => {
  await prints(
    t,
    ['policy', '-n', 'demo'],
    [
      'WORKLOAD             PORT        PROTOCOL  ADMITS  GOVERNED BY',
      'agent                all         -         anyone  not enforced: host-network',
      'deploy/backend (3)   4191/proxy  detect    nobody  default deny (cluster)',
      'deploy/backend (3)   8080/http   detect    some    nap/frontend-can-talk-to-backend',
      'deploy/backend (3)   9000/admin  detect    some    nap/admins-read',
      'deploy/backend (3)   others      detect    nobody  default deny (cluster)',
      'batch                all         -         anyone  not enforced: unmeshed',
      'deploy/frontend (2)  4191/proxy  detect    nobody  default deny (cluster)',
      'deploy/frontend (2)  others      detect    nobody  default deny (cluster)',
      'sts/orders           4191/proxy  detect    nobody  default deny (cluster)',
      'sts/orders           8080/http   http1     some    srv/orders-http',
      'sts/orders           9000/grpc   detect    nobody  nap/grpc-callers (rejected)',
      'sts/orders           others      detect    nobody  default deny (cluster)',
      '',
      'agent: Open, not enforced: the pod is on its host network.',
      'batch: Open, not enforced: the pod has no proxy: the annotation',
      '  linkerd.io/inject says disabled.',
      'nap/admins-read PartlyEnforced: On pod agent it is open, not enforced: the pod',
      '  is on its host network. (and 1 more finding)',
      'nap/frontend-can-talk-to-backend PartlyEnforced: On pod agent it is open, not',
      '  enforced: the pod is on its host network.',
      'nap/grpc-callers Rejected: spec.sorces: unknown field: remove it; known here:',
      '  target, ports, sources, rules, mode, allowUnnormalizedPaths',
    ],
  );
});

test('ports that an open default governs, and a port that skips the proxy, are told apart', async (t) => {
  await prints(
    t,
    ['policy', '-n', 'open'],
    [
      'WORKLOAD  PORT        PROTOCOL  ADMITS  GOVERNED BY',
      'web       4191/proxy  detect    anyone  default all-unauthenticated (namespace)',
      'web       8080/http   detect    anyone  default all-unauthenticated (namespace)',
      'web       9443        -         anyone  not enforced: skipped-port',
      'web       others      detect    anyone  default all-unauthenticated (namespace)',
    ],
  );
  await prints(
    t,
    ['policy', 'open/web', '9443'],
    ['open/web  default.open  port 9443', 'Open, not enforced: the port is in skip-inbound-ports.'],
  );
});

test('a workload is shown by port, with what its author should know of an object that could not be read', async (t) => {
  await prints(
    t,
    ['policy', 'demo/orders-0'],
    [
      'demo/orders-0  default.demo',
      'PORT        PROTOCOL  ADMITS  GOVERNED BY',
      '4191/proxy  detect    nobody  default deny (cluster)',
      '8080/http   http1     some    srv/orders-http',
      '9000/grpc   detect    nobody  nap/grpc-callers (rejected)',
      'others      detect    nobody  default deny (cluster)',
      '',
      'nap/grpc-callers: It could not be read (spec.sorces: unknown field: remove it;',
      '  known here: target, ports, sources, rules, mode, allowUnnormalizedPaths): it',
      '  grants nothing, and what its target and ports still name is closed to all whom',
      '  no other policy admits.',
    ],
  );
});

test('a port is shown in full: a Server with routes, rules behind their guard, an open default, and nobody', async (t) => {
  await prints(
    t,
    ['policy', 'sts/orders', 'http', '-n', 'demo'],
    [
      'demo/sts/orders: orders-0  default.demo  port 8080/http',
      '  protocol     HTTP/1',
      '  governed by  srv/orders-http, base deny',
      '  admits       backend.demo from anywhere: GET /orders/*, by authzpolicy/backend-reads-orders',
      '  routes       httproute/orders-api: GET /orders/*',
      '  denies       requests that no route matches: 404',
      '               all other requests: 403',
    ],
  );
  await prints(
    t,
    ['policy', 'demo/deploy/backend', 'admin'],
    [
      'demo/deploy/backend: backend-0, backend-1, backend-2  backend.demo  port 9000/admin',
      '  protocol     HTTP where the first bytes look like it, else bytes',
      '  governed by  nap/admins-read, base deny',
      '  admits       admin.demo from anywhere: GET /admin/*, by nap/admins-read',
      '  denies       all other requests, and those whose path is not normalized: 403',
    ],
  );
  await prints(
    t,
    ['policy', 'open/web', '8080'],
    [
      'open/web  default.open  port 8080/http',
      '  protocol     HTTP where the first bytes look like it, else bytes',
      '  governed by  default all-unauthenticated (namespace)',
      '  admits       anyone from anywhere: everything, by default all-unauthenticated (namespace)',
    ],
  );
  await prints(
    t,
    ['policy', 'demo/orders-0', '9000'],
    [
      'demo/orders-0  default.demo  port 9000/grpc',
      '  protocol     HTTP where the first bytes look like it, else bytes',
      '  governed by  nap/grpc-callers (rejected), base deny',
      '  admits       nobody',
      '  denies       all requests: 403',
      '',
      'nap/grpc-callers: It could not be read (spec.sorces: unknown field: remove it;',
      '  known here: target, ports, sources, rules, mode, allowUnnormalizedPaths): it',
      '  grants nothing, and what its target and ports still name is closed to all whom',
      '  no other policy admits.',
    ],
  );
});

test('a pod on which nothing is enforced says why, and what selects it without effect', async (t) => {
  await prints(
    t,
    ['policy', 'demo/agent'],
    [
      'demo/agent',
      'Open, not enforced: the pod is on its host network.',
      'Without effect here, though the labels fit: nap/admins-read,',
      '  nap/frontend-can-talk-to-backend.',
    ],
  );
});

test('a list without pods says what to do, and one of all namespaces names them', async (t) => {
  const { run } = await onPolicyFolder(t);
  const none = await run('policy', '-n', 'nowhere');
  assert.deepEqual([none.code, none.out], [exitCode.ok, '']);
  assert.match(none.err, /no workload in the namespace nowhere: name another with -n, or use -A/);
  const all = await run('policy', '-A');
  assert.match(all.out, /\ndemo\/deploy\/backend \(3\) +8080\/http /);
  assert.match(all.out, /\nopen\/web +9443 +- +anyone +not enforced: skipped-port\n/);
  const json = JSON.parse((await run('policy', '-n', 'demo', '-o', 'json')).out);
  assert.deepEqual(
    json.items.map(({ workload, enforcement }: Record<string, Record<string, string>>) => [
      workload?.name,
      enforcement?.reason,
    ]),
    [
      ['agent', 'host-network'],
      ['backend-0', null],
      ['backend-1', null],
      ['backend-2', null],
      ['batch', 'unmeshed'],
      ['frontend-0', null],
      ['frontend-1', null],
      ['orders-0', null],
    ],
  );
});

test('a selector lists the workloads with its labels, and what the policies that select them do not do', async (t) => {
  await prints(
    t,
    ['policy', '-n', 'demo', '-l', 'app=orders'],
    [
      'WORKLOAD    PORT        PROTOCOL  ADMITS  GOVERNED BY',
      'sts/orders  4191/proxy  detect    nobody  default deny (cluster)',
      'sts/orders  8080/http   http1     some    srv/orders-http',
      'sts/orders  9000/grpc   detect    nobody  nap/grpc-callers (rejected)',
      'sts/orders  others      detect    nobody  default deny (cluster)',
      '',
      'nap/grpc-callers Rejected: spec.sorces: unknown field: remove it; known here:',
      '  target, ports, sources, rules, mode, allowUnnormalizedPaths',
    ],
  );
  const { run } = await onPolicyFolder(t);
  const json = JSON.parse((await run('policy', '-A', '-l', 'app in (backend),app', '-o', 'json')).out);
  const names = json.items.map(
    ({ workload }: { readonly workload: { readonly name: string } }) => workload.name,
  );
  assert.deepEqual(names, ['agent', 'backend-0', 'backend-1', 'backend-2']);
  const none = await run('policy', '-n', 'demo', '--selector', 'app=nobody');
  assert.deepEqual([none.code, none.out], [exitCode.ok, '']);
  assert.match(
    none.err,
    /no workload with the labels `app=nobody` in the namespace demo: name another with -n/,
  );
});

test('no line is longer than the terminal, whatever is shown', async (t) => {
  const { runAt } = await onPolicyFolder(t);
  const commands = [
    ['policy', '-A'],
    ['policy', 'demo/orders-0'],
    ['policy', 'demo/backend-0', 'http'],
  ];
  for (const width of [60, 80, 140]) {
    for (const args of commands) {
      const { out } = await runAt(width, ...args);
      const long = out.split('\n').filter((line) => line.length > Math.max(width, 80));
      assert.deepEqual(long, [], `${args} at ${width}`);
    }
  }
});

test('what cannot be asked is told with what to ask instead', async (t) => {
  const { run } = await onPolicyFolder(t);
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [
      ['policy', 'demo/backend-0', 'web'],
      exitCode.failed,
      /no port named web: it has http \(8080\), admin \(9000\)/,
    ],
    [['policy', 'demo/backend-0', '0'], exitCode.usage, /port 0 is not one of 1 to 65535/],
    [['policy', '-w'], exitCode.usage, /--watch follows one workload: name it/],
    [['policy', 'demo/backend-0', '-A'], exitCode.usage, /--all-namespaces lists workloads/],
    [['policy', 'demo/backend-0', '-l', 'app'], exitCode.usage, /--selector lists workloads: leave out/],
    [
      ['policy', '-l', 'app in backend,tier'],
      exitCode.usage,
      /selector: `app in backend` is not a requirement: use app=web/,
    ],
    [['policy', 'demo/nobody', '-w'], exitCode.failed, /no pod demo\/nobody/],
  ];
  assert.equal(cases.length, 7);
  for (const [args, code, message] of cases) {
    const ended = await run(...args);
    assert.equal(ended.code, code, args.join(' '));
    assert.match(ended.err, message);
  }
});
