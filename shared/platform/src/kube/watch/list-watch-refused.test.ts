import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aList, aService, event, portOf, story } from '@gatehouse/testing/list-watch-story';
import { aWireObject } from '@gatehouse/testing/wire-objects';

test('anyone who is told to come back later does so, and no sooner', () =>
  story('Service', async (told) => {
    const begun = performance.now();
    (await told.list()).json(429, { kind: 'Status', code: 429, message: 'busy' }, { 'retry-after': '1' });
    (await told.list()).json(200, aList('10', []));
    // Timers may be a millisecond early.
    assert.ok(performance.now() - begun >= 998);
    await told.follow('10');
  }));

test('a server that is busy for a moment is no reason to warn, one that stays busy is', () =>
  story('Service', async (told) => {
    const busy = { kind: 'Status', code: 429, message: 'storage is (re)initializing' };
    const refuse = async (times: number) => {
      for (let n = 0; n < times; n += 1) (await told.list()).json(429, busy);
    };
    await refuse(3);
    const fourth = await told.list();
    assert.deepEqual(told.log.lines('warn'), []);
    fourth.json(429, busy);
    (await told.list()).json(429, busy);
    (await told.list()).json(200, aList('10', []));
    await told.follow('10');
    assert.deepEqual(told.log.lines('warn'), ['listing services failed: 429 storage is (re)initializing']);
  }));

test('refusals are repeated until they end, said once, and take nothing away', () =>
  story('Service', async (told) => {
    (await told.list()).json(200, aList('10', [aService(5)]));
    (await told.follow('10')).cut();
    for (const status of [500, 403, 401, 503]) {
      (await told.list()).json(status, { kind: 'Status', code: status, message: `no ${status}` });
    }
    await told.pass('10');
    const watch = await told.follow('10');
    assert.equal(portOf(told), 5);
    assert.equal(told.batches.length, 1);
    watch.lines(event('MODIFIED', aService(11)));
    await told.until(() => portOf(told) === 11);
  }));

test('a policy kind that is not installed is empty, quietly looked for, and picked up when it comes', () =>
  story('Server', async (told) => {
    for (const version of ['v1beta3', 'v1beta2', 'v1beta1', 'v1alpha1']) {
      const asked = await told.list();
      assert.equal(asked.path, `/apis/policy.linkerd.io/${version}/servers`);
      asked.json(404, { kind: 'Status', code: 404, message: 'the server could not find the resource' });
    }
    const installed = await told.list();
    assert.deepEqual(told.batches, [[{ type: 'reset', kind: 'Server', objects: [] }]]);
    assert.deepEqual([told.watch.health().synced, told.log.lines('warn')], [true, []]);
    installed.json(404, {});
    // Only an older version is served.
    const older = await told.list();
    assert.match(older.path, /v1beta2/);
    const server = aWireObject('Server', {
      version: 'v1beta2',
      metadata: { resourceVersion: '7' },
      spec: { podSelector: {}, port: 80 },
    });
    older.json(200, aList('10', [server]));
    const watch = await told.api.next();
    assert.equal(watch.path, '/apis/policy.linkerd.io/v1beta2/servers');
    assert.equal(told.index.get('Server', 'demo', 'a')?.kind, 'Server');
  }));

test('policies stay in force while a starting API server does not know their kind yet', () =>
  story(
    'NetworkAuthentication',
    async (told) => {
      const object = aWireObject('NetworkAuthentication', { spec: { networks: [{ cidr: '10.0.0.0/8' }] } });
      (await told.list()).json(200, aList('10', [object]));
      (await told.follow('10')).cut();
      for (let look = 0; look < 5; look += 1) (await told.list()).json(404, {});
      (await told.list()).json(200, aList('10', [object]));
      await told.follow('10');
      assert.equal(told.batches.flat().length, 2);
      assert.equal([...told.index.all('NetworkAuthentication')].length, 1);
    },
    { absentMs: 600_000 },
  ));

test('policies whose kind stays away are gone in the end, and that is said loudly', () =>
  story('NetworkAuthentication', async (told) => {
    const object = aWireObject('NetworkAuthentication', { spec: { networks: [{ cidr: '10.0.0.0/8' }] } });
    (await told.list()).json(200, aList('10', [object]));
    (await told.follow('10')).cut();
    while ([...told.index.all('NetworkAuthentication')].length > 0) (await told.list()).json(404, {});
    assert.match(
      told.log.lines('error').join(),
      /networkauthentications.policy.linkerd.io are not served any more/,
    );
  }));

test('a built-in kind is never absent: what says so is not an API server', () =>
  story('Service', async (told) => {
    (await told.list()).json(404, { message: 'nginx' });
    await told.list();
    assert.equal(told.watch.health().synced, false);
    assert.match(told.log.lines('warn').join(), /listing services failed: 404 nginx/);
  }));
