import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { ask as askAdmin, startedAdmin } from '@gatehouse/testing/started-admin';
import type { KubeClient, KubeRequest } from '../kube/client/client.ts';
import { createLog } from '../log/log.ts';
import type { AdminCaller, AdminVerdict } from './authenticator.ts';
import { ClusterAuthenticator } from './cluster-authenticator.ts';

type Review = 'TokenReview' | 'SubjectAccessReview';
interface Asked {
  readonly kind: Review;
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads from a request is checked by its assertions
  readonly spec: any;
}

/** Who holds which token, for which audience; undefined = the API server's own. */
interface Known {
  readonly name: string;
  readonly audience?: string;
}

/** An authenticator on an API server that is only a script, and its clock. */
const aFixture = () => {
  const fixture = {
    ms: 0,
    asked: [] as Asked[],
    tokens: { jane: { name: 'jane' }, joe: { name: 'joe' } } as Record<string, Known | undefined>,
    allows: (_spec: Asked['spec']): boolean => true,
    /** Awaited before each answer. */
    hold: undefined as Promise<unknown> | undefined,
    isDown: false,
  };
  const request = async ({ body }: KubeRequest) => {
    const { kind, spec } = body as Asked;
    fixture.asked.push({ kind, spec });
    await fixture.hold;
    if (fixture.isDown) return { status: 503, retryAfterMs: undefined, body: Buffer.from('{}') };
    const status = kind === 'TokenReview' ? reviewed(spec) : { allowed: fixture.allows(spec) };
    return {
      status: 201,
      retryAfterMs: undefined,
      body: Buffer.from(JSON.stringify({ kind, spec, status })),
    };
  };
  const reviewed = ({ token, audiences }: { token: string; audiences?: readonly string[] }) => {
    const known = fixture.tokens[token];
    if (known === undefined || known.audience !== audiences?.[0]) return { authenticated: false };
    const user = { username: known.name, uid: '1', groups: ['g'], extra: { x: ['y'] } };
    return { authenticated: true, user, audiences: audiences ?? ['https://kubernetes.default.svc'] };
  };
  const client = { request } as unknown as Pick<KubeClient, 'request'>;
  const authenticator = new ClusterAuthenticator({ client, now: () => fixture.ms });
  const ask = (token: string | undefined, path = '/v1/health', from = '10.0.0.1') =>
    authenticator.authenticate({ token, verb: 'get', path, from });
  const count = (kind: Review): number => fixture.asked.filter((one) => one.kind === kind).length;
  return { fixture, ask, count };
};

const accepted = async (verdict: Promise<AdminVerdict>): Promise<AdminCaller> => {
  const found = await verdict;
  if (found.kind !== 'accepted') assert.fail(`the caller is ${found.kind}`);
  return found.caller;
};

const kindsOf = async (verdicts: readonly Promise<AdminVerdict>[]) =>
  (await Promise.allSettled(verdicts)).map((one) =>
    one.status === 'fulfilled' ? one.value.kind : (one.reason.code as string),
  );

test('the API server is asked for the user with all that it said of him, for path and verb', async () => {
  const { fixture, ask } = aFixture();
  assert.equal((await accepted(ask('jane', '/v1/streams'))).name, 'jane');
  assert.deepEqual(fixture.asked, [
    { kind: 'TokenReview', spec: { token: 'jane' } },
    {
      kind: 'SubjectAccessReview',
      spec: {
        user: 'jane',
        uid: '1',
        groups: ['g'],
        extra: { x: ['y'] },
        nonResourceAttributes: { verb: 'get', path: '/v1/streams' },
      },
    },
  ]);
});

test('a caller may see a namespace when `get` on the resource is allowed there; none = all of them', async () => {
  const { fixture, ask } = aFixture();
  fixture.allows = ({ nonResourceAttributes, resourceAttributes }) =>
    nonResourceAttributes !== undefined || resourceAttributes.namespace === 'demo';
  const caller = await accepted(ask('jane'));
  const seen = [];
  for (const namespace of ['demo', 'other', undefined, 'demo', '', 'De mo', 'a.b']) {
    seen.push(await caller.mayRead('streams', namespace));
  }
  assert.deepEqual(seen, [true, false, false, true, false, false, false]);
  // What cannot be a namespace is asked about as all of them, and nothing is asked twice.
  assert.deepEqual(
    fixture.asked.slice(2).map(({ spec }) => spec.resourceAttributes),
    ['demo', 'other', ''].map((namespace) => ({
      verb: 'get',
      group: 'gatehouse.dev',
      resource: 'streams',
      namespace,
    })),
  );
});

