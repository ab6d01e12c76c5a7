import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goodSpec, readWire, rejection } from '@gatehouse/testing/wire-objects';

const kind = 'GRPCRoute';
const server = { group: 'policy.linkerd.io', kind: 'Server', name: 'web' };
const attached = { parentRefs: [server] };

test('it names services, methods and headers, and changes headers', () => {
  const spec = goodSpec(kind, {
    spec: {
      parentRefs: [server, { group: '', kind: 'Service', name: 'api', port: 80 }],
      hostnames: ['a.example'],
      rules: [
        {
          matches: [
            { method: { type: 'Exact', service: 'a.v1.B', method: 'Get' } },
            { method: { service: 'a.v1.B' }, headers: [{ name: 'X', value: 'y' }] },
            {},
          ],
          filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['x'] } }],
          backendRefs: [{ name: 'ignored' }],
        },
      ],
    },
  });
  assert.deepEqual(spec, {
    servers: ['web'],
    services: [{ namespace: 'demo', name: 'api', port: 80 }],
    hosts: ['a.example'],
    rules: [
      {
        matches: [
          { service: 'a.v1.B', method: 'Get', headers: [] },
          { service: 'a.v1.B', method: '', headers: [{ name: 'x', kind: 'exact', value: 'y' }] },
          { service: '', method: '', headers: [] },
        ],
        filters: [{ kind: 'request-headers', add: [], set: [], remove: ['x'] }],
      },
    ],
  });
});

test('a rule without matches is about every call, and a route without rules about none', () => {
  for (const rules of [[{}], [{ matches: [] }]]) {
    assert.deepEqual(goodSpec(kind, { spec: { ...attached, rules } }).rules, [
      { matches: [{ service: '', method: '', headers: [] }], filters: [] },
    ]);
  }
  for (const none of [{}, { rules: [] }]) {
    assert.deepEqual(goodSpec(kind, { spec: { ...attached, ...none } }).rules, []);
  }
});

test('a filter of responses is left out with a warning', () => {
  const rules = [{ filters: [{ type: 'ResponseHeaderModifier', responseHeaderModifier: {} }] }];
  assert.equal(readWire(kind, { spec: { ...attached, rules } }).warnings.length, 1);
});

test('a route of another controller is neither judged nor used', () => {
  const spec = { parentRefs: [{ name: 'ingress' }], rules: [{ filters: [{ type: 'ExtensionRef' }] }] };
  assert.deepEqual(goodSpec(kind, { spec }), { servers: [], services: [], hosts: [], rules: [] });
});

const match = (method: object): object => ({ ...attached, rules: [{ matches: [{ method }] }] });

const mistakes: readonly (readonly [spec: unknown, problem: string])[] = [
  [
    match({ type: 'RegularExpression', service: 'a' }),
    'spec.rules[0].matches[0].method.type: `RegularExpression` cannot be honoured by the proxy: use Exact',
  ],
  [
    match({}),
    'spec.rules[0].matches[0].method: neither service nor method: name one, or remove `method` to match all',
  ],
  [
    match({ service: '/a' }),
    'spec.rules[0].matches[0].method.service: `/a` is not a valid name of a gRPC service: as in the .proto file, package included',
  ],
  [
    match({ service: 'a', methods: 'b' }),
    'spec.rules[0].matches[0].method.methods: unknown field: did you mean `method`?',
  ],
  [
    { ...attached, rules: [{ filters: [{ type: 'RequestRedirect', requestRedirect: { port: 1 } }] }] },
    'spec.rules[0].filters[0].type: a gRPC call cannot be redirected: use RequestHeaderModifier',
  ],
  [
    { ...attached, rules: [{ filters: [{ type: 'RequestMirror' }] }] },
    'spec.rules[0].filters[0].type: `RequestMirror` cannot be honoured by the proxy: use RequestHeaderModifier or RequestRedirect',
  ],
];

test('every mistake is refused with its path; the route stays attached', () => {
  for (const [spec, problem] of mistakes) {
    const { problems, attachedTo } = rejection(kind, { spec });
    assert.deepEqual([problems, attachedTo], [[problem], ['web']], JSON.stringify(spec));
  }
  assert.equal(mistakes.length, 6);
});

test('one whose parents cannot be read stays attached to every Server of its namespace', () => {
  assert.equal(rejection(kind, { spec: { parentRefs: [{ nam: 'web' }] } }).attachedTo, 'all');
});

test('one that is rejected keeps the calls that can be read, and says whether they are all', () => {
  const call = { method: { service: 'a.B', method: 'C' } };
  const match = { service: 'a.B', method: 'C', headers: [] };
  const kept = (...rules: readonly unknown[]) => {
    const { keeps, extent } = rejection(kind, { spec: { ...attached, rules } });
    return [extent, keeps.flatMap(({ matches }) => matches)];
  };
  const mirror = { filters: [{ type: 'RequestMirror' }] };
  assert.deepEqual(kept({ matches: [call], ...mirror }), ['known', [match]]);
  assert.deepEqual(kept(mirror), ['known', [{ service: '', method: '', headers: [] }]]);
  assert.deepEqual(kept({ matches: [call, { method: { servce: 'a.B' } }] }), ['unknown', [match]]);
});
