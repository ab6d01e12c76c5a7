import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asManifest } from '@gatehouse/testing/manifest-folder';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import type { WireObject } from '../parse/fields.ts';
import { composeWorld } from './folder-objects.ts';
import { parseManifest } from './manifest.ts';

const linkerd = 'policy.linkerd.io/v1beta3';
const gateway = 'gateway.networking.k8s.io/v1';
const ours = 'policy.linkerd.io/v1alpha1';

const written = (apiVersion: string, kind: string, metadata: object = {}): WireObject => ({
  apiVersion,
  kind,
  metadata: { name: 'a', namespace: 'demo', ...metadata },
});
const aServer = (metadata: WireObject): WireObject => aWireObject('Server', { metadata });

/** What is closed in a fresh start on a manifest with these objects. */
const closedBy = (...objects: readonly WireObject[]): readonly string[] | 'all' | undefined => {
  const manifest = parseManifest('a.yaml', undefined, { bytes: Buffer.from(asManifest(...objects)) });
  return composeWorld([manifest], 'gatehouse').unreadable[0]?.namespaces;
};

const unplaced: readonly (readonly [what: string, objects: readonly WireObject[], closed: unknown])[] = [
  ['a name is missing', [aServer({ name: undefined })], ['demo']],
  ['a name is not a text', [aServer({ name: 7 })], ['demo']],
  ['a namespace is not a text', [aServer({ namespace: 7 })], 'all'],
  ['a namespace is not a valid name', [aServer({ namespace: 'Demo' })], 'all'],
  ['the metadata is not an object', [{ ...aServer({}), metadata: 'demo' }], 'all'],
  ['a nameless object leaves its namespace out', [aServer({ name: 7, namespace: undefined })], ['default']],
  ['a nameless object has an empty namespace', [aServer({ name: 7, namespace: '' })], ['default']],
  ['a Namespace is not a valid name', [aWireObject('Namespace', { name: 'a.b' })], 'all'],
  ['a Pod has no name', [aWireObject('Pod', { metadata: { name: undefined } })], ['demo']],
  ['a Deployment has no name', [written('apps/v1', 'Deployment', { name: undefined })], ['demo']],
  ['a Node has no name, and is in no namespace', [aWireObject('Node', { metadata: { name: 7 } })], []],
  [
    'others stand beside it',
    [
      aServer({ name: 7 }),
      aWireObject('Pod', { namespace: 'other' }),
      aWireObject('Namespace', { name: 'third' }),
      written('example.com/v1', 'Widget', { namespace: 'of-a-stranger' }),
    ],
    ['demo', 'other', 'third'],
  ],
  ['a kind is misspelt', [written(ours, 'NetworkAuthenticationPolcy')], ['demo']],
  ['a kind is of another case', [written(linkerd, 'httpRoute')], ['demo']],
  ['a kind is in the plural', [written(linkerd, 'Servers', { namespace: 'other' })], ['other']],
  ['a kind of Gateway API is misspelt', [written(gateway, 'HTTPRouter')], ['demo']],
  ['a Namespace is misspelt, so its name is what it closes', [written('v1', 'Namepsace')], ['a']],
  ['a group is misspelt', [written('policy.linkerd.oi/v1beta3', 'Server')], ['demo']],
  ['a group is forgotten', [written('v1beta3', 'HTTPRoute')], ['demo']],
  ['a group is forgotten, and a kind of another case', [written('v1beta3', 'HttpRoute')], ['demo']],
  ['a Namespace is of the group `core`', [written('core/v1', 'Namespace')], ['a']],
  [
    'our own kind is of another group',
    [written('gatehouse.dev/v1', 'NetworkAuthenticationPolicy')],
    ['demo'],
  ],
];

test('a manifest with an object that cannot be placed closes the namespaces that it may be about', () => {
  for (const [what, objects, closed] of unplaced) assert.deepEqual(closedBy(...objects), closed, what);
  assert.equal(unplaced.length, 22);
});

const placed: readonly (readonly [what: string, object: WireObject])[] = [
  ['an empty namespace is `default`', aServer({ namespace: '' })],
  ['a policy whose name is not a valid one is rejected in its place', aServer({ name: 'A b' })],
  ['a kind of another project', written('example.com/v1', 'HTTPRoute')],
  ['a kind of another project with a name like ours', written('mail.example.com/v1', 'Server')],
  ['a core kind that we do not use', written('v1', 'Secret')],
  ['a workload misspelt, which admits nobody', written('apps/v1', 'Deploymnet')],
  ['another kind of the group', written('policy.linkerd.io/v1alpha1', 'MeshTLSAuthentications')],
];

test('what can be placed, or is of no concern, closes no more than itself', () => {
  for (const [what, object] of placed) assert.equal(closedBy(object), undefined, what);
  assert.equal(placed.length, 7);
});

test('an empty namespace is `default`, as it is for kubectl', () => {
  const pod = aWireObject('Pod', { namespace: '' });
  const manifest = parseManifest('a.yaml', undefined, { bytes: Buffer.from(asManifest(pod)) });
  assert.ok(composeWorld([manifest], 'gatehouse').objects.has('Pod/default/a'));
});
