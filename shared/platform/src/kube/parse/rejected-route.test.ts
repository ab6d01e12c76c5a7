import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rejection } from '@gatehouse/testing/wire-objects';
import type { WireObject } from './fields.ts';

const server = { group: 'policy.linkerd.io', kind: 'Server', name: 'web' };
const attached = { parentRefs: [server] };
const both = ['HTTPRoute', 'GatewayHTTPRoute'] as const;

const attachments: readonly (readonly [what: string, spec: unknown, attachedTo: unknown])[] = [
  [
    'a Server of another namespace',
    { parentRefs: [{ ...server, namespace: 'other' }, server], x: 1 },
    ['web'],
  ],
  ['parentRefs of another type', { parentRefs: 'web' }, 'all'],
  ['parentRefs without items', { parentRefs: null }, 'all'],
  ['a parent without name', { parentRefs: [server, { group: 'policy.linkerd.io', kind: 'Server' }] }, 'all'],
  ['a parent whose name is empty', { parentRefs: [{ ...server, name: '' }] }, 'all'],
  ['a misspelt parent', { parentRefs: [{ ...server, nam: 'x' }] }, 'all'],
  ['misspelt parentRefs', { parentRef: [server] }, 'all'],
  ['no spec', undefined, 'all'],
];

test('a rejected route stays attached to the Servers it names, and to all where it names them unreadably', () => {
  for (const [what, spec, attachedTo] of attachments) {
    assert.deepEqual(rejection('HTTPRoute', { spec }).attachedTo, attachedTo, what);
  }
  assert.equal(attachments.length, 8);
});

const admin = { path: { value: '/admin' } };
const adminMatch = { path: { kind: 'prefix', value: '/admin' }, headers: [], queryParams: [] };
const everything = { headers: [], queryParams: [] };
const mirror = { filters: [{ type: 'RequestMirror', requestMirror: {} }] };

const keepings: readonly (readonly [what: string, spec: WireObject, hosts: string[], matches: unknown[]])[] =
  [
    ['a filter', { rules: [{ matches: [admin], ...mirror }] }, [], [adminMatch]],
    ['a field of a filter', { rules: [{ matches: [admin], filters: [{ typ: 1 }] }] }, [], [adminMatch]],
    ['a filter beside hosts', { hostnames: ['a.b'], rules: [mirror] }, ['a.b'], [everything]],
    ['a filter of one of two rules', { rules: [{ matches: [admin] }, mirror] }, [], [adminMatch, everything]],
    ['the parents', { parentRefs: 'web', rules: [{ matches: [admin] }] }, [], [adminMatch]],
    ['a filter of a rule with an empty list', { rules: [{ matches: [], ...mirror }] }, [], [everything]],
  ];

test('a rejected route whose hosts and matches can be read keeps them', () => {
  for (const kind of both) {
    for (const [what, spec, hosts, matches] of keepings) {
      const { keeps, extent } = rejection(kind, { spec: { ...attached, ...spec } });
      assert.deepEqual([keeps, extent], [[{ hosts, matches }], 'known'], what);
    }
  }
  assert.equal(keepings.length, 6);
});

const losses: readonly (readonly [what: string, spec: WireObject, keeps: unknown[]])[] = [
  ['a field of the spec', { rules: [{ matches: [admin] }], rulez: [] }, []],
  ['a host', { hostnames: ['A'], rules: [{ matches: [admin] }] }, []],
  ['the list of rules', { rules: { matches: [admin] } }, [{ hosts: [], matches: [] }]],
  ['a rule', { rules: [{ matches: [admin] }, 'GET'] }, [{ hosts: [], matches: [adminMatch] }]],
  [
    'a field of a rule',
    { rules: [{ matches: [admin] }, { matches: [admin], matchs: [] }] },
    [{ hosts: [], matches: [adminMatch] }],
  ],
  ['a list of matches', { rules: [{ matches: null }] }, [{ hosts: [], matches: [] }]],
  ['a match', { rules: [{ matches: [admin, '/x'] }] }, [{ hosts: [], matches: [adminMatch] }]],
  [
    'a field of a match',
    { rules: [{ matches: [{ ...admin, header: [] }, admin] }] },
    [{ hosts: [], matches: [adminMatch] }],
  ],
  ['a header', { rules: [{ matches: [{ headers: [{ name: 'a' }] }] }] }, [{ hosts: [], matches: [] }]],
  ['the spec', { rules: null }, [{ hosts: [], matches: [] }]],
];

test('one of which a host or match cannot be read keeps the others, and says that they are not all', () => {
  for (const kind of both) {
    for (const [what, spec, keeps] of losses) {
      const found = rejection(kind, { spec: { ...attached, ...spec } });
      assert.deepEqual([found.keeps, found.extent], [keeps, 'unknown'], what);
    }
  }
  assert.equal(losses.length, 10);
});
