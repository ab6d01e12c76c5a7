import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { asManifest } from '@gatehouse/testing/manifest-folder';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import { aFolderMesh } from '../testing/a-folder-mesh.ts';
import { aRoutedNamespace, linkerd, parentRefs } from '../testing/a-routed-namespace.ts';

const adminPath = { type: 'PathPrefix', value: '/admin' };

/** What an author wrote to keep everybody but `ops` from `/admin`. */
const admin = (spec: WireObject = {}, metadata: WireObject = {}): WireObject =>
  aWireObject('HTTPRoute', {
    name: 'admin',
    metadata,
    spec: { parentRefs, rules: [{ matches: [{ path: adminPath }] }], ...spec },
  });

const ofParent = (slip: WireObject): WireObject => ({
  parentRefs: parentRefs.map((ref) => ({ ...ref, ...slip })),
});

const gatewayAdmin = (spec: WireObject): WireObject =>
  aWireObject('GatewayHTTPRoute', {
    name: 'admin',
    spec: { parentRefs, rules: [{ matches: [{ path: adminPath }] }], ...spec },
  });

/** `/` is open to the whole mesh, `/admin` is not. */
const surroundings = aRoutedNamespace({
  group: linkerd,
  kind: 'HTTPRoute',
  everything: aWireObject('HTTPRoute', {
    name: 'everything',
    spec: { parentRefs, rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }] }] },
  }),
});

const aMesh = (t: TestContext, files: Readonly<Record<string, string>>) =>
  aFolderMesh(t, { 'rest.yaml': surroundings, ...files });

const good = asManifest(admin());

it('while it is whole, the route keeps everybody but its own from its paths', async (t) => {
  const { start, verdict } = await aMesh(t, { 'admin.yaml': good });
  await start();
  assert.equal(await verdict('intruder', 'GET /admin/x'), 'unauthorized');
  assert.equal(await verdict('intruder', 'GET /'), 'allowed');
  assert.equal(await verdict('ops', 'GET /admin/x'), 'allowed');
});

/** What stays open for the rest of the mesh: all but the route's own requests, or nothing that only a route grants. */
type Rest = 'open' | 'closed';

const broken: readonly (readonly [what: string, text: string, rest: Rest])[] = [
  ['an unknown field', asManifest(admin({ timeout: '5s' })), 'closed'],
  [
    'an unknown field in a match',
    asManifest(admin({ rules: [{ matches: [{ path: adminPath, hedaers: [] }] }] })),
    'closed',
  ],
  ['a misspelt `matches`', asManifest(admin({ rules: [{ matchs: [{ path: adminPath }] }] })), 'closed'],
  [
    'a path without slash',
    asManifest(admin({ rules: [{ matches: [{ path: { value: 'admin' } }] }] })),
    'closed',
  ],
  [
    'a regular expression that Rust refuses',
    asManifest(
      admin({ rules: [{ matches: [{ path: { type: 'RegularExpression', value: '/admin(?=/)' } }] }] }),
    ),
    'closed',
  ],
  [
    'a filter that the proxy does not know',
    asManifest(
      admin({
        rules: [{ matches: [{ path: adminPath }], filters: [{ type: 'URLRewrite', urlRewrite: {} }] }],
      }),
    ),
    'open',
  ],
  ['a host that is not a valid name', asManifest(admin({ hostnames: ['ADMIN'] })), 'closed'],
  ['parents that nobody can read', asManifest(admin({ parentRefs: 'web' })), 'closed'],
  ['a misspelt kind of its parent', asManifest(admin(ofParent({ kind: 'Sever' }))), 'open'],
  ['a misspelt group of its parent', asManifest(admin(ofParent({ group: 'policy.linkerd.oi' }))), 'open'],
  ['a parent without kind', asManifest(admin(ofParent({ kind: undefined }))), 'open'],
  ['a misspelt namespace of its parent', asManifest(admin(ofParent({ namespace: 'dmeo' }))), 'open'],
  ['a list of another case', JSON.stringify({ apiVersion: 'v1', kind: 'list', items: [admin()] }), 'closed'],
  [
    'a list whose items are none',
    JSON.stringify({ apiVersion: 'v1', kind: 'List', itms: [admin()] }),
    'closed',
  ],
  ['no spec', asManifest({ ...admin(), spec: undefined, specc: admin().spec }), 'closed'],
  ['a misspelt `parentRefs`', asManifest(admin({ parentRefs: undefined, parentRef: parentRefs })), 'closed'],
  ['a version that nobody knows', asManifest({ ...admin(), apiVersion: `${linkerd}/v9` }), 'open'],
  ['the same route twice', asManifest(admin(), admin()), 'open'],
  ['a name that is none', asManifest(admin({}, { name: 'Admin Route' })), 'open'],
  ['a name that is not text', asManifest(admin({}, { name: 7 })), 'closed'],
  ['a namespace that is not text', asManifest(admin({}, { namespace: 7 })), 'closed'],
  ['a namespace that is not a valid name', asManifest(admin({}, { namespace: 'Demo' })), 'closed'],
  ['a time of creation that is none', asManifest(admin({}, { creationTimestamp: 'today' })), 'open'],
  ['a misspelt kind', asManifest({ ...admin(), kind: 'HTTPRoutes' }), 'closed'],
  ['a misspelt group', asManifest({ ...admin(), apiVersion: 'policy.linkred.io/v1beta3' }), 'closed'],
  ['a forgotten group', asManifest({ ...admin(), apiVersion: 'v1beta3' }), 'closed'],
  ['half a file', good.slice(0, good.indexOf('PathPrefix')), 'closed'],
  ['a file that is not YAML', 'apiVersion: [', 'closed'],
];

