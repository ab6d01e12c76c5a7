import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import type { Fault } from '@gatehouse/dev/api-server/faults';
import type { OpenWatch } from '@gatehouse/dev/api-server/serve-watch';
import { SourceObserver } from '@gatehouse/testing/observe-source';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import { ScriptedApi } from '@gatehouse/testing/scripted-api';
import { type SourceFixture, sourceContract } from '@gatehouse/testing/source-contract';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import fc from 'fast-check';
import { silentLog } from '../../log/log.ts';
import { Metrics } from '../../metrics/metrics.ts';
import { kubeClientAt } from '../client/client.ts';
import { kinds } from '../kind-table.ts';
import type { WireObject } from '../parse/fields.ts';
import { KubernetesSource } from './kubernetes-source.ts';
import type { WatchTimings } from './next-step.ts';

/** Everything the server sends is awaited for long; only the waits of ours are short. */
const timings: WatchTimings = {
  answerMs: 60_000,
  watchMs: 60_000,
  graceMs: 60_000,
  steadyMs: 0,
  absentMs: 5,
  permissionsMs: 5,
  firstBackoffMs: 1,
  maxBackoffMs: 5,
};

const sourceOn = (url: string, { log = silentLog, times = timings } = {}) => {
  const client = kubeClientAt(url);
  return {
    client,
    source: new KubernetesSource({ client, log, metrics: new Metrics('test'), timings: times }),
  };
};

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await delay(2);
};

const aFixture = async (...objects: readonly WireObject[]): Promise<SourceFixture> => {
  const server = await startFakeApiServer({ objects });
  const { client, source } = sourceOn(server.url);
  return {
    source,
    write: async (...all) => {
      for (const object of all) {
        // Kubernetes changes no uid: another one is another life.
        const uid = (one: WireObject | undefined) => (one?.metadata as { uid?: string } | undefined)?.uid;
        const before = server.read(object);
        if (before !== undefined && uid(object) !== uid(before)) server.remove(object);
        server.put(object);
      }
    },
    remove: async (...all) => {
      for (const object of all) server.remove(object);
    },
    removeUnseen: async (object) => {
      const restarted = server.restart();
      server.remove(object);
      server.compact();
      await restarted;
    },
    [Symbol.asyncDispose]: async () => {
      client.close();
      await server.stop();
    },
  };
};

sourceContract('a Kubernetes source', { atomicWrites: false, open: aFixture });

const aService = (name: string, port: number, life = 1): WireObject =>
  aWireObject('Service', {
    name,
    uid: `${name}-${life}`,
    spec: { clusterIP: '10.0.0.1', ports: [{ port, name: 'grüße-🙂' }] },
  });

const aServer = (name: string, port: unknown): WireObject =>
  aWireObject('Server', { name, uid: `${name}-1`, spec: { podSelector: {}, port } });

type Act =
  | { readonly do: 'service'; readonly name: string; readonly port: number; readonly life: number }
  | { readonly do: 'server'; readonly name: string; readonly port: number | string }
  | { readonly do: 'remove'; readonly name: string }
  | { readonly do: 'fault'; readonly fault: Fault; readonly verb: 'list' | 'watch' }
  | { readonly do: 'compact' | 'cut' | 'silence' | 'end' | 'breathe' | 'remember' }
  | { readonly do: 'restart'; readonly from: 'the same etcd' | 'an older etcd' };

