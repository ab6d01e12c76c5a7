import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goodSpec, readWire, rejection } from '@gatehouse/testing/wire-objects';
import type { WireObject } from './fields.ts';

const server = { group: 'policy.linkerd.io', kind: 'Server', name: 'web' };
const attached = { parentRefs: [server] };
const everyRequest = { matches: [{ headers: [], queryParams: [] }], filters: [] };
const boring = { servers: ['web'], services: [], hosts: [], rules: [everyRequest] };
const both = ['HTTPRoute', 'GatewayHTTPRoute'] as const;

test('a route without rules, and a rule without matches, match every request', () => {
  for (const kind of both) {
    assert.deepEqual(goodSpec(kind, { spec: attached }), boring);
    assert.deepEqual(goodSpec(kind, { spec: { ...attached, rules: [{}] } }), boring);
    assert.deepEqual(goodSpec(kind, { spec: { ...attached, rules: [{ matches: [] }] } }), boring);
    assert.deepEqual(goodSpec(kind, { spec: { ...attached, rules: [] } }), { ...boring, rules: [] });
  }
});

test('a parent without group is of the group of the route, and one without kind is a Gateway', () => {
  const parentRefs = [{ kind: 'server', name: 'web' }];
  assert.deepEqual(goodSpec('HTTPRoute', { spec: { parentRefs } }).servers, ['web']);
  assert.deepEqual(goodSpec('GatewayHTTPRoute', { spec: { parentRefs: [{ name: 'web' }] } }).servers, []);
});

const meantAsServer: readonly WireObject[] = [
  { group: 'policy.linkerd.io', kind: 'Sever' },
  { group: 'policy.linkerd.io', kind: 'Servers' },
  { group: 'policy.linkerd.io', kind: '' },
  { group: 'policy.linkerd.io' },
  { group: 'policy.linkerd.oi', kind: 'Server' },
  { group: 'policy.linkerd.io/v1beta3', kind: 'Server' },
  { group: 'gateway.networking.k8s.io', kind: 'Server' },
  { group: '', kind: 'Server' },
  { group: 'policy.linkerd.io', kind: 'Server', namespace: 'dmeo' },
];

const ofOthers: readonly WireObject[] = [
  { group: 'gateway.networking.k8s.io' },
  { group: 'gateway.networking.k8s.io', kind: 'Gateway' },
  { group: 'policy.linkerd.io', kind: 'Gateway' },
  { group: 'policy.linkerd.io', kind: 'Service' },
  { group: 'example.com', kind: 'Server' },
  { group: 'example.com', kind: 'Mesh' },
];

test('a parent that was meant as a Server, with a slip, rejects the route and keeps it attached', () => {
  for (const kind of both) {
    for (const meant of meantAsServer) {
      const spec = { parentRefs: [{ ...meant, name: 'web' }] };
      assert.deepEqual(rejection(kind, { spec }).attachedTo, ['web'], JSON.stringify(meant));
    }
    for (const parent of ofOthers) {
      const spec = { parentRefs: [{ ...parent, name: 'web' }] };
      assert.deepEqual(goodSpec(kind, { spec }).servers, [], JSON.stringify(parent));
    }
  }
  assert.deepEqual([meantAsServer.length, ofOthers.length], [9, 6]);
});

test('Services are parents with or without a port, in any namespace', () => {
  const parentRefs = [
    { group: '', kind: 'Service', name: 'web' },
    { group: 'core', kind: 'Service', name: 'api', namespace: 'other', port: 80 },
    server,
    server,
  ];
  const spec = goodSpec('GatewayHTTPRoute', { spec: { parentRefs } });
  assert.deepEqual(
    [spec.servers, spec.services],
    [
      ['web'],
      [
        { namespace: 'demo', name: 'web' },
        { namespace: 'other', name: 'api', port: 80 },
      ],
    ],
  );
});

test('every kind of match is read', () => {
  const matches = [
    { path: { value: '/api' }, method: 'GET', headers: [{ name: 'X-Tenant', value: 'blue' }] },
    { path: { type: 'Exact', value: '/a' }, queryParams: [{ name: 'Q', value: '1' }] },
    { path: { type: 'RegularExpression', value: '/v[0-9]+/.*' } },
    { path: {}, headers: [{ type: 'RegularExpression', name: 'h', value: 'a|b' }] },
    { queryParams: [{ type: 'RegularExpression', name: 'q', value: '.+' }] },
  ];
  const spec = goodSpec('HTTPRoute', {
    spec: { ...attached, hostnames: ['a.example', '*.b.example'], rules: [{ name: 'r', matches }] },
  });
  assert.deepEqual(spec, {
    ...boring,
    hosts: ['a.example', '*.b.example'],
    rules: [
      {
        filters: [],
        matches: [
          {
            path: { kind: 'prefix', value: '/api' },
            method: 'GET',
            headers: [{ name: 'x-tenant', kind: 'exact', value: 'blue' }],
            queryParams: [],
          },
          {
            path: { kind: 'exact', value: '/a' },
            headers: [],
            queryParams: [{ name: 'Q', kind: 'exact', value: '1' }],
          },
          { path: { kind: 'regex', value: '/v[0-9]+/.*' }, headers: [], queryParams: [] },
          {
            path: { kind: 'prefix', value: '/' },
            headers: [{ name: 'h', kind: 'regex', value: 'a|b' }],
            queryParams: [],
          },
          { headers: [], queryParams: [{ name: 'q', kind: 'regex', value: '.+' }] },
        ],
      },
    ],
  });
});

