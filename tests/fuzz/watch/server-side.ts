import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { type FakeApiServer, startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import type { Fault, FaultTarget } from '@gatehouse/dev/api-server/faults';
import { kindTable } from '@gatehouse/platform/kube/kind-table';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { randomFrom } from '@gatehouse/testing/random-from';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import type { Order, Said } from './side.ts';
import { soakedKinds } from './soaked-kinds.ts';

/** A fake API server whose objects change and whose answers go wrong, at random but by a seed, in a process of its own. */
const namesOfEachKind = 300;

const weather = (server: FakeApiServer, seed: number) => {
  const random = randomFrom(seed);
  const draw = (below: number): number => Math.floor(random() * below);
  const pick = <T>(all: readonly [T, ...T[]]): T => all[draw(all.length)] ?? all[0];
  const counted: Record<string, number> = {};
  const lives = new Map<string, number>();
  let changes = 0;

  const keyed = (kind: Kind): WireObject => {
    const name = `web-${draw(namesOfEachKind)}`;
    const key = `${kind}/${name}`;
    // Now and then another life of the same name.
    if (random() < 0.05) lives.set(key, (lives.get(key) ?? 0) + 1);
    const uid = `${key.toLowerCase()}-${lives.get(key) ?? 0}`;
    const metadata = {
      labels: { app: name, turn: `${changes}`, note: pick(['plain', 'größer', '日本', '🦊']) },
    };
    return aWireObject(kind, { name, uid, metadata, ...bodyOf(kind, draw) });
  };

  const change = (): void => {
    changes += 1;
    const object = keyed(pick(soakedKinds));
    if (random() < 0.25) server.remove(object);
    else server.put(object);
  };

  const fault = async (): Promise<void> => {
    const resource = kindTable[pick(soakedKinds)].plural;
    const plan = (hit: Fault, target: FaultTarget): void => {
      server.faults.inject(hit, { resource, times: 1 + draw(2), ...target });
    };
    const onWatch: FaultTarget = { verb: 'watch' };
    const faults: Readonly<Record<string, () => unknown>> = {
      'status 500': () => plan({ kind: 'status', code: 500 }, {}),
      'status 503': () => plan({ kind: 'status', code: 503 }, {}),
      'status 429': () => plan({ kind: 'status', code: 429, retryAfterSeconds: 1 }, {}),
      'gone at list': () => plan({ kind: 'gone' }, { verb: 'list', after: draw(2) }),
      'gone at watch': () => plan({ kind: 'gone' }, onWatch),
      'hang-up': () => plan({ kind: 'hang-up' }, {}),
      slow: () => plan({ kind: 'slow', ms: draw(500) }, {}),
      'silent watch': () => plan({ kind: 'silence' }, onWatch),
      'cut line': () => plan({ kind: 'cut', where: 'line' }, onWatch),
      'cut character': () => plan({ kind: 'cut', where: 'character' }, onWatch),
      garbage: () => plan({ kind: 'garbage' }, onWatch),
      dribble: () => plan({ kind: 'dribble' }, onWatch),
      'watch cut now': () => server.watches[draw(server.watches.length)]?.cut(),
      'watch silent now': () => server.watches[draw(server.watches.length)]?.silence(),
      'watch ended now': () => server.watches[draw(server.watches.length)]?.end(),
      bookmark: () => server.watches[draw(server.watches.length)]?.bookmark(),
      compacted: () => server.compact(),
      'restarted with its etcd': () => server.restart(),
      'restarted with an older etcd': async () => {
        const backup = server.snapshot();
        for (let lost = draw(20); lost >= 0; lost -= 1) change();
        await delay(draw(200));
        const gone = server.watches;
        await server.restart(backup);
        // Once versions have come as far as before, no watcher can tell the new history from the old: nothing is written
        // until all watch from a version of the new one, as nobody writes to a cluster whose etcd is being restored.
        for (let tries = 0; tries < 1_500 && !allFollow(server, gone); tries += 1) await delay(20);
      },
    };
    const [name, befall] = pick(Object.entries(faults) as [[string, () => unknown]]);
    counted[name] = (counted[name] ?? 0) + 1;
    await befall();
  };

  return { change, fault, random, said: () => ({ changes, faults: counted }) };
};

/** Whether each kind has a watch that is none of these, and none waits for a version of the future. */
const allFollow = ({ watches, revision }: FakeApiServer, but: FakeApiServer['watches']): boolean => {
  const fresh = watches.filter((watch) => !but.includes(watch));
  const follow = fresh.filter(({ request }) => Number(request.query.get('resourceVersion')) <= revision);
  const kinds = new Set(follow.map(({ request }) => request.type.plural));
  return follow.length === fresh.length && kinds.size === soakedKinds.length;
};

const bodyOf = (kind: Kind, draw: (below: number) => number): WireObject => {
  switch (kind) {
    case 'Pod':
      return {
        spec: { nodeName: `node-${draw(5)}`, serviceAccountName: 'web', containers: [{ name: 'app' }] },
        status: { phase: 'Running', podIPs: [{ ip: `10.0.${draw(250)}.${draw(250)}` }] },
      };
    case 'Service':
      return { spec: { clusterIP: `10.96.0.${draw(250)}`, ports: [{ port: 1 + draw(60_000) }] } };
    case 'Server':
      // One in ten cannot be read, and is remembered as that.
      return { spec: { podSelector: {}, port: draw(10) === 0 ? { no: 'port' } : 1 + draw(60_000) } };
    default:
      return {};
  }
};

const server = await startFakeApiServer({ keepRevisions: 2_000, bookmarkEvery: 500 });
const say = (said: Said): void => {
  process.send?.(said);
};

let stop = new AbortController();
let storm: { readonly over: Promise<void>; readonly said: ReturnType<typeof weather>['said'] } | undefined;

const rage = async ({ seed, stormMs }: Order & { kind: 'storm' }, signal: AbortSignal) => {
  const { change, fault, random, said } = weather(server, seed);
  for (let index = 0; index < 2 * namesOfEachKind; index += 1) change();
  const over = async (): Promise<void> => {
    const end = performance.now() + stormMs;
    while (!signal.aborted && performance.now() < end) {
      for (let count = Math.floor(random() * 20); count >= 0; count -= 1) change();
      if (random() < 0.2) await fault();
      await delay(random() * 40);
    }
  };
  return { over: over(), said };
};

const obey = async (order: Order): Promise<void> => {
  switch (order.kind) {
    case 'storm':
      stop = new AbortController();
      storm = await rage(order, stop.signal);
      return;
    case 'calm': {
      stop.abort();
      await storm?.over;
      server.faults.clear();
      const objects = server.snapshot().objects.map(({ object }) => object);
      say({ kind: 'calmed', objects, ...(storm?.said() ?? { changes: 0, faults: {} }) });
    }
  }
};

process.on('message', (order: Order) => void obey(order));
process.once('disconnect', () => void server.stop().then(() => process.exit(0)));
say({ kind: 'serving', url: server.url });
