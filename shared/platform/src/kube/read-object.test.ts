import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printProblem } from '@gatehouse/core/problem';
import { isRejected, type Kind } from '@gatehouse/core/resources/kinds';
import { aWireObject, readWire } from '@gatehouse/testing/wire-objects';
import { kindOf, kinds, kindTable } from './kind-table.ts';
import type { WireObject } from './parse/fields.ts';
import { readObject } from './read-object.ts';

test('metadata is read with labels and the annotations that a service reads', () => {
  const { object, warnings } = readWire('Namespace', {
    name: 'demo',
    uid: 'u',
    metadata: {
      creationTimestamp: '2026-01-31T12:00:00Z',
      deletionTimestamp: '2026-01-31T12:00:01.5Z',
      labels: { team: 'web', empty: null },
      annotations: {
        'config.linkerd.io/default-inbound-policy': 'deny',
        'retry.linkerd.io/http': '5xx',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
      },
    },
  });
  assert.deepEqual(
    [object, warnings],
    [
      {
        kind: 'Namespace',
        meta: {
          namespace: '',
          name: 'demo',
          uid: 'u',
          createdAt: Date.UTC(2026, 0, 31, 12),
          deletedAt: Date.UTC(2026, 0, 31, 12, 0, 1, 500),
          labels: { team: 'web', empty: '' },
          annotations: { 'config.linkerd.io/default-inbound-policy': 'deny', 'retry.linkerd.io/http': '5xx' },
        },
        spec: {},
      },
      [],
    ],
  );
});

test('a label or annotation that is not text is read as text, since dropping it could open something', () => {
  const { object, warnings } = readWire('Pod', {
    metadata: {
      labels: { quarantine: true, rank: 1 },
      annotations: { 'config.linkerd.io/default-inbound-policy': ['deny'] },
    },
  });
  assert.deepEqual(object.meta.labels, { quarantine: 'true', rank: '1' });
  assert.deepEqual(object.meta.annotations, { 'config.linkerd.io/default-inbound-policy': '["deny"]' });
  assert.deepEqual(warnings, [
    'metadata.labels[quarantine]: the boolean true is not text: read as "true": put it in quotes',
    'metadata.labels[rank]: the number 1 is not text: read as "1": put it in quotes',
    'metadata.annotations[config.linkerd.io/default-inbound-policy]: a list is not text: read as "["deny"]": put it in quotes',
  ]);
});

test('metadata that cannot be read costs only itself', () => {
  const { object, warnings } = readWire('Pod', { metadata: { creationTimestamp: '2026', labels: [] } });
  assert.deepEqual([object.meta.createdAt, object.meta.labels], [0, {}]);
  assert.deepEqual(warnings, [
    'metadata.creationTimestamp: `2026` is not a valid time: RFC 3339, such as 2026-01-31T12:00:00Z',
    'metadata.labels: an empty list is not an object: write names and texts',
  ]);
});

test('annotations that cannot be read at all say deny, and ask for a proxy, as they may have', () => {
  const { object, warnings } = readWire('Namespace', { metadata: { annotations: ['x'] } });
  assert.deepEqual(object.meta.annotations, {
    'config.linkerd.io/default-inbound-policy': 'deny',
    'linkerd.io/inject': 'enabled',
  });
  assert.deepEqual(warnings, ['metadata.annotations: a list is not an object: write names and texts']);
});

test('the namespace is default when none is written, or an empty one', () => {
  for (const namespace of [undefined, null, '']) {
    const read = readObject('Pod', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace } });
    assert.equal(read.outcome === 'read' && read.object.meta.namespace, 'default');
  }
});

const nameless: readonly (readonly [metadata: unknown, problem: string])[] = [
  [undefined, 'metadata.name: missing: give the object a name'],
  ['demo', 'metadata.name: missing: give the object a name'],
  [{ generateName: 'a-' }, 'metadata.name: missing: give the object a name'],
  [{ name: null }, 'metadata.name: missing: give the object a name'],
  [{ name: 7 }, 'metadata.name: the number 7 is not text: put it in quotes'],
  [{ name: 'a', namespace: 7 }, 'metadata.namespace: the number 7 is not text: put it in quotes'],
];

