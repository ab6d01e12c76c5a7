import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { goodSpec, rejection } from '@gatehouse/testing/wire-objects';
import { isWireObject, type WireObject } from './fields.ts';

const selector = {
  matchLabels: { app: 'web' },
  matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }],
};
const networks = [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }];
const server = { group: 'policy.linkerd.io', kind: 'Server', name: 'web' };

/** Of every policy kind, specs that use every field once. */
const specs: readonly (readonly [kind: Kind, spec: WireObject])[] = [
  [
    'NetworkAuthenticationPolicy',
    {
      target: { selector },
      ports: [{ port: 1, endPort: 2 }],
      sources: [
        {
          podSelector: selector,
          namespaceSelector: selector,
          serviceAccounts: [{ name: 'a', namespace: 'b' }],
          identities: ['*'],
          networks,
        },
      ],
      rules: [
        { methods: ['GET'], paths: [{ type: 'Exact', value: '/a' }], headers: [{ name: 'a', value: 'b' }] },
      ],
      mode: 'Audit',
      allowUnnormalizedPaths: false,
    },
  ],
  ['Server', { podSelector: selector, port: 80, proxyProtocol: 'HTTP/1', accessPolicy: 'audit' }],
  ['Server', { externalWorkloadSelector: selector, port: 'http' }],
  [
    'AuthorizationPolicy',
    {
      targetRef: server,
      requiredAuthenticationRefs: [
        { group: 'policy.linkerd.io', kind: 'MeshTLSAuthentication', name: 'a', namespace: 'b' },
      ],
    },
  ],
  ['MeshTLSAuthentication', { identities: ['*'] }],
  [
    'MeshTLSAuthentication',
    { identityRefs: [{ group: '', kind: 'ServiceAccount', name: 'a', namespace: 'b' }] },
  ],
  ['NetworkAuthentication', { networks }],
  [
    'ServerAuthorization',
    {
      server: { selector },
      client: {
        networks,
        unauthenticated: false,
        meshTLS: {
          unauthenticatedTLS: false,
          identities: ['*'],
          serviceAccounts: [{ name: 'a', namespace: 'b' }],
        },
      },
    },
  ],
  ['ServerAuthorization', { server: { name: 'web' }, client: { unauthenticated: true } }],
  [
    'HTTPLocalRateLimitPolicy',
    {
      targetRef: server,
      total: { requestsPerSecond: 1 },
      identity: { requestsPerSecond: 1 },
      overrides: [
        {
          requestsPerSecond: 1,
          clientRefs: [{ group: '', kind: 'ServiceAccount', name: 'a', namespace: 'b' }],
        },
      ],
    },
  ],
  ['EgressNetwork', { trafficPolicy: 'Deny', networks }],
  [
    'GRPCRoute',
    {
      parentRefs: [{ ...server, namespace: 'demo' }],
      hostnames: ['a.example'],
      rules: [
        {
          matches: [
            {
              method: { type: 'Exact', service: 'a.B', method: 'C' },
              headers: [{ type: 'Exact', name: 'a', value: 'b' }],
            },
          ],
          filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['a'] } }],
        },
      ],
    },
  ],
  ...(['TCPRoute', 'TLSRoute'] as const).map(
    (kind) =>
      [
        kind,
        {
          parentRefs: [{ group: '', kind: 'Service', name: 'a', namespace: 'b', port: 1 }],
          rules: [
            { backendRefs: [{ group: '', kind: 'Service', name: 'a', namespace: 'b', port: 1, weight: 1 }] },
          ],
        },
      ] as const,
  ),
  [
    'ServiceProfile',
    {
      routes: [
        {
          name: 'a',
          condition: {
            method: 'GET',
            pathRegex: '/a',
            all: [{ method: 'GET' }],
            any: [{ method: 'GET' }],
            not: { method: 'PUT' },
          },
          isRetryable: true,
          timeout: '1s',
          responseClasses: [{ condition: { status: { min: 500, max: 599 } }, isFailure: true }],
        },
      ],
      retryBudget: { retryRatio: 0.2, minRetriesPerSecond: 1, ttl: '1s' },
      dstOverrides: [{ authority: 'a', weight: 1 }],
      opaquePorts: ['1'],
    },
  ],
  ...(['HTTPRoute', 'GatewayHTTPRoute'] as const).map(
    (kind) =>
      [
        kind,
        {
          parentRefs: [{ ...server, namespace: 'demo' }],
          hostnames: ['a.example'],
          rules: [
            {
              name: 'a',
              matches: [
                {
                  path: { type: 'Exact', value: '/a' },
                  method: 'GET',
                  headers: [{ type: 'Exact', name: 'a', value: 'b' }],
                  queryParams: [{ type: 'Exact', name: 'a', value: 'b' }],
                },
              ],
              filters: [
                {
                  type: 'RequestHeaderModifier',
                  requestHeaderModifier: { add: [{ name: 'a', value: 'b' }], set: [], remove: ['a'] },
                },
                {
                  type: 'RequestRedirect',
                  requestRedirect: {
                    scheme: 'https',
                    hostname: 'a',
                    port: 1,
                    statusCode: 301,
                    path: { type: 'ReplaceFullPath', replaceFullPath: '/' },
                  },
                },
              ],
            },
          ],
        },
      ] as const,
  ),
];