test('a token that says it is for `gatehouse` is reviewed as such first, any other as for the API server', async () => {
  const { fixture, ask } = aFixture();
  const jwt = (aud: unknown) => `e30.${Buffer.from(JSON.stringify({ aud })).toString('base64url')}.c2ln`;
  const [own, both, oidc, foreign] = [
    jwt('gatehouse'),
    jwt(['x', 'gatehouse']),
    jwt(['gatehouse', 1]),
    jwt('y'),
  ];
  fixture.tokens[own] = { name: 'own', audience: 'gatehouse' };
  fixture.tokens[both] = { name: 'both', audience: 'gatehouse' };
  // An OIDC client may be called `gatehouse` too: the API server takes its tokens for its own audience alone.
  fixture.tokens[oidc] = { name: 'oidc' };
  assert.deepEqual(await kindsOf([own, both, oidc, foreign].map((token) => ask(token))), [
    'accepted',
    'accepted',
    'accepted',
    'unknown',
  ]);
  const audiences = (token: string) =>
    fixture.asked.filter(({ spec }) => spec.token === token).map(({ spec }) => spec.audiences);
  assert.deepEqual([own, both, oidc, foreign].map(audiences), [
    [['gatehouse']],
    [['gatehouse']],
    [['gatehouse'], undefined],
    [undefined],
  ]);
});

test('what is not a valid token is refused without a question', async () => {
  const { fixture, ask } = aFixture();
  for (const token of [
    undefined,
    '',
    'two words',
    'tab\t',
    'ümlaut',
    '=a',
    'a'.repeat(16 * 1024 + 1),
    '{"a":1}',
  ]) {
    assert.deepEqual(await ask(token), { kind: 'unknown' }, `${token}`);
  }
  assert.deepEqual(fixture.asked, []);
});

test('answers count for ten seconds from when they were asked for, yes and no alike', async () => {
  const { fixture, ask, count } = aFixture();
  fixture.allows = ({ nonResourceAttributes }) => nonResourceAttributes.path === '/v1/health';
  const round = () => kindsOf([ask('jane'), ask('jane', '/v1/issuer'), ask('nobody')]);
  const before = ['accepted', 'refused', 'unknown'];
  assert.deepEqual(await round(), before);
  fixture.tokens = { nobody: { name: 'somebody' } };
  fixture.ms = 9_999;
  assert.deepEqual(await round(), before);
  assert.deepEqual([count('TokenReview'), count('SubjectAccessReview')], [2, 2]);
  fixture.ms = 10_000;
  assert.deepEqual(await round(), ['unknown', 'unknown', 'accepted']);
});

test('a permission never outlives the review of the token that it was asked with', async () => {
  const { fixture, ask } = aFixture();
  await accepted(ask('jane'));
  fixture.ms = 9_000;
  const caller = await accepted(ask('jane', '/v1/streams'));
  assert.equal(await caller.mayRead('streams', 'demo'), true);
  fixture.allows = () => false;
  fixture.ms = 10_000;
  assert.deepEqual(await kindsOf([ask('jane', '/v1/streams')]), ['refused']);
});

test('an API server that cannot say makes `unavailable`, never a yes, and no yes is kept beyond its time', async () => {
  const { fixture, ask } = aFixture();
  await accepted(ask('jane'));
  fixture.isDown = true;
  fixture.ms = 9_999;
  assert.deepEqual(await kindsOf([ask('jane'), ask('jane', '/v1/issuer'), ask('joe')]), [
    'accepted',
    'unavailable',
    'unavailable',
  ]);
  fixture.ms = 10_000;
  assert.deepEqual(await kindsOf([ask('jane')]), ['unavailable']);
  // It was nobody's fault, and is not remembered.
  for (let times = 0; times < 50; times += 1) await kindsOf([ask('jane'), ask('joe')]);
  fixture.isDown = false;
  assert.deepEqual(await kindsOf([ask('jane'), ask('joe')]), ['accepted', 'accepted']);
});

test('those who ask the same at once share one question', async () => {
  const { fixture, ask, count } = aFixture();
  const { promise, resolve } = Promise.withResolvers<void>();
  fixture.hold = promise;
  const verdicts = kindsOf(Array.from({ length: 200 }, () => ask('jane')));
  resolve();
  assert.deepEqual(new Set(await verdicts), new Set(['accepted']));
  assert.deepEqual([count('TokenReview'), count('SubjectAccessReview')], [1, 1]);
});

