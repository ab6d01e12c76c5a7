import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import { type Asked, type OpenAnswer, ScriptedApi } from '@gatehouse/testing/scripted-api';
import { aWireObject, type WireSaid } from '@gatehouse/testing/wire-objects';
import { Metrics } from '../../metrics/metrics.ts';
import { kubeClientAt } from '../client/client.ts';
import { ListWatch } from './list-watch.ts';
import type { WatchTimings } from './next-step.ts';
import { watchMetrics } from './watch-metrics.ts';

/** Watches last long, waits are short: nothing in a story happens unless the script does it. */
const timings: WatchTimings = {
  answerMs: 600_000,
  watchMs: 600_000,
  graceMs: 600_000,
  steadyMs: 0,
  absentMs: 1,
  permissionsMs: 1,
  firstBackoffMs: 1,
  maxBackoffMs: 2,
};

interface Story {
  readonly api: ScriptedApi;
  readonly index: ResourceIndex;
  readonly batches: readonly (readonly Change[])[];
  readonly log: RecordingLog;
  readonly watch: ListWatch;
  /** Stands still until a test moves it. */
  readonly clock: { elapsed: number };
  /** The next request, which must be a list. */
  list(): Promise<Asked>;
  /** The next request, which must be a watch of what came after `version`. */
  follow(version: string): Promise<OpenAnswer>;
  /** Lets the look at the server's version before a watch that goes on pass. */
  pass(version: string): Promise<void>;
  until(holds: () => boolean): Promise<void>;
  metric(line: RegExp): Promise<void>;
}

/** Plays one kind against a scripted API server; ends both after the story. */
const story = async (
  kind: Kind,
  tell: (story: Story) => Promise<void>,
  more: Partial<WatchTimings> = {},
): Promise<void> => {
  await using api = await ScriptedApi.start();
  const client = kubeClientAt(api.url);
  const metrics = new Metrics('test');
  const index = new ResourceIndex();
  const batches: (readonly Change[])[] = [];
  const log = new RecordingLog();
  const waiting = new Set<() => void>();
  const clock = { elapsed: 0 };
  const watch: ListWatch = new ListWatch({
    kind,
    client,
    log,
    metrics: watchMetrics(metrics, { health: () => [watch.health()] }),
    timings: { ...timings, ...more },
    elapsed: () => clock.elapsed,
    dice: () => 0.5,
    deliver: (changes) => {
      batches.push(changes);
      index.apply(changes);
      for (const look of [...waiting]) look();
    },
  });
  const list = async (): Promise<Asked> => {
    const asked = await api.next();
    assert.equal(asked.query.watch, undefined, 'a list, no watch');
    return asked;
  };
  const end = new AbortController();
  const ended = watch.run(end.signal);
  try {
    await tell({
      api,
      index,
      batches,
      log,
      watch,
      clock,
      list,
      follow: async (version) => {
        const asked = await api.next();
        const { watch: isWatch, resourceVersion, allowWatchBookmarks, timeoutSeconds } = asked.query;
        assert.deepEqual(
          { isWatch, resourceVersion, allowWatchBookmarks, timeoutSeconds },
          { isWatch: 'true', resourceVersion: version, allowWatchBookmarks: 'true', timeoutSeconds: '600' },
        );
        return asked.open();
      },
      pass: async (version) => {
        const asked = await list();
        assert.equal(asked.query.limit, '1');
        asked.json(200, aList(version));
      },
      until: async (holds) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const look = (): void => {
          if (holds()) resolve();
        };
        waiting.add(look);
        look();
        await promise;
        waiting.delete(look);
      },
      metric: async (line) => assert.match(await metrics.text(), line),
    });
  } finally {
    end.abort();
    await ended;
    client.close();
  }
};

const aService = (version: number, said: WireSaid = {}) =>
  aWireObject('Service', {
    name: 'web',
    uid: 'web-1',
    spec: { clusterIP: '10.0.0.1', ports: [{ port: version }] },
    ...said,
    metadata: { resourceVersion: String(version), ...said.metadata },
  });

const aList = (version: string, items: readonly unknown[] = [], more?: string) => ({
  apiVersion: 'v1',
  kind: 'List',
  metadata: { resourceVersion: version, ...(more === undefined ? {} : { continue: more }) },
  items,
});

const event = (type: string, object: unknown) => ({ type, object });
const bookmark = (version: string) =>
  event('BOOKMARK', { kind: 'Service', metadata: { resourceVersion: version } });
const expired = event('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });

const portOf = ({ index }: Story, name = 'web'): number | undefined =>
  index.get('Service', 'demo', name)?.spec.ports[0]?.port;

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
