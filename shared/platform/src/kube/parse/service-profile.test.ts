import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goodSpec, rejection, type WireSaid } from '@gatehouse/testing/wire-objects';

const kind = 'ServiceProfile';
const said = (spec: unknown): WireSaid => ({ name: 'web.demo.svc.cluster.local', spec });
const route = (fields: object): unknown => ({
  routes: [{ name: 'r', condition: { method: 'GET' }, ...fields }],
});

test('it tells requests apart, and says how each sort is retried, timed out and judged', () => {
  const condition = {
    method: 'GET',
    pathRegex: '/a/.*',
    any: [{ pathRegex: '/b' }],
    not: { all: [{ method: 'PUT' }, { method: 'POST' }] },
  };
  const responseClasses = [
    { condition: { status: { min: 500, max: 503 } }, isFailure: true },
    { condition: { not: { status: { min: 400 } } } },
  ];
  const routes = [{ name: 'r', condition, isRetryable: true, timeout: '1m1.5s', responseClasses }];
  assert.deepEqual(goodSpec(kind, said({ routes })).routes, [
    {
      name: 'r',
      requests: {
        kind: 'all',
        conditions: [
          { kind: 'method', value: 'GET' },
          { kind: 'path', value: '/a/.*' },
          { kind: 'any', conditions: [{ kind: 'path', value: '/b' }] },
          {
            kind: 'not',
            condition: {
              kind: 'all',
              conditions: [
                { kind: 'method', value: 'PUT' },
                { kind: 'method', value: 'POST' },
              ],
            },
          },
        ],
      },
      isRetryable: true,
      timeoutMs: 61_500,
      responses: [
        { condition: { kind: 'status', min: 500, max: 503 }, isFailure: true },
        {
          condition: { kind: 'not', condition: { kind: 'status', min: 400, max: 599 } },
          isFailure: false,
        },
      ],
    },
  ]);
});

test('it limits retries, sends elsewhere by weight, and names opaque ports', () => {
  const spec = {
    retryBudget: { retryRatio: 0.2, minRetriesPerSecond: 10, ttl: '10s' },
    dstOverrides: [
      { authority: 'a.b', weight: '500m' },
      { authority: 'c.d', weight: 2 },
      { authority: 'e.f', weight: '1.5' },
    ],
    opaquePorts: ['25', '100-102', '101-110'],
  };
  assert.deepEqual(goodSpec(kind, said(spec)), {
    routes: [],
    retryBudget: { ratio: 0.2, minPerSecond: 10, ttlMs: 10_000 },
    overrides: [
      { authority: 'a.b', weightMilli: 500 },
      { authority: 'c.d', weightMilli: 2_000 },
      { authority: 'e.f', weightMilli: 1_500 },
    ],
    opaquePorts: {
      ranges: [
        { first: 25, last: 25 },
        { first: 100, last: 110 },
      ],
    },
  });
});

test('an empty one is as good as none', () => {
  assert.deepEqual(goodSpec(kind, said({})), {
    routes: [],
    retryBudget: undefined,
    overrides: [],
    opaquePorts: undefined,
  });
});

const mistakes: readonly (readonly [spec: unknown, problems: readonly string[]])[] = [
  [{ route: [] }, ['spec.route: unknown field: did you mean `routes`?']],
  [
    { routes: [{}] },
    ['spec.routes[0].name: missing: name the route', 'spec.routes[0].condition: missing: say which requests'],
  ],
  [route({ condition: {} }), ['spec.routes[0].condition: an empty condition: say what it is about']],
  [
    route({ condition: { all: [] } }),
    ['spec.routes[0].condition.all: an empty list: add a condition, or remove the field'],
  ],
  [
    route({ condition: { any: [null] } }),
    ['spec.routes[0].condition.any[0]: nothing is written: write an object'],
  ],
  [
    route({ timeout: '5' }),
    ['spec.routes[0].timeout: `5` is not a valid duration: such as 300ms, 1.5s or 1m30s'],
  ],
  [
    route({ timeout: '-5s' }),
    ['spec.routes[0].timeout: `-5s` is not a valid duration: such as 300ms, 1.5s or 1m30s'],
  ],
  [
    route({ responseClasses: [{ condition: { status: { min: 500, max: 400 } } }] }),
    ['spec.routes[0].responseClasses[0].condition.status.max: 400 is below min: a status from 500 to 599'],
  ],
  [
    route({ responseClasses: [{ condition: { status: {} } }] }),
    ['spec.routes[0].responseClasses[0].condition.status: neither min nor max: write at least one'],
  ],
  [
    { retryBudget: { retryRatio: -1, minRetriesPerSecond: 1, ttl: '1s' } },
    ['spec.retryBudget.retryRatio: the number -1 is not a valid ratio: a number from 0 on, without quotes'],
  ],
  [
    { dstOverrides: [{ authority: 'a', weight: '1k' }] },
    [
      'spec.dstOverrides[0].weight: `1k` is not a valid weight: a number such as 1, or thousandths such as 500m',
    ],
  ],
  [
    { opaquePorts: ['0'] },
    ['spec.opaquePorts[0]: `0` is not a valid port or range: ports 1 to 65535, such as 25,9090-9099'],
  ],
];

test('every mistake is refused with its path, and closes nothing', () => {
  for (const [spec, problems] of mistakes) {
    const rejected = rejection(kind, said(spec));
    assert.deepEqual([rejected.problems, rejected.closes.ports], [problems, []], JSON.stringify(spec));
  }
  assert.equal(mistakes.length, 12);
});

test('durations are those of Go, rounded up to milliseconds', () => {
  const cases = [
    ['0', 0],
    ['300ms', 300],
    ['1.5h', 5_400_000],
    ['1us', 1],
    ['2m3s4ms', 123_004],
  ] as const;
  for (const [timeout, timeoutMs] of cases)
    assert.equal(goodSpec(kind, said(route({ timeout }))).routes[0]?.timeoutMs, timeoutMs, timeout);
});
