import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { runToEnd } from '../../../testing/run-cli.ts';
import { exitCode } from '../../exit-code.ts';

const deployment = (name: string, ports: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: demo }
spec:
  replicas: 2
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers: [{ name: ${name}, ports: ${ports} }]
`;

const policy = (name: string, spec: string): string => `
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthenticationPolicy
metadata: { name: ${name}, namespace: demo }
spec:
  mode: Audit
  target: { selector: { matchLabels: { app: backend } } }
${spec}
`;

/** An open namespace with a policy for each way in which Audit policies are counted. */
const manifests = [
  `
apiVersion: v1
kind: Namespace
metadata:
  name: demo
  annotations: { linkerd.io/inject: enabled, config.linkerd.io/default-inbound-policy: all-unauthenticated }
`,
  deployment(
    'backend',
    '[{ name: http, containerPort: 8080 }, { name: api, containerPort: 8081 }, { name: admin, containerPort: 9000 }]',
  ),
  deployment('frontend', '[]'),
  policy(
    'frontend-can-talk-to-backend',
    `  ports: [{ port: 8080 }]
  sources: [{ podSelector: { matchLabels: { app: frontend } } }]`,
  ),
  policy(
    'readers',
    `  ports: [{ port: api }]
  sources: [{ serviceAccounts: [{ name: default }] }]
  rules: [{ methods: [GET] }]`,
  ),
  policy(
    'admins',
    `  ports: [{ port: admin }]
  sources: [{ serviceAccounts: [{ name: default }] }]`,
  ),
  `
apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: { name: admin, namespace: demo }
spec: { podSelector: { matchLabels: { app: backend } }, port: admin, accessPolicy: all-authenticated }
`,
].join('---');

const onFolder = async (t: TestContext) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'mesh.yaml'), manifests);
  return (args: readonly string[], width?: number) =>
    runToEnd(['authz', ...args, '--dir', folder], width === undefined ? {} : { width });
};

const table = [
  'demo/deploy/backend: backend-0, backend-1  default.demo',
  'PORT        CLIENT        FROM                   REQUESTS  NOW BY                                     IF ENFORCED BY',
  '8080/http   anyone        anywhere               all       default all-unauthenticated (namespace)    -',
  '8080/http   default.demo  pods app=frontend (2)  all       -                                          nap/frontend-can-talk-to-backend',
  '8081/api    anyone        anywhere               all       default all-unauthenticated (namespace)    -',
  '8081/api    default.demo  anywhere               GET /*    -                                          nap/readers',
  '9000/admin  any identity  anywhere               all       srv/admin, accessPolicy all-authenticated  srv/admin, accessPolicy all-authenticated',
  '9000/admin  default.demo  anywhere               all       -                                          nap/admins',
  '',
  'port 8080/http: the proxy counts whom enforcing would refuse, under',
  '  authz_kind="networkauthenticationpolicy-audit",',
  '  authz_name="frontend-can-talk-to-backend".',
  'port 8081/api: the proxy counts whom enforcing would refuse, together with whom',
  '  only `rules` would admit, under',
  '  authz_kind="networkauthenticationpolicy-audit", authz_name="readers".',
  'port 9000/admin: the proxy counts nothing: a Server governs the port, where',
  '  enforcing would refuse nobody.',
  'nap/admins: Port 9000 is governed by Server admin, whose accessPolicy',
  '  all-authenticated admits more than this policy.',
];

test('what enforcing Audit policies would change is shown by client, and where it is counted', async (t) => {
  const run = await onFolder(t);
  const { code, out } = await run(['deploy/backend', '-n', 'demo', '--audit']);
  assert.equal(code, exitCode.ok);
  assert.deepEqual(out.split('\n'), table);
});

test('docs/policy.md shows the same', async () => {
  const page = await readFile(new URL('../../../../docs/policy.md', import.meta.url), 'utf8');
  const shown = [...table.slice(0, 4), '', ...table.slice(9, 12)].join('\n');
  assert.ok(page.includes(shown), `docs/policy.md lacks:\n${shown}`);
});

test('without --audit an Audit policy admits nobody', async (t) => {
  const run = await onFolder(t);
  const { out } = await run(['demo/backend-0']);
  assert.match(
    out,
    /\n8080\/http +anyone +anywhere +all +default all-unauthenticated \(namespace\)\n8081\/api/,
  );
  assert.doesNotMatch(out, /nap\/(?:frontend|readers)/);
});

test('sentences stand for the table on a narrow terminal', async (t) => {
  const run = await onFolder(t);
  const { out } = await run(['demo/backend-0', '--audit'], 60);
  assert.deepEqual(out.split('\n').slice(1, 6), [
    '8080/http',
    '  anyone from anywhere: all, now by default',
    '    all-unauthenticated (namespace), if enforced by nothing',
    '  default.demo from pods app=frontend (2): all, now by',
    '    nothing, if enforced by nap/frontend-can-talk-to-backend',
  ]);
});

test('programs get the policies, the labels of the counters and the clients that would be admitted', async (t) => {
  const run = await onFolder(t);
  const { out } = await run(['demo/backend-0', '--audit', '-o', 'json']);
  const [item] = JSON.parse(out).items;
  const ports: readonly { port: { first: number }; audit: { policies: { name: string }[] } | null }[] =
    item.ports;
  assert.deepEqual(
    ports.map(({ port, audit }) => [port.first, audit?.policies.map(({ name }) => name) ?? null]),
    [
      [4191, null],
      [8080, ['frontend-can-talk-to-backend']],
      [8081, ['readers']],
      [9000, ['admins']],
    ],
  );
  const { counting, clients, governedBy } = item.ports[1].audit;
  assert.deepEqual(counting.labels, {
    authz_group: 'policy.linkerd.io',
    authz_kind: 'networkauthenticationpolicy-audit',
    authz_name: 'frontend-can-talk-to-backend',
  });
  assert.deepEqual([clients.length, governedBy.base], [1, 'deny']);
  assert.equal(item.otherPorts.audit, null);
});

test('a workload that no Audit policy selects is told so', async (t) => {
  const run = await onFolder(t);
  const { code, out } = await run(['demo/frontend-0', '--audit']);
  assert.equal(code, exitCode.ok);
  assert.match(out, /\nNo policy with `mode: Audit` selects a port of it\.$/);
});

test('an Audit policy that cannot be read closes nothing and is counted nowhere, one whose mode or place is unknown closes', async (t) => {
  const open = manifests.split('---')[0] ?? '';
  const backend = deployment('backend', '[{ name: http, containerPort: 8080 }]');
  const sources = '  sources: []';
  const misspelt = policy('x', '  sorces: []');
  const cases: readonly (readonly [what: string, written: string, clients: RegExp])[] = [
    ['Audit, with a field that nobody knows', misspelt, /\n8080\/http +anyone +anywhere/],
    [
      'a mode that nobody knows',
      policy('x', sources).replace('mode: Audit', 'mode: audit'),
      /\n8080\/http +nobody +- +- +nap\/x \(rejected\)/,
    ],
    [
      'Audit, of a kind that is nearly the right one',
      policy('x', sources).replace('NetworkAuthenticationPolicy', 'NetworkAuthenticationPolicys'),
      /\n8080\/http +nobody +- +- +a manifest that cannot be read/,
    ],
  ];
  assert.equal(cases.length, 3);
  for (const [what, written, clients] of cases) {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'mesh.yaml'), [open, backend].join('---'));
    await writeFile(join(folder, 'policy.yaml'), written);
    const { out } = await runToEnd(['authz', 'demo/backend-0', '--dir', folder]);
    assert.match(out, clients, what);
    const audited = await runToEnd(['authz', 'demo/backend-0', '--audit', '--dir', folder]);
    assert.match(audited.out, /No policy with `mode: Audit` selects a port of it\./, what);
  }
});
