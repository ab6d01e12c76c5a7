import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everything } from '@gatehouse/core/label-selector';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import { goodSpec, rejection } from '@gatehouse/testing/wire-objects';

const kind = 'MeshTLSAuthentication';

const identities: readonly (readonly [text: string, match: unknown])[] = [
  ['*', { kind: 'suffix', parts: [] }],
  ['*.a.b', { kind: 'suffix', parts: ['a', 'b'] }],
  ...[
    'web.demo.serviceaccount.identity.gatehouse.cluster.local',
    'a',
    'spiffe://td',
    'spiffe://trust.domain_1/Path/x-1',
  ].map((name) => [name, { kind: 'exact', identity: parseIdentity(name) }] as const),
];

test('identities are anybody, a suffix, a name or a SPIFFE id', () => {
  for (const [text, match] of identities) {
    assert.deepEqual(
      goodSpec(kind, { spec: { identities: [text] } }),
      { identities: [match], identityRefs: [] },
      text,
    );
  }
  assert.equal(identities.length, 6);
});

test('references are to ServiceAccounts and Namespaces', () => {
  const identityRefs = [
    { kind: 'ServiceAccount', name: 'web' },
    { group: 'core', kind: 'serviceaccount', name: 'web', namespace: 'other' },
    { group: '', kind: 'Namespace', name: 'other' },
  ];
  assert.deepEqual(goodSpec(kind, { spec: { identityRefs } }), {
    identities: [],
    identityRefs: [
      { kind: 'ServiceAccount', namespace: 'demo', name: 'web' },
      { kind: 'ServiceAccount', namespace: 'other', name: 'web' },
      { kind: 'Namespace', name: 'other' },
    ],
  });
});

const nameFix =
  'a DNS name such as web.demo.serviceaccount.identity.gatehouse.cluster.local, `*`, `*.a.b` or a SPIFFE id';
const spiffeFix = 'spiffe://trust-domain/path, without trailing slash';

const badIdentities: readonly (readonly [value: unknown, problem: string])[] = [
  ['', `an empty text is not a valid identity: ${nameFix}`],
  ['Web.demo', '`Web.demo` is not a valid identity: write it in lower case'],
  ['*.A.b', '`*.A.b` is not a valid identity: write it in lower case'],
  ['**.a', `\`**.a\` is not a valid identity: ${nameFix}`],
  ['*.*.a', `\`*.*.a\` is not a valid identity: ${nameFix}`],
  ['a.*.b', `\`a.*.b\` is not a valid identity: ${nameFix}`],
  ['*.', `\`*.\` is not a valid identity: ${nameFix}`],
  ['a.b.', `\`a.b.\` is not a valid identity: ${nameFix}`],
  ['a b', `\`a b\` is not a valid identity: ${nameFix}`],
  [`${'a'.repeat(64)}.b`, `\`${'a'.repeat(64)}.b\` is not a valid identity: ${nameFix}`],
  ['spiffe://', `\`spiffe://\` is not a valid SPIFFE id: ${spiffeFix}`],
  ['spiffe://TD/a', `\`spiffe://TD/a\` is not a valid SPIFFE id: ${spiffeFix}`],
  ['spiffe://td/', `\`spiffe://td/\` is not a valid SPIFFE id: ${spiffeFix}`],
  ['spiffe://td//a', `\`spiffe://td//a\` is not a valid SPIFFE id: ${spiffeFix}`],
  ['spiffe://td/../a', `\`spiffe://td/../a\` is not a valid SPIFFE id: ${spiffeFix}`],
  ['spiffe://td/a?b', `\`spiffe://td/a?b\` is not a valid SPIFFE id: ${spiffeFix}`],
  [7, `the number 7 is not text: ${nameFix}`],
  [null, `nothing is not text: ${nameFix}`],
];

test('what no certificate can bear is not a valid identity', () => {
  for (const [value, problem] of badIdentities) {
    const { problems } = rejection(kind, { spec: { identities: ['*', value] } });
    assert.deepEqual(problems, [`spec.identities[1]: ${problem}`], String(value));
  }
  assert.equal(badIdentities.length, 18);
});

const mistakes: readonly (readonly [spec: unknown, problems: readonly string[]])[] = [
  [{}, ['spec: neither identities nor identityRefs: write one of the two']],
  [
    { identities: ['*'], identityRefs: [{ kind: 'Namespace', name: 'a' }] },
    ['spec: both identities and identityRefs: write one of the two'],
  ],
  [{ identities: [] }, ['spec.identities: an empty list: name at least one, or `*` for any identity']],
  [{ identityRefs: [] }, ['spec.identityRefs: an empty list: name at least one, or `*` for any identity']],
  [{ identities: '*' }, ['spec.identities: `*` is not a list: write a list']],
  [
    { identites: ['*'] },
    [
      'spec: neither identities nor identityRefs: write one of the two',
      'spec.identites: unknown field: did you mean `identities`?',
    ],
  ],
  [{ identityRefs: [{ kind: 'ServiceAccount' }] }, ['spec.identityRefs[0].name: missing: name the object']],
  [
    { identityRefs: [{ kind: 'Namespace', name: 'a', namespace: 'b' }] },
    ['spec.identityRefs[0].namespace: a Namespace is in no namespace: remove the field'],
  ],
  [
    { identityRefs: [{ group: 'policy.linkerd.io', kind: 'ServiceAccount', name: 'a' }] },
    [
      'spec.identityRefs[0]: `serviceaccount` of `policy.linkerd.io` has no identity: ServiceAccount or Namespace of the core group',
    ],
  ],
  [
    { identityRefs: [{ kind: 'Pod', name: 'a' }] },
    [
      'spec.identityRefs[0]: `pod` of the core group has no identity: ServiceAccount or Namespace of the core group',
    ],
  ],
];

test('every mistake is refused with its path, what is there, and the fix; it then closes nothing', () => {
  for (const [spec, problems] of mistakes) {
    const { problems: found, ...closes } = rejection(kind, { spec });
    assert.deepEqual(found, problems, JSON.stringify(spec));
    assert.deepEqual(closes, { closes: { selector: everything, ports: [] } });
  }
  assert.equal(mistakes.length, 10);
});
