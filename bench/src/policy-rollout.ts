import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { StreamCall } from '@gatehouse/platform/grpc/transport';
import type { PolicyWatch } from '@gatehouse/policy/ports/policy-watch';
import { RowStreams } from '@gatehouse/policy/ports/row-streams';
import { aNamespace, aNetworkAuthenticationPolicy, aPod, labelled } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { aPolicyWatch } from './policy/policy-parts.ts';

/** Pods replaced at 50 a second under 200 label policies, each of which admits the pods of one application to another. */
const sizes = [2_500, 5_000, 10_000] as const;
const applications = 200;
const perSecond = 50;
const seconds = 10;
const port = 8080;

interface Measured {
  /** From a replacement to the last stream of those that it concerns; sorted. */
  readonly lagMs: readonly number[];
  /** CPU of the thread for one replacement. */
  readonly cpuMs: number;
}

const podOf = (app: number, number: number): KubeObject<'Pod'> =>
  aPod({
    name: `app-${app}-${number}`,
    uid: `${app}-${number}`,
    labels: { app: `app-${app}`, 'pod-template-hash': '6c9f7d5b8' },
    ips: [`10.${64 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`],
    ports: [{ name: 'http', port }],
  });

/** The pods of an application may be called by those of the next. */
const policyOf = (app: number): KubeObject<'NetworkAuthenticationPolicy'> =>
  aNetworkAuthenticationPolicy({
    name: `to-app-${app}`,
    target: labelled({ app: `app-${app}` }),
    sources: [{ podSelector: labelled({ app: `app-${(app + 1) % applications}` }) }],
  });

const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

const measure = async (pods: number, replaced: number): Promise<Measured> => {
  const running = new Map<number, KubeObject<'Pod'>[]>();
  for (let number = 0; number < pods; number += 1) {
    const app = number % applications;
    running.set(app, [...(running.get(app) ?? []), podOf(app, number)]);
  }
  const source = new FakeSource(
    aNamespace(),
    ...Array.from({ length: applications }, (_, app) => policyOf(app)),
    ...[...running.values()].flat(),
  );
  const watch = aPolicyWatch();
  const streams = new RowStreams(Date.now);
  const abort = new AbortController();
  const watching = watch.run(source, abort.signal);
  const lagMs: number[] = [];
  /** By application: when its callers changed, and how many of its streams have not heard of it. */
  const awaited = new Map<number, { readonly since: number; left: number }>();
  const open = (app: number, { meta }: KubeObject<'Pod'>): void => {
    let isFirst = true;
    const reader: StreamCall = {
      request: new Uint8Array(),
      peer: { address: '127.0.0.9', port: 50_000, identity: undefined },
      signal: abort.signal,
      send: () => {
        const due = awaited.get(app);
        if (due !== undefined && !isFirst) {
          due.left -= 1;
          if (due.left === 0) lagMs.push(performance.now() - due.since);
        }
        isFirst = false;
        return true;
      },
      onWritable: () => {},
      onAnswered: (listener) => listener(),
      end: () => {},
    };
    const stream = streams.open(reader, {
      method: 'InboundServerPolicies/WatchPort',
      target: `demo/${meta.name}:${port}`,
      claimedNamespace: 'demo',
    });
    const following = watch.follow({ namespace: 'demo', pod: meta.name, port }, stream);
    if (following === undefined) throw new Error(`${meta.name} is not known`);
    stream.holds(following.release);
  };
  for (const [app, all] of running) for (const pod of all) open(app, pod);
  await settled(watch);

  const start = performance.now();
  const cpuBefore = cpuMs();
  for (let count = 0; count < replaced; count += 1) {
    const app = count % applications;
    const target = (app + applications - 1) % applications;
    const all = running.get(app) ?? [];
    const [old, ...others] = all;
    const fresh = podOf(app, pods + count);
    running.set(app, [...others, fresh]);
    awaited.set(target, { since: performance.now(), left: running.get(target)?.length ?? 0 });
    // As controllers do it: the new pod first.
    source.put(fresh);
    if (old !== undefined) source.remove(old);
    watch.settle();
    open(app, fresh);
    await delay(Math.max(0, start + ((count + 1) * 1_000) / perSecond - performance.now()));
  }
  await settled(watch);
  const used = cpuMs() - cpuBefore;
  abort.abort();
  await watching;
  return { lagMs: lagMs.toSorted((a, b) => a - b), cpuMs: used / replaced };
};

const settled = async (watch: PolicyWatch): Promise<void> => {
  do await delay(50);
  while (watch.load.waiting > 0);
};

const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;

const line = (name: string, cells: readonly string[]): void => {
  process.stdout.write(`${name.padEnd(10)}${cells.map((cell) => cell.padStart(12)).join('')}\n`);
};

await measure(sizes[0], perSecond);
line('pods', ['replaced', 'median', '99 %', 'worst', 'CPU of one', 'CPU a second']);
const found: number[] = [];
for (const pods of sizes) {
  const { lagMs, cpuMs: cpu } = await measure(pods, perSecond * seconds);
  found.push(cpu);
  line(String(pods), [
    `${lagMs.length}`,
    ...[0.5, 0.99, 1].map((part) => `${quantile(lagMs, part).toFixed(1)} ms`),
    `${cpu.toFixed(2)} ms`,
    `${((cpu * perSecond) / 10).toFixed(1)} %`,
  ]);
}
const [first = 1, , last = 1] = found;
line('exponent', ['', '', '', '', (Math.log(last / first) / Math.log(sizes[2] / sizes[0])).toFixed(2)]);
