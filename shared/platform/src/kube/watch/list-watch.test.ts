import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aList, aService, bookmark, event, portOf, story } from '@gatehouse/testing/list-watch-story';

test('a list of several pages is seen at once, and the watch goes on from its version', () =>
  story('Service', async (told) => {
    const first = await told.list();
    assert.equal(first.path, '/api/v1/services');
    assert.deepEqual(first.query, { limit: '500' });
    // Items of a core list do not say their apiVersion.
    const { apiVersion: _, ...bare } = aService(5);
    first.json(200, aList('10', [bare], 'page 2'));
    const second = await told.list();
    assert.deepEqual(second.query, { limit: '500', continue: 'page 2' });
    assert.deepEqual(told.batches, []);
    assert.equal(told.watch.health().synced, false);
    second.json(200, aList('10', [aService(6, { name: 'db', uid: 'db-1' })]));
    const watch = await told.follow('10');
    assert.equal(told.batches.length, 1);
    assert.equal(told.watch.health().synced, true);
    assert.deepEqual([portOf(told), portOf(told, 'db')], [5, 6]);
    assert.deepEqual(told.log.lines('warn'), []);
    watch.lines(event('DELETED', aService(11)));
    await told.until(() => portOf(told) === undefined);
  }));

test('a continue token that has expired begins the list again, and what was read until then is forgotten', () =>
  story('Service', async (told) => {
    (await told.list()).json(200, aList('10', [aService(5)], 'page 2'));
    (await told.list()).json(410, { kind: 'Status', code: 410, reason: 'Expired', message: 'continue' });
    const again = await told.list();
    assert.equal(again.query.continue, undefined);
    again.json(200, aList('20', []));
    await told.follow('20');
    assert.equal(portOf(told), undefined);
    assert.equal(told.batches.length, 1);
  }));

test('events change what is known one by one, and bookmarks move the version on', () =>
  story('Service', async (told) => {
    (await told.list()).json(200, aList('10'));
    const watch = await told.follow('10');
    watch.lines(event('ADDED', aService(11)));
    await told.until(() => portOf(told) === 11);
    watch.lines(event('MODIFIED', aService(12)), bookmark('40'));
    await told.until(() => portOf(told) === 12);
    watch.end();
    await told.pass('41');
    await told.follow('40');
    await told.metric(/gatehouse_watch_restarts_total\{kind="Service",reason="ended",service="test"\} 1/);
  }));

test('a watch that is cut in the middle of a line goes on after the last whole one, and nothing is told twice', () =>
  story('Service', async (told) => {
    (await told.list()).json(200, aList('10'));
    const watch = await told.follow('10');
    const lost = JSON.stringify(event('ADDED', aService(12, { name: 'db' })));
    watch.write(`${JSON.stringify(event('ADDED', aService(11)))}\n${lost.slice(0, 40)}`);
    await told.until(() => portOf(told) === 11);
    watch.cut();
    await told.pass('12');
    const next = await told.follow('11');
    next.lines(event('ADDED', aService(12, { name: 'db', uid: 'db-1' })));
    await told.until(() => portOf(told, 'db') === 12);
    assert.deepEqual(
      told.batches.flat().map(({ type }) => type),
      ['reset', 'apply', 'apply'],
    );
    await told.metric(/restarts_total\{kind="Service",reason="cut",service="test"\} 1/);
  }));

test('an orderly end in the middle of a line is a cut too', () =>
  story('Service', async (told) => {
    (await told.list()).json(200, aList('10'));
    const watch = await told.follow('10');
    watch.write('{"type":"ADD');
    watch.end();
    await told.pass('10');
    await told.follow('10');
    assert.match(told.log.lines('warn').join(), /the stream ended in the middle of a line/);
  }));

test('characters and lines may be split anywhere between two chunks', () =>
  story('Service', async (told) => {
    (await told.list()).json(200, aList('10'));
    const watch = await told.follow('10');
    const line = Buffer.from(
      `${JSON.stringify(event('ADDED', aService(11, { metadata: { labels: { app: 'grüße-🙂' } } })))}\n`,
    );
    const inside = line.indexOf(Buffer.from('🙂')) + 2;
    watch.write(line.subarray(0, inside));
    watch.write(line.subarray(inside, inside + 1));
    watch.write(line.subarray(inside + 1));
    await told.until(() => portOf(told) === 11);
    assert.equal(told.index.get('Service', 'demo', 'web')?.meta.labels.app, 'grüße-🙂');
  }));

const nonsense: readonly (readonly [string, string | Uint8Array])[] = [
  ['is not JSON', 'oops\n'],
  ['is not an object', '[]\n'],
  ['has no object', '{"type":"ADDED"}\n'],
  ['is of a type nobody knows', `${JSON.stringify(event('RENAMED', aService(12)))}\n`],
  ['has no version', '{"type":"ADDED","object":{"metadata":{"name":"web","namespace":"demo"}}}\n'],
  ['has no name', '{"type":"ADDED","object":{"metadata":{"resourceVersion":"12"}}}\n'],
  ['is not UTF-8', Buffer.concat([Buffer.from('{"type":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}\n')])],
];

test('there are 7 kinds of nonsense', () => assert.equal(nonsense.length, 7));
for (const [what, line] of nonsense) {
  test(`a line that ${what} is counted, and everything is listed again`, () =>
    story('Service', async (told) => {
      (await told.list()).json(200, aList('10', [aService(5)]));
      const watch = await told.follow('10');
      watch.write(line);
      (await told.list()).json(200, aList('20', [aService(15)]));
      await told.follow('20');
      await watch.left;
      assert.equal(portOf(told), 15);
      await told.metric(/gatehouse_watch_unreadable_total\{kind="Service",service="test"\} 1/);
      await told.metric(
        /gatehouse_watch_relists_total\{kind="Service",reason="unreadable",service="test"\} 1/,
      );
    }));
}

test('a watch without any sign of life is given up, and is no proof of life', () =>
  story(
    'Service',
    async (told) => {
      (await told.list()).json(200, aList('10', [aService(5)]));
      const asked = await told.api.next();
      const silent = asked.open();
      await silent.left;
      told.clock.elapsed += 1_000;
      await told.pass('10');
      assert.equal(told.watch.health().staleMs, 1_000);
      await told.metric(/restarts_total\{kind="Service",reason="silent",service="test"\} 1/);
    },
    { watchMs: 10, graceMs: 10 },
  ));

test('an object that cannot be read in full costs only what cannot be read, in lists too', () =>
  story('Service', async (told) => {
    const items = [
      aService(5),
      { metadata: { namespace: 'demo' } },
      aService(6, {
        name: 'half',
        uid: 'h',
        spec: { clusterIP: '10.0.0.9', ports: [{ port: 'x' }, { port: 6 }] },
      }),
    ];
    (await told.list()).json(200, aList('10', items));
    await told.follow('10');
    assert.deepEqual([portOf(told), portOf(told, 'half')], [5, 6]);
    assert.match(told.log.lines('warn').join(), /an object of services is left out/);
  }));

test('a proof of life is an event, a bookmark, a list, an orderly end', () =>
  story('Service', async (told) => {
    assert.equal(told.watch.health().staleMs, undefined);
    (await told.list()).json(200, aList('10'));
    const watch = await told.follow('10');
    told.clock.elapsed += 1_000;
    assert.equal(told.watch.health().staleMs, 1_000);
    watch.lines(bookmark('11'));
    watch.end();
    await told.pass('11');
    assert.equal(told.watch.health().staleMs, 0);
  }));