/** Labels are named by their users. */
const isFree = (path: string): boolean => path.endsWith('.matchLabels');
/** Means nothing to us, so nothing is checked about it. */
const isUnread = (path: string): boolean => /^spec\.rules\[\d+\]\.name$/.test(path);

interface Slip {
  readonly path: string;
  /** What stood there before. */
  readonly was: unknown;
  readonly spec: unknown;
}

/** Every version of the value in which one field, at any depth, has been turned into something else. */
const slips = function* (
  value: unknown,
  path: string,
  turn: (name: string, value: unknown) => readonly [string, unknown],
): Generator<Slip> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const slip of slips(item, `${path}[${index}]`, turn))
        yield { ...slip, spec: value.with(index, slip.spec) };
    }
  } else if (isWireObject(value)) {
    for (const [name, field] of Object.entries(value)) {
      const inner = `${path}.${name}`;
      if (!isFree(path)) {
        const turned = Object.entries(value).map((entry) => (entry[0] === name ? turn(name, field) : entry));
        yield { path: inner, was: field, spec: Object.fromEntries(turned) };
      }
      for (const slip of slips(field, inner, turn)) yield { ...slip, spec: { ...value, [name]: slip.spec } };
    }
  }
};

test('every spec of this test is good before anything is done to it', () => {
  for (const [kind, spec] of specs) goodSpec(kind, { spec });
  assert.equal(specs.length, 17);
});

test('a misspelt field, at any depth of any policy kind, rejects the object and is named by its path', () => {
  let count = 0;
  for (const [kind, spec] of specs) {
    for (const slip of slips(spec, 'spec', (name, value) => [`${name}x`, value])) {
      const { problems } = rejection(kind, { spec: slip.spec });
      assert.equal(
        problems.some((problem) => problem.startsWith(`${slip.path}x: unknown field`)),
        true,
        slip.path,
      );
      count += 1;
    }
  }
  assert.equal(count, 266);
});

test('a field with nothing behind it, at any depth of any policy kind, rejects the object', () => {
  let count = 0;
  for (const [kind, spec] of specs) {
    for (const slip of slips(spec, 'spec', (name) => [name, null])) {
      if (isUnread(slip.path)) continue;
      const { problems } = rejection(kind, { spec: slip.spec });
      assert.equal(
        problems.some((problem) => problem.startsWith(slip.path)),
        true,
        slip.path,
      );
      count += 1;
    }
  }
  assert.equal(count, 264);
});

const valuesByType: Readonly<Record<string, unknown>> = {
  text: 'x y',
  number: 7.5,
  boolean: true,
  list: [],
  object: {},
};
const typeOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'list';
  return typeof value === 'string' ? 'text' : typeof value;
};

test('a value of another type, at any depth of any policy kind, rejects the object and is named by its path', () => {
  let count = 0;
  for (const [kind, spec] of specs) {
    for (const [type, wrong] of Object.entries(valuesByType)) {
      for (const slip of slips(spec, 'spec', (name) => [name, wrong])) {
        if (isUnread(slip.path) || typeOf(slip.was) === type) continue;
        const { problems } = rejection(kind, { spec: slip.spec });
        assert.equal(
          problems.some((problem) => problem.startsWith(slip.path)),
          true,
          `${kind} ${slip.path}: ${type}: ${problems}`,
        );
        count += 1;
      }
    }
  }
  assert.equal(count, 1056);
});
