import assert from 'node:assert/strict';
import test from 'node:test';
import { parsed, problem } from '@gatehouse/core/problem';
import { Server } from '../gen/io/linkerd/proxy/inbound.ts';
import type { CheckRegex } from './decode-http.ts';
import { decodeInbound } from './decode-inbound.ts';

/** Messages in protobuf's JSON form, where parts can be left out. */
const decode = (draft: object, checkRegex: CheckRegex = parsed) =>
  decodeInbound(Server.encode(Server.fromJSON(draft)).finish(), checkRegex);

const net = { ip: { ipv4: 0 }, prefixLen: 0 };
const metadata = { default: 'x' };
const authz = { networks: [{ net }], authentication: { unauthenticated: {} }, metadata };
const http1 = (route: object) => ({ protocol: { http1: { routes: [{ metadata, ...route }] } } });
const withMatch = (match: object) => http1({ rules: [{ matches: [match] }] });
const withAuthz = (part: object) => ({ protocol: { opaque: {} }, authorizations: [{ ...authz, ...part }] });
const atMatch = 'protocol.http1.routes[0].rules[0].matches[0]';

/** One unreadable part each, and the path that must be named (contract/proxy.md §1.5). */
const invalid: readonly (readonly [object, string])[] = [
  [{}, 'protocol'],
  [{ protocol: {} }, 'protocol.kind'],
  [{ protocol: { opaque: {} }, labels: { group: '', kind: 'default' } }, 'labels.name'],
  [{ protocol: { detect: {} } }, 'protocol.detect.timeout'],
  [{ protocol: { detect: { timeout: { seconds: '-1' } } } }, 'protocol.detect.timeout'],
  [
    { protocol: { http2: { localRateLimit: { metadata: {} } } } },
    'protocol.http2.localRateLimit.metadata.kind',
  ],
  [withAuthz({ networks: [] }), 'authorizations[0].networks'],
  [withAuthz({ networks: [{}] }), 'authorizations[0].networks[0].net'],
  [withAuthz({ networks: [{ net: { ...net, prefixLen: 33 } }] }), 'authorizations[0].networks[0].net'],
  [withAuthz({ networks: [{ net, except: [{}] }] }), 'authorizations[0].networks[0].except[0]'],
  [withAuthz({ authentication: undefined }), 'authorizations[0].authentication.permit'],
  [withAuthz({ authentication: { meshTLS: {} } }), 'authorizations[0].authentication.permit.meshTLS.clients'],
  [withAuthz({ metadata: undefined }), 'authorizations[0].labels.name'],
  [withAuthz({ metadata: {} }), 'authorizations[0].metadata.kind'],
  [http1({ metadata: undefined }), 'protocol.http1.routes[0].metadata.kind'],
  [
    http1({ authorizations: [{ ...authz, networks: [] }] }),
    'protocol.http1.routes[0].authorizations[0].networks',
  ],
  [http1({ hosts: [{}] }), 'protocol.http1.routes[0].hosts[0]'],
  [http1({ rules: [{ filters: [{}] }] }), 'protocol.http1.routes[0].rules[0].filters[0]'],
  [
    http1({ rules: [{ filters: [{ failureInjector: { status: 500 } }] }] }),
    'protocol.http1.routes[0].rules[0].filters[0]',
  ],
  [
    http1({ rules: [{ filters: [{ redirect: { status: 99 } }] }] }),
    'protocol.http1.routes[0].rules[0].filters[0].status',
  ],
  [
    http1({ rules: [{ filters: [{ redirect: { path: { full: 'a' } } }] }] }),
    'protocol.http1.routes[0].rules[0].filters[0].path',
  ],
  [
    http1({
      rules: [
        { filters: [{ requestHeaderModifier: { add: { headers: [{ name: 'a', value: Buffer.of(10) }] } } }] },
      ],
    }),
    'protocol.http1.routes[0].rules[0].filters[0].add[0].value',
  ],
  [withMatch({ headers: [{ name: 'a', exact: Buffer.of(0x62, 0) }] }), `${atMatch}.headers[0].value`],
  [withMatch({ path: {} }), `${atMatch}.path`],
  [withMatch({ method: {} }), `${atMatch}.method`],
  [withMatch({ method: { unregistered: 'A B' } }), `${atMatch}.method`],
  [withMatch({ headers: [{ name: 'a b', regex: '' }] }), `${atMatch}.headers[0].name`],
  [withMatch({ headers: [{ name: 'a' }] }), `${atMatch}.headers[0].value`],
  [withMatch({ queryParams: [{ exact: '' }] }), `${atMatch}.queryParams[0].name`],
  [
    { protocol: { grpc: { routes: [{ metadata, rules: [{ matches: [{}] }] }] } } },
    'protocol.grpc.routes[0].rules[0].matches[0].rpc',
  ],
];

test('one unreadable part makes the whole Server invalid, and is named', () => {
  assert.equal(invalid.length, 30);
  for (const [draft, field] of invalid) {
    const outcome = decode({ labels: { name: 'web' }, ...draft });
    assert.equal(outcome.ok ? 'read' : outcome.problems[0]?.field, field);
  }
});

test('a pattern that the proxy would refuse makes the whole Server invalid', () => {
  const draft = { labels: { name: 'web' }, ...withMatch({ path: { regex: '(' } }) };
  const refused = problem('', '`(` is not a valid pattern', 'close the group');
  assert.equal(decode(draft).ok, true);
  assert.deepEqual(
    decode(draft, () => refused),
    refused,
  );
});

test('bytes that are not protobuf are invalid, not an exception', () => {
  assert.equal(decodeInbound(Uint8Array.of(0xff, 0xff, 0xff), parsed).ok, false);
});

test('labels name the kind the way older control planes wrote them', () => {
  const cases = [
    [{ name: 'default:deny' }, { kind: 'default', name: 'deny' }],
    [
      { name: 'deny', group: '', kind: 'default' },
      { kind: 'default', name: 'deny' },
    ],
    [
      { name: 'web' },
      { kind: 'resource', resource: { group: 'policy.linkerd.io', kind: 'server', name: 'web' } },
    ],
    [
      { name: 'web', group: 'g', kind: 'k' },
      { kind: 'resource', resource: { group: 'g', kind: 'k', name: 'web' } },
    ],
  ] as const;
  assert.equal(cases.length, 4);
  for (const [written, meta] of cases) {
    assert.deepEqual(decode({ labels: written, protocol: { opaque: {} } }), {
      ok: true,
      value: { protocol: { kind: 'opaque' }, authorizations: [], meta },
    });
  }
});