const names = fc.constantFrom('a', 'b', 'c');
const faults = fc.constantFrom<Fault>(
  { kind: 'status', code: 500 },
  { kind: 'status', code: 503 },
  { kind: 'status', code: 429 },
  { kind: 'gone' },
  { kind: 'silence' },
  { kind: 'slow', ms: 5 },
  { kind: 'hang-up' },
  { kind: 'cut', where: 'line' },
  { kind: 'cut', where: 'character' },
  { kind: 'dribble' },
  { kind: 'garbage' },
);
const small = fc.integer({ min: 1, max: 9 });
const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(names, small, fc.integer({ min: 1, max: 2 }))
      .map(([name, port, life]): Act => ({ do: 'service', name, port, life })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(names, fc.constantFrom(80, 81, '80'))
      .map(([name, port]): Act => ({ do: 'server', name, port })),
  },
  { weight: 2, arbitrary: names.map((name): Act => ({ do: 'remove', name })) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(faults, fc.constantFrom('list' as const, 'watch' as const))
      .map(([fault, verb]): Act => ({ do: 'fault', fault, verb })),
  },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom('compact', 'cut', 'silence', 'end', 'breathe', 'remember')
      .map((act): Act => ({ do: act })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('the same etcd', 'an older etcd')
      .map((from): Act => ({ do: 'restart', from })),
  },
);

const watched: readonly Kind[] = ['Service', 'Server'];
const isWatched = (watches: readonly OpenWatch[]): boolean =>
  ['services', 'servers'].every((plural) => watches.some(({ request }) => request.type.plural === plural));