test('request filters are kept; ResponseHeaderModifier is left out with a warning', () => {
  const filters = [
    {
      type: 'RequestHeaderModifier',
      requestHeaderModifier: {
        add: [{ name: 'A', value: '1' }],
        set: [{ name: 'b', value: '' }],
        remove: ['C'],
      },
    },
    {
      type: 'RequestRedirect',
      requestRedirect: {
        scheme: 'https',
        hostname: 'x.example',
        port: 8443,
        statusCode: 308,
        path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/b' },
      },
    },
    {
      type: 'RequestRedirect',
      requestRedirect: { path: { type: 'ReplaceFullPath', replaceFullPath: '/c' } },
    },
    { type: 'ResponseHeaderModifier', responseHeaderModifier: { remove: ['x'] } },
  ];
  const { spec, warnings } = readWire('HTTPRoute', { spec: { ...attached, rules: [{ filters }] } });
  assert.deepEqual(spec, {
    ...boring,
    rules: [
      {
        ...everyRequest,
        filters: [
          {
            kind: 'request-headers',
            add: [{ name: 'a', value: '1' }],
            set: [{ name: 'b', value: '' }],
            remove: ['c'],
          },
          {
            kind: 'redirect',
            scheme: 'https',
            host: 'x.example',
            port: 8443,
            status: 308,
            path: { kind: 'prefix', value: '/b' },
          },
          { kind: 'redirect', path: { kind: 'full', value: '/c' } },
        ],
      },
    ],
  });
  assert.deepEqual(warnings, [
    'spec.rules[0].filters[3]: ResponseHeaderModifier is left out: the proxy changes no response headers of inbound requests',
  ]);
});

test('what only outbound routing reads is left alone', () => {
  const rules = [
    { backendRefs: [{ name: 'x', any: 1 }], timeouts: { request: '1s' }, retry: {}, sessionPersistence: {} },
  ];
  assert.deepEqual(
    goodSpec('GatewayHTTPRoute', { spec: { ...attached, rules, useDefaultGateways: 'All' } }),
    boring,
  );
});

test('a route of another controller, such as an ingress, is neither judged nor used', () => {
  const rules = [{ filters: [{ type: 'URLRewrite', urlRewrite: {} }], matches: [{ path: { value: 'x' } }] }];
  const spec = goodSpec('GatewayHTTPRoute', {
    spec: { parentRefs: [{ name: 'ingress', sectionName: 'tls' }], rules },
  });
  assert.deepEqual(spec, { servers: [], services: [], hosts: [], rules: [] });
});

const rule = (fields: WireObject): WireObject => ({ ...attached, rules: [fields] });
const match = (fields: WireObject): WireObject => rule({ matches: [fields] });
const filter = (fields: WireObject): WireObject => rule({ filters: [fields] });