test('a scanner with random tokens is stopped, and others go on: also those who share its address', async () => {
  const { fixture, ask, count } = aFixture();
  await accepted(ask('jane'));
  fixture.ms = 10_000;
  const scan = await kindsOf(Array.from({ length: 1_000 }, (_, index) => ask(`guess-${index}`)));
  assert.equal(scan.filter((kind) => kind === 'unknown').length, 20);
  assert.equal(scan.filter((kind) => kind === 'resource-exhausted').length, 980);
  assert.equal(count('TokenReview'), 1 + 20);
  // Jane was known before, so her token is asked about again; Joe comes from elsewhere.
  assert.deepEqual(await kindsOf([ask('jane'), ask('joe', '/v1/health', '10.0.0.2')]), [
    'accepted',
    'accepted',
  ]);
  fixture.ms += 5_000;
  const later = await kindsOf(Array.from({ length: 100 }, (_, index) => ask(`later-${index}`)));
  assert.equal(later.filter((kind) => kind === 'unknown').length, 5);
});

test('many scanners together have a bound too, and cannot push out who is known', async () => {
  const { fixture, ask, count } = aFixture();
  await accepted(ask('jane'));
  const scan = await kindsOf(
    Array.from({ length: 5_000 }, (_, index) => ask(`guess-${index}`, '/v1/health', `10.1.${index % 250}.7`)),
  );
  assert.equal(scan.filter((kind) => kind === 'unknown').length, 100);
  fixture.isDown = true;
  assert.deepEqual(await kindsOf([ask('jane')]), ['accepted']);
  assert.equal(count('TokenReview'), 101);
});

test('anyone who is known but may nothing cannot flood the API server with paths either', async () => {
  const { fixture, ask, count } = aFixture();
  fixture.allows = () => false;
  const paths = Array.from({ length: 500 }, (_, index) => ask('jane', `/v1/things/${index}`));
  const kinds = await kindsOf(paths);
  assert.equal(kinds.filter((kind) => kind === 'refused').length, 20);
  assert.equal(count('SubjectAccessReview'), 20);
});

test('anyone who may call but asks about namespace after namespace is stopped too, for a while', async () => {
  const { fixture, ask, count } = aFixture();
  const caller = await accepted(ask('jane'));
  const probe = async (from: AdminCaller) => {
    const asked = Array.from({ length: 5_000 }, (_, index) => from.mayRead('streams', `ns-${index}`));
    return (await Promise.allSettled(asked)).filter(({ status }) => status === 'fulfilled').length;
  };
  // No more wait for the API server at once than it should be asked by us.
  assert.equal(await probe(caller), 32 + 1_024);
  assert.equal(await probe(caller), 1_999);
  await assert.rejects(caller.mayRead('streams', 'another'), {
    code: 'resource-exhausted',
    message: 'too many different questions: try again in a few seconds',
  });
  assert.deepEqual(await kindsOf([ask('jane'), ask('jane', '/v1/another')]), [
    'accepted',
    'resource-exhausted',
  ]);
  assert.equal(await caller.mayRead('streams', 'ns-0'), true);
  assert.equal(count('SubjectAccessReview'), 2_000);
  fixture.ms = 10_000;
  assert.equal(await (await accepted(ask('jane'))).mayRead('streams', 'another'), true);
});

test('no log line and no answer has a token in it, whatever goes wrong', async (t) => {
  const secret = 'an-opaque-token-that-nobody-may-read';
  const lines: string[] = [];
  // The API server repeats what it was asked, so its answers have the token in them.
  const answers: readonly ((asked: Asked) => { status: number; body: unknown })[] = [
    (asked) => ({ status: 201, body: { ...asked, status: { authenticated: false, error: 'no' } } }),
    (asked) => ({ status: 201, body: { ...asked, status: 'nonsense' } }),
    (asked) => ({ status: 201, body: [asked] }),
    (asked) => ({ status: 403, body: { ...asked, kind: 'Status', message: 'forbidden' } }),
    (asked) => ({ status: 500, body: { ...asked, kind: 'Status', message: 'broken' } }),
    () => {
      throw new GatehouseError('unavailable', 'the API server cannot be reached', {
        cause: new Error('ECONNREFUSED'),
      });
    },
  ];
  const statuses = [];
  for (const answer of answers) {
    const request = async ({ body }: KubeRequest) => {
      const { status, body: said } = answer(body as Asked);
      return { status, retryAfterMs: undefined, body: Buffer.from(JSON.stringify(said)) };
    };
    const admin = await startedAdmin(t, {
      authenticator: new ClusterAuthenticator({ client: { request } }),
      log: createLog({
        service: 'policy',
        level: 'trace',
        format: 'json',
        to: { write: (line) => void lines.push(line) },
      }),
    });
    const { status, text, headers } = await askAdmin(`${admin.url}/v1/health`, { token: secret });
    statuses.push(status);
    assert.equal(`${text}${JSON.stringify([...headers])}`.includes(secret), false, text);
  }
  assert.deepEqual(statuses, [401, 503, 503, 503, 503, 503]);
  assert.ok(lines.length >= answers.length);
  assert.deepEqual(
    lines.filter((line) => line.includes(secret)),
    [],
  );
});
