import { setImmediate as immediate } from 'node:timers/promises';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { StreamCall } from '@gatehouse/platform/grpc/transport';
import type { KindHealth, Source } from '@gatehouse/platform/kube/source';
import { aNamespace, aNetworkAuthenticationPolicy, aPod, labelled } from '@gatehouse/testing/builders';
import { PolicyWatch } from '../../src/ports/policy-watch.ts';
import { RowStreams } from '../../src/ports/row-streams.ts';
import { settings } from '../a-policy.ts';
import { type HostileTenant, hostilePod, type Manifest, readManifest } from './hostile-tenants.ts';

export interface CrowdOptions {
  /** Namespaces whose authors do nothing unusual. */
  readonly calm: number;
  /** Each in a namespace of its own. */
  readonly hostile: readonly HostileTenant[];
  readonly seconds: number;
  /** Before that, in which code that has not run yet is compiled and first rows are made; counted apart. Default: 0. */
  readonly warmSeconds?: number;
  /** How often a calm policy changes, each time another namespace's. */
  readonly calmEveryMs: number;
  /** How often every hostile tenant replaces all of its objects. */
  readonly hostileEveryMs: number;
}

export interface Crowd {
  /** How late each calm row was, from when its change was due; sorted. */
  readonly lateMs: readonly number[];
  /** How much of that this thread worked, anyone who for: what stays comparable when other processes use the machine, too. Sorted. */
  readonly busyMs: readonly number[];
  /** The same of rows that were due while the process warmed up. */
  readonly warmBusyMs: readonly number[];
  /** Rows compiled, of all namespaces. */
  readonly compiled: number;
  readonly hostileTurns: number;
  /** CPU of the thread for each second. */
  readonly cpuShare: number;
}

const podsPerNamespace = 2;
const calmPorts = [8080, 9000] as const;

/**
 * Policy as it is, in this process, with calm namespaces and hostile ones in it: calm changes are due at a steady pace,
 * whatever the event loop does, and each of their rows is late by what passes until its stream has it.
 */
export const crowd = async (options: CrowdOptions): Promise<Crowd> => {
  const { calm, seconds, warmSeconds = 0, calmEveryMs, hostileEveryMs } = options;
  const hostile = options.hostile.map((tenant, at) => ({ ...tenant, namespace: `hostile-${at}` }));
  const namespaces = Array.from({ length: calm }, (_, at) => calmNamespace(at));
  const base = hostile.flatMap(({ base: once, namespace }) =>
    once.map((one) => readManifest(one, namespace)),
  );
  const source = new LooseSource([...namespaces.flatMap(({ objects }) => objects), ...base]);
  const watch = new PolicyWatch(settings);
  const streams = new RowStreams(Date.now);
  const abort = new AbortController();
  const watching = watch.run(source, abort.signal);
  const lateMs: number[] = [];
  const busyMs: number[] = [];
  const warmBusyMs: number[] = [];
  let warmUntil = Number.POSITIVE_INFINITY;
  const expected = new Map<string, { readonly dueAt: number; readonly cpuAt: number }>();
  const open = (namespace: string, pod: string, port: number, hear: () => void): void => {
    const asked = { namespace, pod, port };
    const stream = streams.open(aReader(abort.signal, hear), {
      method: 'InboundServerPolicies/WatchPort',
      target: `${namespace}/${pod}:${port}`,
      claimedNamespace: namespace,
    });
    const following = watch.follow(asked, stream);
    if (following === undefined) throw new Error(`${namespace}/${pod} is not known`);
    stream.holds(following.release);
  };
  for (const { name, pods } of namespaces) {
    for (const pod of pods)
      for (const port of calmPorts) {
        let heard: unknown;
        open(name, pod, port, () => {
          const due = expected.get(name);
          // What it is sent again, since it was quiet, is nothing that anybody waited for.
          if (due === undefined || due === heard) return;
          heard = due;
          const busy = cpuMs() - due.cpuAt;
          if (due.dueAt < warmUntil) {
            warmBusyMs.push(busy);
            return;
          }
          lateMs.push(performance.now() - due.dueAt);
          busyMs.push(busy);
        });
      }
  }
  for (const { namespace, ports } of hostile)
    for (const port of ports) open(namespace, hostilePod, port, () => {});
  await behind(watch);

  const start = performance.now();
  const cpuAtStart = cpuMs();
  // A change that falls due while the thread works counts from the last time that it did not.
  let cpuAt = cpuAtStart;
  const compiled = watch.load.compiled;
  warmUntil = start + warmSeconds * 1_000;
  const until = warmUntil + seconds * 1_000;
  let [changes, hostileTurns] = [0, 0];
  const pending: { readonly one: Manifest; readonly namespace: string }[] = [];
  while (performance.now() < until) {
    const now = performance.now();
    for (let dueAt = start + changes * calmEveryMs; dueAt <= now; dueAt = start + changes * calmEveryMs) {
      const of = namespaces[changes % namespaces.length];
      changes += 1;
      if (of === undefined) break;
      expected.set(of.name, { dueAt, cpuAt });
      source.put([of.policy(changes)]);
    }
    if (hostile.length > 0 && pending.length === 0 && start + hostileTurns * hostileEveryMs <= now) {
      const turn = hostileTurns;
      hostileTurns += 1;
      for (const { forms, namespace } of hostile)
        for (const one of forms[turn % forms.length] ?? []) pending.push({ one, namespace });
    }
    // Each by itself, as an API server's watch brings objects of this size.
    const [next] = pending.splice(0, 1);
    if (next !== undefined) source.put([readManifest(next.one, next.namespace)]);
    cpuAt = cpuMs();
    await (next === undefined ? new Promise((resolve) => setTimeout(resolve, 1)) : immediate());
  }
  const cpuShare = (cpuMs() - cpuAtStart) / (performance.now() - start);
  // Rows that never came are late, too.
  await behind(watch);
  abort.abort();
  await watching;
  return {
    lateMs: lateMs.sort((a, b) => a - b),
    busyMs: busyMs.sort((a, b) => a - b),
    warmBusyMs: warmBusyMs.sort((a, b) => a - b),
    compiled: watch.load.compiled - compiled,
    hostileTurns,
    cpuShare,
  };
};

