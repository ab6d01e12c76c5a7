import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsed } from '@gatehouse/core/problem';
import { OutboundPolicy } from '@gatehouse/wire/gen/io/linkerd/proxy/outbound';
import { chooseRule, chooseWay, decodeOutbound, type Way } from './outbound-row.ts';

/** Fields of a policy in the generated code's own spelling; what is left out is absent on the wire. */
type Fields = NonNullable<unknown>;

const named = (name: string) => ({ kind: { $case: 'default' as const, value: name } });

const backend = (path: string) => ({
  backend: {
    metadata: named('service'),
    kind: {
      $case: 'balancer' as const,
      value: { discovery: { kind: { $case: 'dst' as const, value: { path } } } },
    },
  },
});

const first = (...paths: string[]) => ({
  kind: { $case: 'firstAvailable' as const, value: { backends: paths.map(backend) } },
});

const prefix = (value: string) => ({ path: { kind: { $case: 'prefix' as const, value } } });

const http1 = (routes: NonNullable<unknown>[]): Fields => ({
  metadata: named('service'),
  protocol: { kind: { $case: 'http1', value: { routes } } },
});

const decode = (policy: Fields) =>
  decodeOutbound(
    OutboundPolicy.encode(OutboundPolicy.fromPartial(policy as OutboundPolicy)).finish(),
    parsed,
  );

const wayOf = (policy: Fields, path: string, random = 0): Way => {
  const outcome = decode(policy);
  assert.ok(outcome.ok, JSON.stringify(outcome));
  const request = { version: 1, method: 'GET', target: path, host: 'backend.demo', headers: [] } as const;
  return chooseWay(
    chooseRule(outcome.value, request, () => false),
    random,
  );
};

test('the most specific route leads the way, and none is 404', () => {
  const policy = http1([
    { metadata: named('a'), rules: [{ matches: [prefix('/')], backends: first('any.demo:1') }] },
    { metadata: named('b'), rules: [{ matches: [prefix('/api')], backends: first('api.demo:2') }] },
  ]);
  assert.deepEqual(wayOf(policy, '/api/x'), { kind: 'balance', authority: 'api.demo:2' });
  assert.deepEqual(wayOf(policy, '/apix'), { kind: 'balance', authority: 'any.demo:1' });
  assert.equal((wayOf(http1([]), '/') as { status?: number }).status, 404);
});

test('weights divide the traffic, and a weight of nothing gets none', () => {
  const weighted = (weight: number, path: string) => ({ weight, backend: backend(path) });
  const backends = {
    kind: {
      $case: 'randomAvailable' as const,
      value: {
        backends: [weighted(0, 'none.demo:1'), weighted(1, 'one.demo:1'), weighted(3, 'three.demo:1')],
      },
    },
  };
  const policy = http1([{ metadata: named('a'), rules: [{ backends }] }]);
  const chosen = [0, 0.24, 0.26, 0.99].map((random) => wayOf(policy, '/', random));
  assert.deepEqual(
    chosen.map((way) => way.kind === 'balance' && way.authority),
    ['one.demo:1', 'one.demo:1', 'three.demo:1', 'three.demo:1'],
  );
});

test('what is not followed is refused, not passed over: four rules', () => {
  const injector = { kind: { $case: 'failureInjector' as const, value: { status: 418 } } };
  const cases: [string, NonNullable<unknown>, number][] = [
    ['a filter of the rule', { filters: [injector], backends: first('a.demo:1') }, 500],
    [
      'a filter of the backend',
      {
        backends: {
          kind: {
            $case: 'firstAvailable',
            value: { backends: [{ ...backend('a.demo:1'), filters: [injector] }] },
          },
        },
      },
      500,
    ],
    ['no backend', { backends: { kind: { $case: 'empty', value: {} } } }, 503],
    [
      'a backend that leads nowhere',
      {
        backends: {
          kind: { $case: 'firstAvailable', value: { backends: [{ backend: { metadata: named('x') } }] } },
        },
      },
      502,
    ],
  ];
  assert.equal(cases.length, 4);
  for (const [title, rule, status] of cases) {
    const way = wayOf(http1([{ metadata: named('a'), rules: [rule] }]), '/');
    assert.equal(way.kind === 'refuse' && way.status, status, title);
  }
});

test('one unreadable part makes the whole policy invalid: six of them', () => {
  const rule = (fields: NonNullable<unknown>) => http1([{ metadata: named('a'), rules: [fields] }]);
  const cases: [string, Fields][] = [
    ['no metadata', { protocol: { kind: { $case: 'http1', value: {} } } }],
    ['no protocol', { metadata: named('x') }],
    [
      'a detect without its parts',
      { metadata: named('x'), protocol: { kind: { $case: 'detect', value: {} } } },
    ],
    ['a rule without backends', rule({})],
    ['no first backend', rule({ backends: first() })],
    ['an authority without port', rule({ backends: first('backend.demo') })],
  ];
  assert.equal(cases.length, 6);
  for (const [title, policy] of cases) assert.equal(decode(policy).ok, false, title);
  assert.equal(decodeOutbound(Uint8Array.of(0xff, 0xff), parsed).ok, false, 'garbage');
});

test('a port that the Service does not declare forbids raw connections', () => {
  const forbidden = { kind: { $case: 'forbidden' as const, value: {} } };
  const empty = { kind: { $case: 'empty' as const, value: {} } };
  const outcome = decode({
    metadata: named('undefined-port'),
    protocol: {
      kind: {
        $case: 'opaque',
        value: { routes: [{ metadata: named('x'), rules: [{ filters: [forbidden], backends: empty }] }] },
      },
    },
  });
  assert.ok(outcome.ok && outcome.value.opaque);
  const way = chooseWay(outcome.value.tcp, 0);
  assert.deepEqual(way, { kind: 'refuse', status: 403, reason: 'raw connections are forbidden' });
});