describe('a route that cannot be read opens nothing', () => {
  for (const [what, text, rest] of broken) {
    it(`${what}, found at the start`, async (t) => {
      const { start, verdict } = await aMesh(t, { 'admin.yaml': text });
      await start();
      assert.equal(await verdict('intruder', 'GET /admin/x'), 'unauthorized');
      assert.equal(await verdict('ops', 'GET /admin/x'), 'unauthorized');
      assert.equal((await verdict('intruder', 'GET /other')) === 'allowed' ? 'open' : 'closed', rest);
      // Anyone who is admitted to the whole Server never owed it to a route.
      assert.equal(await verdict('superuser', 'GET /admin/x'), 'allowed');
    });
    it(`${what}, written over the good one`, async (t) => {
      const { folder, start, until, verdict } = await aMesh(t, { 'admin.yaml': good });
      await start();
      await folder.put('admin.yaml', text);
      await until(async () => (await verdict('ops', 'GET /admin/x')) !== 'allowed');
      assert.equal(await verdict('intruder', 'GET /admin/x'), 'unauthorized');
      assert.equal(await verdict('superuser', 'GET /admin/x'), 'allowed');
      await folder.put('admin.yaml', good);
      await until(async () => (await verdict('ops', 'GET /admin/x')) === 'allowed');
      assert.equal(await verdict('intruder', 'GET /admin/x'), 'unauthorized');
      assert.equal(await verdict('intruder', 'GET /other'), 'allowed');
    });
  }
  it('covers the table', () => assert.equal(broken.length, 28));

  it('the same route in two files that disagree, so that nobody knows which requests are its own', async (t) => {
    const other = { rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/ops' } }] }] };
    const { start, verdict } = await aMesh(t, { 'a.yaml': good, 'b.yaml': asManifest(admin(other)) });
    await start();
    for (const path of ['/admin/x', '/ops/x', '/other']) {
      assert.equal(await verdict('intruder', `GET ${path}`), 'unauthorized');
      assert.equal(await verdict('superuser', `GET ${path}`), 'allowed');
    }
  });

  it('a route that is moved into a file with an error', async (t) => {
    const rest = (name: string) => aWireObject('Namespace', { name });
    const { folder, start, until, verdict } = await aMesh(t, {
      'a.yaml': asManifest(rest('a'), admin()),
      'b.yaml': asManifest(rest('b')),
    });
    await start();
    assert.equal(await verdict('ops', 'GET /admin/x'), 'allowed');
    await folder.put('b.yaml', 'apiVersion: [');
    await folder.put('a.yaml', asManifest(rest('a')));
    await until(async () => (await verdict('ops', 'GET /admin/x')) !== 'allowed');
    assert.equal(await verdict('intruder', 'GET /admin/x'), 'unauthorized');
    assert.equal(await verdict('intruder', 'GET /other'), 'allowed');
    await folder.put('b.yaml', good);
    await until(async () => (await verdict('ops', 'GET /admin/x')) === 'allowed');
    assert.equal(await verdict('intruder', 'GET /admin/x'), 'unauthorized');
  });

  it('a file that the service may not read', { skip: process.getuid?.() === 0 }, async (t) => {
    const { folder, start, verdict } = await aMesh(t, { 'admin.yaml': good });
    await chmod(folder.at('admin.yaml'), 0);
    await start();
    assert.equal(await verdict('intruder', 'GET /admin/x'), 'unauthorized');
  });

  it('an object of another namespace that cannot be placed closes nothing here', async (t) => {
    const elsewhere = asManifest({ ...admin({}, { namespace: 'other' }), kind: 'HTTPRoutes' });
    const { start, verdict } = await aMesh(t, { 'admin.yaml': good, 'other.yaml': elsewhere });
    await start();
    assert.equal(await verdict('intruder', 'GET /admin/x'), 'unauthorized');
    assert.equal(await verdict('intruder', 'GET /other'), 'allowed');
  });

  it('a Gateway filter that the proxy does not know', async (t) => {
    const filters = [{ type: 'RequestMirror', requestMirror: {} }];
    const text = asManifest(gatewayAdmin({ rules: [{ matches: [{ path: adminPath }], filters }] }));
    const { start, verdict } = await aMesh(t, { 'admin.yaml': text });
    await start();
    assert.equal(await verdict('intruder', 'GET /admin/x'), 'unauthorized');
    assert.equal(await verdict('intruder', 'GET /other'), 'allowed');
  });
});
