import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as tlsRequest } from 'node:https';
import { test } from 'node:test';
import { anAuthority, aTlsMaterial, type TestAuthority } from '@gatehouse/dev/certificates';
import { policyName, ReplicaSet, type TestReplica } from '@gatehouse/testing/replica-set';
import { ask, startedAdmin, token } from '@gatehouse/testing/started-admin';
import type { AdminOptions } from '../admin/admin-server.ts';
import { secureContextOptions, type TlsMaterial } from '../tls/material.ts';

interface Said {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads from JSON is checked by its assertions
  readonly json: any;
  readonly connection: string | undefined;
}

/** Asks a replica as a client that shows `shown`, if anything. */
const askAs = async (
  { port }: Pick<TestReplica, 'port'>,
  shown: TlsMaterial | undefined,
  {
    root,
    path = '/internal/v1/streams',
    agent = false,
    headers = {},
  }: {
    readonly root: TestAuthority;
    readonly path?: string;
    readonly agent?: Agent | false;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<Said> => {
  const request = tlsRequest({
    ...secureContextOptions(root.pem, shown),
    host: '127.0.0.1',
    port,
    path,
    servername: policyName,
    agent,
    headers,
  });
  request.end();
  const [response] = await once(request, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return {
    status: response.statusCode,
    json: JSON.parse(Buffer.concat(chunks).toString()),
    connection: response.headers.connection,
  };
};

test('a certificate of our own name that leads to the anchors opens /internal, and nothing under /v1', async (t) => {
  const set = await ReplicaSet.start(t);
  const { root } = set;
  const replica = await set.add('policy-0');
  const answer = await askAs(replica, set.material(), { root });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json, {
    replica: 'policy-0',
    instance: replica.replicas.self.instance,
    answer: { items: [] },
  });
  const issuer = anAuthority({ name: 'issuer', issuedBy: root });
  const below = aTlsMaterial(issuer, { name: policyName, roots: [root] });
  assert.equal((await askAs(replica, below, { root })).status, 200);
  assert.equal((await askAs(replica, set.material(), { root, path: '/v1/streams' })).status, 401);
});

const other = 'default.demo.serviceaccount.identity.gatehouse.cluster.local';
const hour = 3_600_000;

const strangers: readonly (readonly [string, (root: TestAuthority) => TlsMaterial | undefined, RegExp])[] = [
  ['no certificate', () => undefined, /no client certificate was shown/],
  ['another identity of the same mesh', (root) => aTlsMaterial(root, { name: other }), /`default\.demo/],
  [
    'a name that ends like ours',
    (root) => aTlsMaterial(root, { name: `x.${policyName}` }),
    /not `gatehouse-policy/,
  ],
  ['a wildcard', (root) => aTlsMaterial(root, { name: policyName.replace(/^[^.]+/, '*') }), /`\*\./],
  [
    'an expired certificate',
    (root) =>
      aTlsMaterial(root, { name: policyName, notAfter: Date.now() - hour, notBefore: Date.now() - 2 * hour }),
    /CERT_HAS_EXPIRED/,
  ],
  [
    'a certificate of tomorrow',
    (root) => aTlsMaterial(root, { name: policyName, notBefore: Date.now() + hour }),
    /CERT_NOT_YET_VALID/,
  ],
  [
    'our name from a foreign authority',
    (root) => aTlsMaterial(anAuthority({ name: root.name }), { name: policyName, roots: [root] }),
    /not accepted/,
  ],
  [
    'our name from an impostor: a leaf that signs',
    (root) =>
      aTlsMaterial(anAuthority({ name: 'impostor', issuedBy: root, ca: false }), {
        name: policyName,
        roots: [root],
      }),
    /not accepted/,
  ],
];

test('there are 8 strangers', () => assert.equal(strangers.length, 8));
for (const [what, shown, why] of strangers) {
  test(`${what} does not open /internal, and its connection is not kept`, async (t) => {
    const set = await ReplicaSet.start(t);
    const { root } = set;
    const replica = await set.add('policy-0');
    const { status, json, connection } = await askAs(replica, shown(root), { root });
    assert.deepEqual([status, json.code, connection], [403, 'permission-denied', 'close']);
    assert.match(json.detail, why);
  });
}

test("an administrator's token opens nothing below /internal: not with TLS, not in plain text on loopback", async (t) => {
  const set = await ReplicaSet.start(t);
  const { root } = set;
  const replica = await set.add('policy-0');
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await askAs(replica, undefined, { root, headers })).status, 403);
  const foreign = aTlsMaterial(root, { name: other });
  assert.equal((await askAs(replica, foreign, { root, headers })).status, 403);
  const paths = [
    '/internal',
    '/internal/',
    '/internal/v1/streams',
    '/internal/v1/streams/',
    '/internal/v1/nothing',
    '/%69nternal/v1/streams',
    '/internal%2fv1%2fstreams',
  ];
  for (const path of paths) {
    const plain = await ask(`${replica.admin.url}${path}`, { token });
    assert.deepEqual([plain.status, plain.json.code], [403, 'permission-denied'], path);
    assert.match(plain.json.detail, /plain HTTP/);
  }
  const methods = await ask(`${replica.admin.url}/internal/v1/streams`, { token, method: 'POST' });
  assert.equal(methods.status, 403);
  const internal = replica.admin.routes.filter(({ access }) => access === 'replicas');
  assert.equal(internal.length, 2);
  for (const { method, pattern } of internal) {
    assert.equal((await ask(`${replica.admin.url}${pattern}`, { token, method })).status, 403, pattern);
  }
});

test('a service with a route that is for replicas elsewhere, or for others below /internal, does not start', async (t) => {
  const mistakes = [
    ['/v1/things', 'replicas'],
    ['/internal/v1/things', 'mesh'],
    ['/internal/v1/things', 'open'],
  ] as const;
  for (const [path, access] of mistakes) {
    const routes: AdminOptions['routes'] = (app) => app.get(path, { config: { access } }, async () => '');
    await assert.rejects(startedAdmin(t, { routes }), { name: 'TypeError', message: /below \/internal/ });
  }
});

test('a connection that is kept open is judged again when its certificate expires and when the anchors are replaced', async (t) => {
  let now = Date.now();
  const set = await ReplicaSet.start(t);
  const { root } = set;
  const replica = await set.add('policy-0', { now: () => now });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const mine = aTlsMaterial(root, { name: policyName, notAfter: now + hour });
  assert.equal((await askAs(replica, mine, { root, agent })).status, 200);
  now += 2 * hour;
  const late = await askAs(replica, mine, { root, agent });
  assert.equal(late.status, 403);
  assert.match(late.json.detail, /valid from/);

  now -= 2 * hour;
  assert.equal((await askAs(replica, mine, { root, agent })).status, 200);
  const next = anAuthority({ name: 'next root' });
  replica.admin.replaceTlsMaterial(aTlsMaterial(next, { name: policyName }));
  const old = await askAs(replica, mine, { root, agent });
  assert.equal(old.status, 403);
  assert.match(old.json.detail, /no issuer or trust anchor/);
});

test('anyone who shows a certificate of the new anchors is believed as soon as they are there', async (t) => {
  const set = await ReplicaSet.start(t);
  const { root } = set;
  const replica = await set.add('policy-0');
  const next = anAuthority({ name: 'next root' });
  const renewed = aTlsMaterial(next, { name: policyName });
  assert.equal((await askAs(replica, renewed, { root })).status, 403);
  replica.admin.replaceTlsMaterial(aTlsMaterial(root, { name: policyName, roots: [root, next] }));
  assert.equal((await askAs(replica, renewed, { root })).status, 200);
});

test('a service that has no replicas answers nobody below /internal', async (t) => {
  const admin = await startedAdmin(t);
  const root = anAuthority();
  admin.replaceTlsMaterial(aTlsMaterial(root, { name: policyName }));
  const port = Number(new URL(admin.url).port);
  const { status, json } = await askAs({ port }, aTlsMaterial(root, { name: policyName }), { root });
  assert.equal(status, 403);
  assert.match(json.detail, /runs without replicas/);
});
