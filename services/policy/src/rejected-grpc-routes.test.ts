import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { asManifest } from '@gatehouse/testing/manifest-folder';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import { aFolderMesh } from '../testing/a-folder-mesh.ts';
import { aRoutedNamespace, gateway, parentRefs } from '../testing/a-routed-namespace.ts';

const purge = { service: 'shop.v1.Admin', method: 'Purge' };

/** What an author wrote to keep everybody but `ops` from purging. */
const admin = (spec: WireObject = {}, metadata: WireObject = {}): WireObject =>
  aWireObject('GRPCRoute', {
    name: 'admin',
    metadata,
    spec: { parentRefs, rules: [{ matches: [{ method: purge }] }], ...spec },
  });

const matching = (...matches: readonly unknown[]): WireObject => admin({ rules: [{ matches }] });

/** Every call is open to the whole mesh, `Purge` is not. */
const surroundings = aRoutedNamespace({
  group: gateway,
  kind: 'GRPCRoute',
  everything: aWireObject('GRPCRoute', {
    name: 'everything',
    spec: { parentRefs, rules: [{ matches: [{}] }] },
  }),
  server: { proxyProtocol: 'gRPC' },
});

const aMesh = (t: TestContext, files: Readonly<Record<string, string>>) =>
  aFolderMesh(t, { 'rest.yaml': surroundings, ...files });

const good = asManifest(admin());
const purging = 'POST /shop.v1.Admin/Purge';
const buying = 'POST /shop.v1.Shop/Buy';

it('while it is whole, the GRPCRoute keeps everybody but its own from its calls', async (t) => {
  const { start, verdict } = await aMesh(t, { 'admin.yaml': good });
  await start();
  assert.equal(await verdict('intruder', purging), 'unauthorized');
  assert.equal(await verdict('intruder', buying), 'allowed');
  assert.equal(await verdict('ops', purging), 'allowed');
  assert.equal(await verdict('ops', 'GET /shop.v1.Admin/Purge'), 'no-route');
});

/** What stays open for the rest of the mesh: all but the route's own calls, or nothing that only a route grants. */
type Rest = 'open' | 'closed';

const mirror = { type: 'RequestMirror', requestMirror: {} };

const broken: readonly (readonly [what: string, text: string, rest: Rest])[] = [
  [
    'a regular expression',
    asManifest(matching({ method: { ...purge, type: 'RegularExpression' } })),
    'closed',
  ],
  ['a method without names', asManifest(matching({ method: {} })), 'closed'],
  ['a service with a slash', asManifest(matching({ method: { service: '/shop.v1.Admin' } })), 'closed'],
  ['a misspelt `method`', asManifest(matching({ methods: purge })), 'closed'],
  ['a misspelt `matches`', asManifest(admin({ rules: [{ matchs: [{ method: purge }] }] })), 'closed'],
  ['a host that is not a valid name', asManifest(admin({ hostnames: ['ADMIN'] })), 'closed'],
  ['parents that nobody can read', asManifest(admin({ parentRefs: 'web' })), 'closed'],
  [
    'a filter that the proxy does not know',
    asManifest(admin({ rules: [{ matches: [{ method: purge }], filters: [mirror] }] })),
    'open',
  ],
  [
    'a misspelt kind of its parent',
    asManifest(admin({ parentRefs: [{ ...parentRefs[0], kind: 'Sever' }] })),
    'open',
  ],
  ['the same route twice', asManifest(admin(), admin()), 'open'],
  ['a time of creation that is none', asManifest(admin({}, { creationTimestamp: 'today' })), 'open'],
  ['a version that nobody knows', asManifest({ ...admin(), apiVersion: `${gateway}/v9` }), 'open'],
  ['a misspelt kind', asManifest({ ...admin(), kind: 'GRPCRoutes' }), 'closed'],
  ['a misspelt group', asManifest({ ...admin(), apiVersion: 'gateway.networking.k8s.oi/v1' }), 'closed'],
  ['half a file', good.slice(0, good.indexOf('Purge')), 'closed'],
];

describe('a GRPCRoute that cannot be read opens nothing', () => {
  for (const [what, text, rest] of broken) {
    it(`${what}, found at the start`, async (t) => {
      const { start, verdict } = await aMesh(t, { 'admin.yaml': text });
      await start();
      assert.equal(await verdict('intruder', purging), 'unauthorized');
      assert.equal(await verdict('ops', purging), 'unauthorized');
      assert.equal((await verdict('intruder', buying)) === 'allowed' ? 'open' : 'closed', rest);
      // Anyone who is admitted to the whole Server never owed it to a route.
      assert.equal(await verdict('superuser', purging), 'allowed');
    });
    it(`${what}, written over the good one`, async (t) => {
      const { folder, start, until, verdict } = await aMesh(t, { 'admin.yaml': good });
      await start();
      await folder.put('admin.yaml', text);
      await until(async () => (await verdict('ops', purging)) !== 'allowed');
      assert.equal(await verdict('intruder', purging), 'unauthorized');
      assert.equal(await verdict('superuser', purging), 'allowed');
      await folder.put('admin.yaml', good);
      await until(async () => (await verdict('ops', purging)) === 'allowed');
      assert.equal(await verdict('intruder', purging), 'unauthorized');
      assert.equal(await verdict('intruder', buying), 'allowed');
    });
  }
  it('covers the table', () => assert.equal(broken.length, 15));
});
