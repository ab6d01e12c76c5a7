import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceProfileSpec } from '@gatehouse/core/resources/kinds/linkerd';
import { DestinationProfile } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { encodeProfile } from './encode-profile.ts';

const empty: ServiceProfileSpec = {
  routes: [],
  retryBudget: undefined,
  overrides: [],
  opaquePorts: undefined,
};
const service = { namespace: 'demo', name: 'web', port: 80 };

const encoded = (said: Partial<ServiceProfileSpec>): DestinationProfile =>
  DestinationProfile.decode(
    encodeProfile(
      {
        ...service,
        kind: 'service',
        opaque: false,
        routing: {
          kind: 'profile',
          namespace: 'client',
          name: 'web.demo.svc.cluster.local',
          spec: { ...empty, ...said },
        },
      },
      { locality: 'unknown', clusterDomain: 'cluster.local' },
    ),
  );

const usual = { retryRatio: 0.2, minRetriesPerSecond: 10, ttl: { seconds: 10n, nanos: 0 } };

test('a profile says which Service it is of, and which ServiceProfile made it', () => {
  const { fullyQualifiedName, parentRef, profileRef, retryBudget } = encoded({});
  assert.equal(fullyQualifiedName, 'web.demo.svc.cluster.local');
  assert.deepEqual(parentRef?.kind?.value, { ...service, group: 'core', kind: 'Service', section: '' });
  assert.deepEqual(profileRef?.kind?.value, {
    group: 'linkerd.io',
    kind: 'ServiceProfile',
    namespace: 'client',
    name: 'web.demo.svc.cluster.local',
    section: '',
    port: 0,
  });
  assert.deepEqual({ ...retryBudget, retryRatio: 0.2 }, usual);
});

test('a route has its requests, answers, label, timeout and whether it is tried again', () => {
  const { routes } = encoded({
    routes: [
      {
        name: 'GET /a',
        requests: {
          kind: 'all',
          conditions: [
            { kind: 'method', value: 'GET' },
            { kind: 'not', condition: { kind: 'any', conditions: [{ kind: 'path', value: '/b/.*' }] } },
          ],
        },
        isRetryable: true,
        timeoutMs: 1_500,
        responses: [
          {
            isFailure: true,
            condition: { kind: 'not', condition: { kind: 'status', min: 200, max: 499 } },
          },
          {
            isFailure: false,
            condition: { kind: 'any', conditions: [{ kind: 'status', min: 500, max: 500 }] },
          },
          {
            isFailure: true,
            condition: { kind: 'all', conditions: [{ kind: 'status', min: 501, max: 599 }] },
          },
        ],
      },
    ],
  });
  const [status500, status501] = [
    { match: { $case: 'status', value: { min: 500, max: 500 } } },
    { match: { $case: 'status', value: { min: 501, max: 599 } } },
  ];
  assert.deepEqual(routes, [
    {
      condition: {
        match: {
          $case: 'all',
          value: {
            matches: [
              { match: { $case: 'method', value: { type: { $case: 'registered', value: 0 } } } },
              {
                match: {
                  $case: 'not',
                  value: {
                    match: {
                      $case: 'any',
                      value: { matches: [{ match: { $case: 'path', value: { regex: '/b/.*' } } }] },
                    },
                  },
                },
              },
            ],
          },
        },
      },
      responseClasses: [
        {
          isFailure: true,
          condition: {
            match: { $case: 'not', value: { match: { $case: 'status', value: { min: 200, max: 499 } } } },
          },
        },
        { isFailure: false, condition: { match: { $case: 'any', value: { matches: [status500] } } } },
        { isFailure: true, condition: { match: { $case: 'all', value: { matches: [status501] } } } },
      ],
      metricsLabels: { route: 'GET /a' },
      isRetryable: true,
      timeout: { seconds: 1n, nanos: 500_000_000 },
    },
  ]);
});

test('a timeout of nothing and a method of its own are kept as what they mean', () => {
  const { routes } = encoded({
    routes: [
      {
        name: 'r',
        requests: { kind: 'method', value: 'PURGE' },
        isRetryable: false,
        timeoutMs: 0,
        responses: [],
      },
    ],
  });
  assert.equal(routes[0]?.timeout, undefined);
  assert.deepEqual(routes[0]?.condition?.match?.value, { type: { $case: 'unregistered', value: 'PURGE' } });
});

test('a retry budget of its own takes the place of the usual one', () => {
  const { retryBudget } = encoded({ retryBudget: { ratio: 0.5, minPerSecond: 3, ttlMs: 60_000 } });
  assert.deepEqual(retryBudget, {
    retryRatio: 0.5,
    minRetriesPerSecond: 3,
    ttl: { seconds: 60n, nanos: 0 },
  });
});

const overrides = (...weights: readonly (readonly [string, number])[]) =>
  encoded({
    overrides: weights.map(([authority, weightMilli]) => ({ authority, weightMilli })),
  }).dstOverrides.map(({ authority, weight }) => [authority, weight]);

test('overrides have the port that was asked for unless they say one, and weights in ten-thousandths', () => {
  assert.deepEqual(overrides(['a.demo.svc.cluster.local', 500], ['b.demo.svc.cluster.local:8080', 1_000]), [
    ['a.demo.svc.cluster.local:80', 5_000],
    ['b.demo.svc.cluster.local:8080', 10_000],
  ]);
  assert.deepEqual(overrides(['a', 0]), [['a:80', 0]]);
});

test('weights beyond 32 bits keep their proportions', () => {
  const [[, first = 0] = [], [, second = 0] = []] = overrides(['a', 3e11], ['b', 1e11]) as [string, number][];
  assert.ok(first + second <= 2 ** 32 - 1 && first + second > 2 ** 32 - 3);
  assert.equal(Math.round(first / second), 3);
});