/** Of this thread. */
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

/** Until no row waits, and what was sent is on its way. */
const behind = async (watch: PolicyWatch): Promise<void> => {
  do await new Promise((resolve) => setTimeout(resolve, 30));
  while (watch.load.waiting > 0);
};

/** Two pods that one policy concerns, which grants to another account at each change. */
const calmNamespace = (at: number) => {
  const name = `calm-${at}`;
  const pods = Array.from({ length: podsPerNamespace }, (_, pod) => `web-${pod}`);
  const policy = (change: number): KubeObject<'NetworkAuthenticationPolicy'> =>
    aNetworkAuthenticationPolicy({
      name: 'to-web',
      namespace: name,
      target: labelled({ app: 'web' }),
      ports: calmPorts.map((port) => ({ kind: 'range', first: port, last: port })),
      sources: [{ serviceAccounts: [{ namespace: name, name: `client-${change}` }] }],
    });
  const objects = [
    aNamespace({ name }),
    ...pods.map((pod) => aPod({ name: pod, namespace: name, labels: { app: 'web' } })),
    policy(0),
  ];
  return { name, pods, policy, objects };
};

/** A reader that takes everything at once. */
const aReader = (signal: AbortSignal, hear: () => void): StreamCall => ({
  request: new Uint8Array(),
  peer: { address: '127.0.0.9', port: 50_000, identity: undefined },
  signal,
  send: () => {
    hear();
    return true;
  },
  onWritable: () => {},
  onAnswered: (listener) => listener(),
  end: () => {},
});

/** Delivers what it is told and remembers nothing, so that it costs nothing that the service would not pay. */
class LooseSource implements Source {
  readonly #first: readonly KubeObject[];
  #deliver: (changes: readonly Change[]) => void = () => {};

  constructor(first: readonly KubeObject[]) {
    this.#first = first;
  }

  run(
    kinds: readonly Kind[],
    deliver: (changes: readonly Change[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    this.#deliver = deliver;
    deliver(
      kinds.map(
        (kind) =>
          ({ type: 'reset', kind, objects: this.#first.filter((object) => object.kind === kind) }) as Change,
      ),
    );
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  health(): readonly KindHealth[] {
    return [];
  }

  put(objects: readonly KubeObject[]): void {
    this.#deliver(objects.map((object) => ({ type: 'apply', kind: object.kind, object }) as Change));
  }
}
