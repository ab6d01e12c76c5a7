import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { aClient, continueOf, withServer } from '@gatehouse/testing/api-server/client';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import { openCrds } from './custom-types.ts';

const pods = '/api/v1/namespaces/demo/pods';
const demo: WireObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } };
const namesOf = (list: WireObject): readonly unknown[] =>
  (list.items as readonly { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);

suite('the fake API server', () => {
  test('a list comes in pages that all show the moment of the first', () =>
    withServer({ objects: [demo] }, async (server) => {
      const { request } = aClient(server);
      for (const name of ['a', 'b', 'c', 'd']) server.put(aWireObject('Pod', { name }));
      const first = await request('GET', `${pods}?limit=2`);
      const {
        resourceVersion,
        continue: token,
        remainingItemCount,
      } = first.body.metadata as never as {
        readonly resourceVersion: string;
        readonly continue: string;
        readonly remainingItemCount: number;
      };
      assert.deepEqual([namesOf(first.body), remainingItemCount], [['a', 'b'], 2]);
      server.remove(aWireObject('Pod', { name: 'c' }));
      const second = await request('GET', `${pods}?limit=2&continue=${token}`);
      assert.deepEqual(namesOf(second.body), ['c', 'd']);
      assert.deepEqual(second.body.metadata, { resourceVersion });
    }));

  test('a page is gone once its list was compacted, and says how to go on all the same', () =>
    withServer({ objects: [demo] }, async (server) => {
      const { request } = aClient(server);
      for (const name of ['a', 'b', 'c']) server.put(aWireObject('Pod', { name }));
      const first = await request('GET', `${pods}?limit=1`);
      server.remove(aWireObject('Pod', { name: 'b' }));
      server.compact();
      const second = await request('GET', `${pods}?limit=1&continue=${continueOf(first.body)}`);
      assert.deepEqual([second.code, second.body.reason], [410, 'Expired']);
      const third = await request('GET', `${pods}?continue=${continueOf(second.body)}`);
      assert.deepEqual(namesOf(third.body), ['c']);
    }));

  test('a watch says what changes after its version, each under the version that it made', () =>
    withServer({ objects: [demo] }, async (server) => {
      const { watch } = aClient(server);
      await using events = await watch(`${pods}?resourceVersion=${server.revision}`);
      server.put(aWireObject('Pod', { name: 'a' }));
      server.put(aWireObject('Pod', { name: 'a', spec: { nodeName: 'n' } }));
      server.remove(aWireObject('Pod', { name: 'a' }));
      const last = server.revision;
      assert.deepEqual(await events.take(3), [
        ['ADDED', 'a', `${last - 2}`],
        ['MODIFIED', 'a', `${last - 1}`],
        ['DELETED', 'a', `${last}`],
      ]);
    }));

  test('a watch from a compacted version is one ERROR event and the end', () =>
    withServer({ objects: [demo] }, async (server) => {
      const { watch } = aClient(server);
      server.put(aWireObject('Pod', { name: 'a' }));
      server.compact();
      await using events = await watch(`${pods}?resourceVersion=2`);
      const [event] = await events.lines(1);
      assert.equal(event?.type, 'ERROR');
      assert.equal(event?.object.code, 410);
      assert.deepEqual(await events.lines(1), []);
    }));

  test('a watch without a version begins with what is there', () =>
    withServer({ objects: [demo, aWireObject('Pod', { name: 'a' })] }, async (server) => {
      const { watch } = aClient(server);
      await using events = await watch(pods);
      assert.deepEqual(
        (await events.take(1)).map(([type, name]) => [type, name]),
        [['ADDED', 'a']],
      );
    }));

  test('a bookmark says how far a watch has come, to those who asked for bookmarks', () =>
    withServer({ objects: [demo] }, async (server) => {
      const { watch } = aClient(server);
      await using asked = await watch(`${pods}?resourceVersion=1000000&allowWatchBookmarks=true`);
      await using deaf = await watch(`${pods}?resourceVersion=${server.revision}`);
      for (const each of server.watches) each.bookmark();
      server.put(aWireObject('Pod', { name: 'a' }));
      const [bookmark] = await asked.lines(1);
      assert.deepEqual(bookmark, {
        type: 'BOOKMARK',
        object: { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: '1000000' } },
      });
      assert.equal((await deaf.take(1))[0]?.[0], 'ADDED');
    }));

  test('a kind whose CRD is not installed is not found, and served as soon as it is', () =>
    withServer({ crds: [], objects: [demo] }, async (server) => {
      const { request } = aClient(server);
      const path = '/apis/policy.linkerd.io/v1beta3/namespaces/demo/servers';
      assert.equal((await request('GET', path)).code, 404);
      server.put(...openCrds());
      assert.equal((await request('GET', path)).code, 200);
    }));

  test('what is created has a uid, a time and a version, and can be deleted', () =>
    withServer({ objects: [demo] }, async (server) => {
      const { request } = aClient(server);
      const path = '/apis/policy.linkerd.io/v1beta3/namespaces/demo/servers';
      const made = await request(
        'POST',
        path,
        aWireObject('Server', { name: 's', uid: 'mine', spec: { port: 1 } }),
      );
      assert.equal(made.code, 201);
      const meta = made.body.metadata as WireObject;
      assert.notEqual(meta.uid, 'mine');
      assert.deepEqual([meta.generation, meta.resourceVersion], [1, `${server.revision}`]);
      assert.equal((await request('POST', path, aWireObject('Server', { name: 's' }))).code, 409);
      const gone = await request('DELETE', `${path}/s`);
      assert.deepEqual([gone.code, gone.body.status], [200, 'Success']);
      assert.equal((await request('GET', `${path}/s`)).code, 404);
    }));
});
