import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import { suite, test } from 'node:test';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { aClient, withServer } from '@gatehouse/testing/api-server/client';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import type { FakeApiServer } from './fake-api-server.ts';

const pods = '/api/v1/namespaces/demo/pods';
const objects: readonly WireObject[] = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } }];

/** All bytes of an answer, and whether it ended in order. */
const readBytes = async (url: string): Promise<{ readonly bytes: Buffer; readonly whole: boolean }> => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get(url, { agent: false }, resolve).once('error', reject);
  const response = await promise;
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk);
  } catch {
    // A broken connection: what came before is what this is about.
  }
  return { bytes: Buffer.concat(chunks), whole: response.complete };
};

/** What a watch of pods hears of one pod with a name beyond ASCII in its annotations. */
const heardOnce = async (server: FakeApiServer) => {
  const heard = readBytes(
    `${server.url}${pods}?watch=true&resourceVersion=${server.revision}&timeoutSeconds=1`,
  );
  while (server.watches.length === 0) await new Promise(setImmediate);
  server.put(aWireObject('Pod', { name: 'a', metadata: { annotations: { city: 'Zürich' } } }));
  return heard;
};

suite('faults of the fake API server', () => {
  test('a status fault hits as often as it was told to, and only what it fits', () =>
    withServer({ objects }, async (server) => {
      const { request } = aClient(server);
      server.faults.inject(
        { kind: 'status', code: 429, retryAfterSeconds: 2 },
        { verb: 'list', resource: 'pods', times: 2 },
      );
      assert.equal((await request('GET', '/api/v1/nodes')).code, 200);
      for (let hit = 0; hit < 2; hit += 1) {
        const { code, headers, body } = await request('GET', pods);
        assert.deepEqual([code, headers['retry-after'], body.reason], [429, '2', 'TooManyRequests']);
      }
      assert.equal((await request('GET', pods)).code, 200);
      assert.equal(server.faults.waiting, 0);
      server.faults.inject({ kind: 'status', code: 500 }, { after: 1 });
      const codes = [await request('GET', pods), await request('GET', pods)].map(({ code }) => code);
      assert.deepEqual(codes, [200, 500]);
    }));

  test('a list can be gone, and a watch says so by an ERROR event', () =>
    withServer({ objects }, async (server) => {
      const { request, watch } = aClient(server);
      server.faults.inject({ kind: 'gone' }, { times: 2 });
      const { code, body } = await request('GET', pods);
      assert.deepEqual([code, body.reason], [410, 'Expired']);
      await using events = await watch(`${pods}?resourceVersion=${server.revision}`);
      const heard = await events.lines(9);
      assert.deepEqual(
        heard.map(({ type, object }) => [type, object.code]),
        [['ERROR', 410]],
      );
    }));

  test('a watch is cut in the middle of a line', () =>
    withServer({ objects }, async (server) => {
      server.faults.inject({ kind: 'cut', where: 'line' }, { verb: 'watch' });
      const { bytes, whole } = await heardOnce(server);
      assert.equal(whole, false);
      assert.equal(bytes.length > 0 && !bytes.includes('\n'), true);
    }));

  test('a watch is cut in the middle of a character', () =>
    withServer({ objects }, async (server) => {
      server.faults.inject({ kind: 'cut', where: 'character' }, { verb: 'watch' });
      const { bytes, whole } = await heardOnce(server);
      assert.equal(whole, false);
      assert.equal(bytes.at(-1), 0xc3);
      assert.throws(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    }));

  test('a watch that dribbles says the same, byte by byte', () =>
    withServer({ objects }, async (server) => {
      server.faults.inject({ kind: 'dribble' }, { verb: 'watch' });
      const { bytes, whole } = await heardOnce(server);
      assert.equal(whole, true);
      assert.equal(JSON.parse(bytes.toString()).object.metadata.annotations.city, 'Zürich');
    }));

  test('a line of garbage is not JSON', () =>
    withServer({ objects }, async (server) => {
      server.faults.inject({ kind: 'garbage' }, { verb: 'watch' });
      const { bytes } = await heardOnce(server);
      assert.throws(() => JSON.parse(bytes.toString()), SyntaxError);
    }));

  test('a silent connection is open and says nothing, until the server stops', async () => {
    let heard: Promise<{ readonly bytes: Buffer; readonly whole: boolean }> | undefined;
    await withServer({ objects }, async (server) => {
      server.faults.inject({ kind: 'silence' }, { verb: 'watch' });
      heard = readBytes(`${server.url}${pods}?watch=true`);
      while (server.watches.length === 0) await new Promise(setImmediate);
      server.put(aWireObject('Pod', { name: 'a' }));
      for (const watch of server.watches) watch.end();
    });
    const ended = await heard;
    assert.deepEqual([ended?.bytes.length, ended?.whole], [0, false]);
  });

  test('a slow answer and one that never comes', () =>
    withServer({ objects }, async (server) => {
      const { request } = aClient(server);
      server.faults.inject({ kind: 'slow', ms: 1 });
      assert.equal((await request('GET', pods)).code, 200);
      server.faults.inject({ kind: 'hang-up' });
      await assert.rejects(request('GET', pods), { code: 'ECONNRESET' });
      server.faults.inject({ kind: 'cut', where: 'line' });
      await assert.rejects(request('GET', pods), { code: 'ECONNRESET' });
    }));

  test('open watches can be cut, silenced and ended', () =>
    withServer({ objects }, async (server) => {
      const path = `${server.url}${pods}?watch=true`;
      const [cut, ended] = [readBytes(path), readBytes(path)];
      while (server.watches.length < 2) await new Promise(setImmediate);
      const [first, second] = server.watches;
      first?.cut();
      second?.silence();
      server.put(aWireObject('Pod', { name: 'a' }));
      await Promise.race([cut, ended]);
      second?.cut();
      for (const { whole, bytes } of await Promise.all([cut, ended]))
        assert.deepEqual([whole, bytes.includes('"a"')], [false, false]);
    }));

  test('a restart ends every connection and keeps the address, the objects and the history', () =>
    withServer({ objects }, async (server) => {
      const { request, watch } = aClient(server);
      const from = server.revision;
      const open = readBytes(`${server.url}${pods}?watch=true`);
      while (server.watches.length === 0) await new Promise(setImmediate);
      server.put(aWireObject('Pod', { name: 'a' }));
      await server.restart();
      assert.equal((await open).whole, false);
      assert.equal((await request('GET', `${pods}/a`)).code, 200);
      await using events = await watch(`${pods}?resourceVersion=${from}`);
      assert.deepEqual(await events.take(1), [['ADDED', 'a', `${from + 1}`]]);
    }));

  test('a server restored from an older store knows less, and says so to those who know more', () =>
    withServer({ objects }, async (server) => {
      const { request, watch } = aClient(server);
      const backup = server.snapshot();
      server.put(aWireObject('Pod', { name: 'lost' }));
      const ahead = server.revision;
      await server.restart(backup);
      assert.equal(server.revision, backup.revision);
      assert.equal((await request('GET', `${pods}/lost`)).code, 404);
      const { code, body, headers } = await request('GET', `${pods}?resourceVersion=${ahead}`);
      assert.deepEqual([code, body.reason, headers['retry-after']], [504, 'Timeout', '1']);
      await using events = await watch(`${pods}?resourceVersion=${ahead}`);
      // Under the lost pod's own version: a client that is ahead cannot see it.
      server.put(aWireObject('Pod', { name: 'unseen' }));
      server.put(aWireObject('Pod', { name: 'seen' }));
      assert.deepEqual(await events.take(1), [['ADDED', 'seen', `${ahead + 1}`]]);
    }));
});
