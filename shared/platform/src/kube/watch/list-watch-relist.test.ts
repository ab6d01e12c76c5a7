import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aList, aService, event, expired, portOf, story } from '@gatehouse/testing/list-watch-story';

test('an expired version, told by an ERROR or by the status, leads to a list that replaces everything at once', () =>
  story('Service', async (told) => {
    (await told.list()).json(200, aList('10', [aService(5), aService(6, { name: 'db', uid: 'db-1' })]));
    const watch = await told.follow('10');
    watch.lines(event('MODIFIED', aService(11)), expired);
    (await told.list()).json(200, aList('30', [aService(25)]));
    const refused = await told.api.next();
    assert.equal(refused.query.resourceVersion, '30');
    assert.deepEqual([portOf(told), portOf(told, 'db')], [25, undefined]);
    refused.json(410, { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
    (await told.list()).json(200, aList('40', []));
    await told.follow('40');
    assert.deepEqual(
      told.batches.map((batch) => batch.map(({ type }) => type)),
      [['reset'], ['apply'], ['reset'], ['reset']],
    );
    await told.metric(/relists_total\{kind="Service",reason="expired",service="test"\} 2/);
  }));

test('any other ERROR also means that nobody can say what happened', () =>
  story('Service', async (told) => {
    (await told.list()).json(200, aList('10', [aService(5)]));
    const watch = await told.follow('10');
    watch.lines(event('ERROR', { kind: 'Status', code: 500, message: 'decoding failed' }));
    (await told.list()).json(200, aList('11', [aService(5)]));
    await told.follow('11');
    assert.match(told.log.lines('warn').join(), /watching services failed: 500 decoding failed/);
  }));

test('a list that says nothing new replaces no object', () =>
  story('Service', async (told) => {
    (await told.list()).json(200, aList('10', [aService(5)]));
    const before = await told.follow('10').then((watch) => {
      watch.lines(expired);
      return told.index.get('Service', 'demo', 'web');
    });
    (await told.list()).json(200, aList('30', [aService(5)]));
    await told.follow('30');
    assert.notEqual(before, undefined);
    assert.equal(told.index.get('Service', 'demo', 'web'), before);
  }));

test('an object that was deleted and made again unseen is deleted, then applied', () =>
  story('Service', async (told) => {
    (await told.list()).json(200, aList('10', [aService(5)]));
    const watch = await told.follow('10');
    watch.lines(event('ADDED', aService(20, { uid: 'web-2' })));
    await told.until(() => portOf(told) === 20);
    assert.deepEqual(
      told.batches.at(-1)?.map((change) => [change.type, change.type === 'delete' && change.uid]),
      [
        ['delete', 'web-1'],
        ['apply', false],
      ],
    );
    // The old life's end, should it be told late, is not the new one's.
    watch.lines(
      event('DELETED', aService(21, { uid: 'web-1' })),
      event('ADDED', aService(22, { name: 'db' })),
    );
    await told.until(() => portOf(told, 'db') === 22);
    assert.equal(portOf(told), 20);
  }));

test('an API server that came back with an older etcd is noticed before its silence is believed', () =>
  story('Service', async (told) => {
    (await told.list()).json(200, aList('900', [aService(5), aService(800, { name: 'db' })]));
    (await told.follow('900')).cut();
    (await told.list()).json(200, aList('85', [aService(5)], 'more'));
    const again = await told.list();
    assert.equal(again.query.limit, '500');
    again.json(200, aList('85', [aService(5)]));
    await told.follow('85');
    assert.deepEqual([portOf(told), portOf(told, 'db')], [5, undefined]);
    await told.metric(/relists_total\{kind="Service",reason="rewound",service="test"\} 1/);
  }));

test('an API server that could not be reached may have another past, and is listed again', () =>
  story('Service', async (told) => {
    (await told.list()).json(200, aList('900', [aService(5), aService(800, { name: 'db' })]));
    (await told.follow('900')).cut();
    (await told.list()).open().cut();
    // Meanwhile an older etcd has overtaken our version.
    (await told.list()).json(200, aList('950', [aService(5)]));
    await told.follow('950');
    assert.equal(portOf(told, 'db'), undefined);
    await told.metric(/relists_total\{kind="Service",reason="away",service="test"\} 1/);
  }));

test('an event that is older than what was told leads to a list', () =>
  story('Service', async (told) => {
    (await told.list()).json(200, aList('900', [aService(5)]));
    (await told.follow('900')).lines(event('MODIFIED', aService(86)));
    (await told.list()).json(200, aList('87', [aService(86)]));
    await told.follow('87');
    assert.equal(portOf(told), 86);
  }));