suite('a Kubernetes source, whatever befalls it,', () => {
  test('ends with what the server has', async () => {
    // Short watches, so that silence is found out soon; a second is the shortest that can be asked for.
    const times = { ...timings, answerMs: 60, watchMs: 60, graceMs: 10, steadyMs: 30 };
    let relisted = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(acts, { minLength: 5, maxLength: 25 }), async (play) => {
        const server = await startFakeApiServer({ objects: [aService('a', 1), aServer('a', 80)] });
        const { client, source } = sourceOn(server.url, { times });
        const observer = new SourceObserver(source, watched);
        try {
          await observer.until((index) => index.isSynced(watched));
          let memory = server.snapshot();
          for (const act of play) {
            switch (act.do) {
              case 'service': {
                const object = aService(act.name, act.port, act.life);
                server.put(object);
                break;
              }
              case 'server':
                server.put(aServer(act.name, act.port));
                break;
              case 'remove':
                server.remove(aService(act.name, 1));
                break;
              case 'fault':
                server.faults.inject(act.fault, { verb: act.verb });
                break;
              case 'compact':
                server.compact();
                break;
              case 'cut':
              case 'silence':
              case 'end':
                for (const watch of server.watches) watch[act.do]();
                break;
              case 'breathe':
                await delay(10);
                break;
              case 'remember':
                memory = server.snapshot();
                break;
              case 'restart':
                if (act.from === 'the same etcd') await server.restart();
                else {
                  const before = new Set(server.watches);
                  await server.restart(memory);
                  // This server was not away long enough to be missed, and an etcd that overtakes our version before
                  // anybody can look is beyond what versions can tell.
                  server.faults.clear();
                  await until(() => isWatched(server.watches.filter((watch) => !before.has(watch))));
                }
                break;
            }
            await delay(1);
          }
          server.faults.clear();
          server.put(aService('last', 1), aServer('last', 1));
          await observer.until(
            (index) =>
              index.get('Service', 'demo', 'last') !== undefined &&
              index.get('Server', 'demo', 'last') !== undefined,
          );
          for (const name of ['a', 'b', 'c']) {
            const service = server.read(aService(name, 1)) as
              | { metadata: { uid: string }; spec: { ports: { port: number }[] } }
              | undefined;
            const found = observer.index.get('Service', 'demo', name);
            assert.deepEqual(
              [found?.meta.uid, found?.spec.ports[0]?.port],
              [service?.metadata.uid, service?.spec.ports[0]?.port],
            );
            const object = server.read(aServer(name, 1)) as { spec: { port: unknown } } | undefined;
            const spec = observer.index.get('Server', 'demo', name)?.spec;
            assert.equal(spec === undefined, object === undefined);
            assert.equal(spec !== undefined && 'rejected' in spec, typeof object?.spec.port === 'string');
          }
          const first = observer.changes.filter(({ type }) => type === 'reset').length;
          relisted += first - watched.length;
        } finally {
          await observer.stop();
          client.close();
          await server.stop();
        }
      }),
      { numRuns: 60 },
    );
    assert.ok(relisted > 20, `only ${relisted} relists were seen: the faults no longer hit`);
  });

  test('reads 10,000 objects in pages and shows them at once, also while they change', async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => aService(`s${index}`, 1));
    const server = await startFakeApiServer({ objects: many });
    server.faults.inject({ kind: 'slow', ms: 5 }, { verb: 'list', times: 3 });
    const { client, source } = sourceOn(server.url);
    const observer = new SourceObserver(source, ['Service']);
    try {
      await until(() => server.requests.length > 3);
      server.remove(aService('s0', 1));
      server.put(aService('new', 1));
      await observer.until((index) => index.get('Service', 'demo', 'new') !== undefined);
      await observer.until((index) => index.get('Service', 'demo', 's0') === undefined);
      const reset = observer.changes.filter((change) => change.type === 'reset');
      assert.deepEqual(
        reset.map((change) => change.type === 'reset' && change.objects.length >= 9_999),
        [true],
      );
      assert.equal([...observer.index.all('Service')].length, 10_000);
      const pages = server.requests.filter(({ query }) => query.get('limit') === '500');
      assert.equal(pages.length, 20);
    } finally {
      await observer.stop();
      client.close();
      await server.stop();
    }
  });

  test('takes up a kind whose CRD is installed later', async () => {
    const server = await startFakeApiServer({ crds: [] });
    const { client, source } = sourceOn(server.url);
    const observer = new SourceObserver(source, kinds);
    try {
      await observer.until((index) => index.isSynced(kinds));
      assert.equal(
        source.health().every(({ synced, staleMs }) => synced && staleMs !== undefined),
        true,
      );
      server.put({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'servers.policy.linkerd.io' },
        spec: {
          group: 'policy.linkerd.io',
          scope: 'Namespaced',
          names: { plural: 'servers', singular: 'server', kind: 'Server', listKind: 'ServerList' },
          versions: [
            {
              name: 'v1beta2',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            },
          ],
        },
      });
      server.put(
        aWireObject('Server', { name: 'web', version: 'v1beta2', spec: { podSelector: {}, port: 80 } }),
      );
      await observer.until((index) => index.get('Server', 'demo', 'web') !== undefined);
    } finally {
      await observer.stop();
      client.close();
      await server.stop();
    }
  });

  test('asks for no permission that nobody refuses', async () => {
    await using api = await ScriptedApi.start();
    const { client, source } = sourceOn(api.url);
    const observer = new SourceObserver(source, ['Pod', 'Server']);
    try {
      const asked: string[] = [];
      while (asked.length < 4) {
        const { method, query, json, open } = await api.next();
        asked.push(`${method} ${query.watch === 'true' ? 'watch' : 'list'}`);
        if (query.watch === 'true') open();
        else json(200, { metadata: { resourceVersion: '7' }, items: [] });
      }
      assert.deepEqual(asked.sort(), ['GET list', 'GET list', 'GET watch', 'GET watch']);
    } finally {
      await observer.stop();
      client.close();
    }
  });

  test('names all permissions that are missing in one message', async () => {
    await using api = await ScriptedApi.start();
    const log = new RecordingLog();
    const { client, source } = sourceOn(api.url, { log });
    const observer = new SourceObserver(source, ['Pod', 'Server']);
    const serve = async (): Promise<void> => {
      for (let reviews = 0; reviews < 8; ) {
        const asked = await api.next();
        if (asked.method !== 'POST') {
          asked.json(403, { kind: 'Status', code: 403, message: 'forbidden' });
          continue;
        }
        reviews += 1;
        assert.equal(asked.path, '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews');
        const { resource, verb } = JSON.parse(asked.body).spec.resourceAttributes;
        asked.json(201, { status: { allowed: resource === 'pods' && verb === 'list' } });
      }
    };
    try {
      await serve();
      await log.until('error', /does not let us watch pods, list and watch servers.policy.linkerd.io: /);
    } finally {
      await observer.stop();
      client.close();
    }
  });
});