const mistakes: readonly (readonly [spec: unknown, problems: readonly string[]])[] = [
  [{ ...attached, hostname: ['a'] }, ['spec.hostname: unknown field: did you mean `hostnames`?']],
  [
    { ...attached, hostnames: ['A.example'] },
    ['spec.hostnames[0]: `A.example` is not a host name: a lower-case DNS name, or one after `*.`'],
  ],
  [
    { ...attached, hostnames: ['*'] },
    ['spec.hostnames[0]: `*` is not a host name: a lower-case DNS name, or one after `*.`'],
  ],
  [{ ...attached, rules: null }, ['spec.rules: nothing is written: write a list']],
  [rule({ matchs: [] }), ['spec.rules[0].matchs: unknown field: did you mean `matches`?']],
  [rule({ matches: null }), ['spec.rules[0].matches: nothing is written: write a list']],
  [match({ paths: {} }), ['spec.rules[0].matches[0].paths: unknown field: did you mean `path`?']],
  [
    match({ path: { value: 'api' } }),
    ['spec.rules[0].matches[0].path.value: `api` is not absolute: begin with `/`'],
  ],
  [
    match({ path: { value: '' } }),
    ['spec.rules[0].matches[0].path.value: an empty text is not absolute: begin with `/`'],
  ],
  [
    match({ path: { type: 'Prefix', value: '/a' } }),
    [
      'spec.rules[0].matches[0].path.type: `Prefix` is not known here: use Exact, PathPrefix, RegularExpression',
    ],
  ],
  [match({ path: { type: 'RegularExpression', value: '\\Qa' } }), ['spec.rules[0].matches[0].path.value']],
  [match({ path: { type: 'RegularExpression', value: '(' } }), ['spec.rules[0].matches[0].path.value']],
  [
    match({ method: 'get' }),
    ['spec.rules[0].matches[0].method: `get` is not a valid HTTP method: did you mean `GET`?'],
  ],
  [
    match({ headers: [{ name: 'a b', value: 'c' }] }),
    [
      'spec.rules[0].matches[0].headers[0].name: `a b` is not a valid header name: a token of RFC 9110 §5.6.2, such as x-tenant',
    ],
  ],
  [
    match({ headers: [{ name: 'a' }] }),
    ['spec.rules[0].matches[0].headers[0].value: missing: the value to match'],
  ],
  [
    match({ headers: [{ name: 'a', value: '(', type: 'RegularExpression' }] }),
    ['spec.rules[0].matches[0].headers[0].value'],
  ],
  [
    match({ queryParams: [{ name: '', value: 'c' }] }),
    ['spec.rules[0].matches[0].queryParams[0].name: an empty text: name a query parameter'],
  ],
  [
    match({ headers: [{ name: 'a', value: 'b\nc' }] }),
    [
      'spec.rules[0].matches[0].headers[0].value: `b\nc` has control characters, which no header has: write the value in one line',
    ],
  ],
  [
    filter({ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'a', value: '\0' }] } }),
    [
      'spec.rules[0].filters[0].requestHeaderModifier.set[0].value: `\0` has control characters, which no header has: write the value in one line',
    ],
  ],
  [
    filter({ type: 'RequestRedirect', requestRedirect: { hostname: 'a b' } }),
    ['spec.rules[0].filters[0].requestRedirect.hostname: `a b` is not a host name: a lower-case DNS name'],
  ],
  [filter({}), ['spec.rules[0].filters[0].type: missing: RequestHeaderModifier or RequestRedirect']],
  [
    filter({ type: 'URLRewrite', urlRewrite: {} }),
    [
      'spec.rules[0].filters[0].type: `URLRewrite` cannot be honoured by the proxy: use RequestHeaderModifier or RequestRedirect',
    ],
  ],
  [
    filter({ type: 'RequestMirror', requestMirror: {} }),
    [
      'spec.rules[0].filters[0].type: `RequestMirror` cannot be honoured by the proxy: use RequestHeaderModifier or RequestRedirect',
    ],
  ],
  [
    filter({ type: 'ExtensionRef', extensionRef: {} }),
    [
      'spec.rules[0].filters[0].type: `ExtensionRef` cannot be honoured by the proxy: use RequestHeaderModifier or RequestRedirect',
    ],
  ],
  [filter({ type: 'RequestRedirect' }), ['spec.rules[0].filters[0].requestRedirect: missing: say where to']],
  [
    filter({ type: 'RequestRedirect', requestRedirect: { statusCode: 200 } }),
    [
      'spec.rules[0].filters[0].requestRedirect.statusCode: the number 200 is not a number from 300 to 399: a whole number, without quotes',
    ],
  ],
  [
    filter({ type: 'RequestRedirect', requestRedirect: { scheme: 'ftp' } }),
    ['spec.rules[0].filters[0].requestRedirect.scheme: `ftp` is not known here: use http, https'],
  ],
  [
    filter({
      type: 'RequestRedirect',
      requestRedirect: { path: { type: 'ReplaceFullPath', replaceFullPath: 'a' } },
    }),
    ['spec.rules[0].filters[0].requestRedirect.path.replaceFullPath: `a` is not absolute: begin with `/`'],
  ],
  [
    filter({ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['a b'] } }),
    [
      'spec.rules[0].filters[0].requestHeaderModifier.remove[0]: `a b` is not a valid header name: a token of RFC 9110 §5.6.2, such as x-tenant',
    ],
  ],
  [
    { parentRefs: [{ ...server, port: 80 }] },
    ['spec.parentRefs[0].port: a Server has no parts to attach to: remove the field'],
  ],
  [
    { parentRefs: [{ ...server, sectionName: 'x' }] },
    ['spec.parentRefs[0].sectionName: a Server has no parts to attach to: remove the field'],
  ],
  [
    { parentRefs: [server, { ...server, namespace: 'other' }] },
    ['spec.parentRefs[1].namespace: `other` is another namespace: use a Server of `demo`'],
  ],
];

test('every mistake is refused with its path; the route stays attached', () => {
  for (const kind of both) {
    for (const [spec, problems] of mistakes) {
      const { problems: found, closes, attachedTo } = rejection(kind, { spec });
      assert.equal(found.length, problems.length, JSON.stringify([spec, found]));
      // Of a regular expression only the place: what is wrong with it is told by another part.
      for (const [index, problem] of problems.entries())
        assert.equal(found[index]?.slice(0, problem.length), problem);
      assert.deepEqual([closes.ports, attachedTo], [[], ['web']], JSON.stringify(spec));
    }
  }
  assert.equal(mistakes.length, 32);
});
