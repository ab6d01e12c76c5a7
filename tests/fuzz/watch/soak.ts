import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { kubeClientAt } from '@gatehouse/platform/kube/client/client';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { readObject } from '@gatehouse/platform/kube/read-object';
import { KubernetesSource } from '@gatehouse/platform/kube/watch/kubernetes-source';
import { usualTimings } from '@gatehouse/platform/kube/watch/next-step';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import type { Order, Said } from './side.ts';
import { soakedKinds } from './soaked-kinds.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Storms between which the index is compared and memory measured. */
  readonly storms: number;
  readonly tell: (line: string) => void;
}

export interface Soaked {
  /** Objects that differ between index and server at the end of a storm, as `storm N: Kind namespace/name`; none is right. */
  readonly differences: readonly string[];
  /** What the heap held after each storm, after a collection when the process may ask for one; bytes. */
  readonly heaps: readonly number[];
  readonly changes: number;
  readonly faults: Readonly<Record<string, number>>;
}

/** Shorter than in earnest by ten and more, so that a storm sees what an hour would. */
const timings = {
  ...usualTimings,
  watchMs: 2_000,
  graceMs: 500,
  steadyMs: 500,
  firstBackoffMs: 20,
  maxBackoffMs: 500,
};

/** How long an index may take to become what the server is, once nothing goes wrong any more. */
const settleMs = 30_000;

/** Watches a server in a storm of changes and faults, again and again; what it saw at the end of each must be the truth. */
export const soak = async ({ seconds, seed, storms, tell }: SoakOptions): Promise<Soaked> => {
  const server = fork(join(import.meta.dirname, 'server-side.ts'), [], { execArgv: [] });
  const stop = new AbortController();
  const index = new ResourceIndex();
  let looked: (() => void) | undefined;
  try {
    const { url } = await said(server, 'serving');
    const client = kubeClientAt(url);
    const source = new KubernetesSource({ client, log: silentLog, metrics: new Metrics('fuzz'), timings });
    const over = source.run(
      soakedKinds,
      (changes) => {
        index.apply(changes);
        looked?.();
      },
      stop.signal,
    );
    const differences: string[] = [];
    const heaps: number[] = [];
    const faults: Record<string, number> = {};
    let changes = 0;
    for (let storm = 1; storm <= storms; storm += 1) {
      order(server, { kind: 'storm', seed: seed + storm, stormMs: (seconds * 1000) / storms });
      await Promise.race([new Promise((resolve) => setTimeout(resolve, (seconds * 1000) / storms)), over]);
      const calmed = said(server, 'calmed');
      order(server, { kind: 'calm' });
      const truth = await calmed;
      changes += truth.changes;
      for (const [name, count] of Object.entries(truth.faults)) faults[name] = (faults[name] ?? 0) + count;
      const expected = read(truth.objects);
      const { promise: settled, resolve } = Promise.withResolvers<void>();
      looked = () => {
        if (compare(index, expected).length === 0) resolve();
      };
      const timer = setTimeout(resolve, settleMs);
      looked();
      await Promise.race([settled, over]);
      clearTimeout(timer);
      looked = undefined;
      const wrong = compare(index, expected);
      differences.push(...wrong.map((what) => `storm ${storm}: ${what}`));
      globalThis.gc?.();
      heaps.push(process.memoryUsage().heapUsed);
      tell(
        `storm ${storm} of ${storms}: ${truth.changes} changes, ${expected.size} objects, ` +
          `${wrong.length} differ, heap ${((heaps.at(-1) ?? 0) / 1e6).toFixed(1)} MB`,
      );
    }
    stop.abort();
    await over;
    client.close();
    return { differences, heaps, changes, faults };
  } finally {
    stop.abort();
    if (server.connected) server.disconnect();
    if (server.exitCode === null) await once(server, 'exit');
  }
};

/** The objects of the soaked kinds as a source must tell them, by `Kind namespace/name`. */
const read = (objects: readonly WireObject[]): ReadonlyMap<string, KubeObject> => {
  const found = new Map<string, KubeObject>();
  for (const wire of objects) {
    const kind = soakedKinds.find((each) => each === wire.kind);
    const outcome = kind === undefined ? undefined : readObject(kind, wire);
    if (outcome?.outcome === 'read') found.set(keyOf(outcome.object), outcome.object);
  }
  return found;
};

const compare = (index: ResourceIndex, expected: ReadonlyMap<string, KubeObject>): readonly string[] => {
  const actual = new Map(
    soakedKinds.flatMap((kind: Kind) =>
      [...index.all(kind)].map((object) => [keyOf(object), object] as const),
    ),
  );
  return [
    ...[...expected].filter(([key, object]) => !isDeepStrictEqual(actual.get(key), object)),
    ...[...actual].filter(([key]) => !expected.has(key)),
  ].map(([key]) => key);
};

const keyOf = ({ kind, meta: { namespace, name } }: KubeObject): string => `${kind} ${namespace}/${name}`;

const order = (server: ChildProcess, what: Order): void => {
  server.send(what);
};

const said = async <K extends Said['kind']>(server: ChildProcess, kind: K): Promise<Said & { kind: K }> => {
  const ended = once(server, 'exit').then(() => {
    throw new Error(`the server's process ended before it said ${kind}`);
  });
  for (;;) {
    const [message] = (await Promise.race([once(server, 'message'), ended])) as [Said];
    if (message.kind === kind) {
      ended.catch(() => {});
      return message as Said & { kind: K };
    }
  }
};