test('an object that cannot be named is neither read nor refused', () => {
  for (const kind of ['Pod', 'Server'] as const) {
    for (const [metadata, problem] of nameless) {
      const read = readObject(kind, { ...aWireObject(kind), metadata });
      assert.deepEqual(
        [read.outcome, read.outcome !== 'read' && read.problems.map(printProblem)],
        ['unplaced', [problem]],
      );
    }
  }
  assert.equal(nameless.length, 6);
});

const badNames: readonly (readonly [kind: Kind, metadata: object, field: string])[] = [
  ['Pod', { name: 'A', namespace: 'demo' }, 'metadata.name'],
  ['Pod', { name: 'a', namespace: 'a.b' }, 'metadata.namespace'],
  ['ServiceAccount', { name: 'a/b' }, 'metadata.name'],
  ['Service', { name: 'x'.repeat(254) }, 'metadata.name'],
];

test('a core object with a name that no API server would store does not exist', () => {
  for (const [kind, metadata, field] of badNames) {
    const read = readObject(kind, { ...aWireObject(kind), metadata });
    assert.deepEqual(
      [read.outcome, read.outcome === 'refused' && read.problems.map((each) => each.field)],
      ['refused', [field]],
    );
  }
  assert.equal(badNames.length, 4);
});

const nowhere: readonly (readonly [kind: Kind, metadata: object, field: string])[] = [
  ['Server', { name: 'a', namespace: 'a.b' }, 'metadata.namespace'],
  ['AuthorizationPolicy', { name: 'a', namespace: 'Demo' }, 'metadata.namespace'],
  ['Namespace', { name: 'a.b' }, 'metadata.name'],
];

test('an object that may close something is not placed where nobody knows its namespace', () => {
  for (const [kind, metadata, field] of nowhere) {
    const read = readObject(kind, { ...aWireObject(kind), metadata });
    assert.deepEqual(
      [read.outcome, read.outcome === 'unplaced' && read.problems.map((each) => each.field)],
      ['unplaced', [field]],
    );
  }
  assert.equal(nowhere.length, 3);
});

const unordered: readonly (readonly [metadata: WireObject, governs: string, protocol: string | undefined])[] =
  [
    [{ creationTimestamp: '2026' }, 'perhaps', 'unknown'],
    [{ creationTimestamp: 7 }, 'perhaps', 'unknown'],
    [{ name: 'A b' }, 'surely', undefined],
  ];

test('a policy whose age or name cannot be read is rejected, in front of all others and in doubt', () => {
  for (const [metadata, governs, protocol] of unordered) {
    const { object, spec } = readWire('Server', { metadata, spec: { podSelector: {}, port: 80 } });
    assert.ok(isRejected(spec));
    assert.deepEqual([object.meta.createdAt, spec.governs, spec.proxyProtocol], [-1, governs, protocol]);
  }
  assert.equal(unordered.length, 3);
});

test('an object that says unreadably when it is deleted is being deleted', () => {
  for (const deletionTimestamp of ['soon', 7, {}]) {
    assert.equal(readWire('Pod', { metadata: { deletionTimestamp } }).object.meta.deletedAt, 0);
  }
});

test('a ServiceAccount may have dots in its name', () => {
  assert.equal(readWire('ServiceAccount', { name: 'web.v2' }).object.meta.name, 'web.v2');
});

test('a core object of another version is read with a warning', () => {
  assert.deepEqual(readWire('Pod', { version: 'v2' }).warnings, ['apiVersion: `v2` is not known: use v1']);
});

test('every kind is found by its group and its name on the wire, and reads an empty object without throwing', () => {
  for (const kind of kinds) {
    const { group, wireKind } = kindTable[kind];
    assert.equal(kindOf(group, wireKind), kind);
    for (const spec of [undefined, null, [], 'x', {}, { parentRefs: [null] }, { selector: [] }]) {
      assert.equal(readObject(kind, { ...aWireObject(kind), spec, status: spec }).outcome, 'read');
    }
  }
  assert.equal(kinds.length, 21);
});

test('policy kinds can be rejected for a reason outside of them, core kinds cannot', () => {
  for (const kind of kinds) {
    const read = readObject(kind, aWireObject(kind));
    const problem = { field: 'metadata.name', found: 'twice', fix: 'once' };
    const rejected = read.outcome === 'read' ? read.reject?.([problem]) : undefined;
    const policy = kindTable[kind].class === 'policy';
    assert.equal(
      rejected !== undefined && 'rejected' in rejected.spec && rejected.spec.rejected[0] === problem,
      policy,
      kind,
    );
  }
});
