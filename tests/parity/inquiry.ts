import { setTimeout as sleep } from 'node:timers/promises';
import type { Attempt } from '@gatehouse/core/inbound/evaluate-inbound';
import type { WireObject } from '@gatehouse/testing/real-cluster';
import { compare } from './compare.ts';
import { PortWatch } from './port-watches.ts';
import { externalTargets } from './random-external-workloads.ts';
import { here } from './random-parts.ts';
import { targets as podTargets, ports } from './random-pods.ts';
import { externalWorkload, podWorkload, type TwoControllers } from './two-controllers.ts';

/**
 * The status of a route is written after the route, and until then Linkerd does not attach it. A status that was overtaken
 * is written again after ten seconds at most.
 */
const agreeWithinMs = 15_000;

/** The ports that are watched while things change. */
const watchedPorts = [8080, 9000, 4191];

const targets = [
  ...podTargets.map((name) => ({ kind: 'Pod', name, workload: podWorkload(here, name) })),
  ...externalTargets.map((name) => ({
    kind: 'ExternalWorkload',
    name,
    workload: externalWorkload(here, name),
  })),
];

const absent: WireObject = { metadata: {}, spec: {} };

/** Asks both controllers for every port of the targets, and counts what they were asked and where they differ. */
export class Inquiry {
  readonly #controllers: TwoControllers;
  readonly #differing = new Map<string, number>();
  #answers = 0;
  readonly #external = { rows: 0, byServers: 0 };

  constructor(controllers: TwoControllers) {
    this.#controllers = controllers;
  }

  /** Opens WatchPort on the targets that are there. */
  async watch(): Promise<WatchedInquiry> {
    const watches = new Map<string, PortWatch>();
    for (const { workload } of targets) {
      const { linkerd } = await this.#controllers.ask(workload, 8080);
      if (linkerd.kind === 'none') continue;
      for (const port of watchedPorts)
        watches.set(`${workload}:${port}`, await PortWatch.open(this.#controllers, workload, port));
    }
    return {
      agree: (objects, attempts) => this.#agree(objects, { attempts, watches }),
      [Symbol.asyncDispose]: async () => {
        for (const watch of watches.values()) watch.close();
      },
    };
  }

  summary(): string {
    const rows = [...this.#differing].sort(([, a], [, b]) => b - a);
    const told = rows.map(([name, count]) => `${count} × ${name}`);
    const { rows: external, byServers } = this.#external;
    return `${this.#answers} answers compared, ${external} of them rows of ExternalWorkloads (${byServers} of their Servers), differing as the table says in ${told.join('; ') || 'none'}`;
  }

  async #agree(
    objects: readonly WireObject[],
    around: { readonly attempts: readonly Attempt[]; readonly watches: Map<string, PortWatch> },
  ): Promise<void> {
    const reports: string[] = [];
    const deadline = Date.now() + agreeWithinMs;
    for (const { kind, name, workload } of targets) {
      const pod =
        objects.find((one) => one.kind === kind && (one.metadata as WireObject).name === name) ?? absent;
      for (const port of ports) {
        for (;;) {
          const report = await this.#ask({ workload, pod, port }, around);
          if (report === undefined) break;
          if (Date.now() > deadline) {
            reports.push(`${workload}:${port}\n${report}`);
            break;
          }
          await sleep(50);
        }
      }
    }
    if (reports.length === 0) return;
    const cluster = objects.map((object) => JSON.stringify(object)).join('\n');
    throw new Error(`of these objects\n${cluster}\nthe controllers disagree:\n${reports.join('\n')}`);
  }

  /** Undefined when both agree, and their streams with them. */
  async #ask(
    { workload, pod, port }: { readonly workload: string; readonly pod: WireObject; readonly port: number },
    {
      attempts,
      watches,
    }: { readonly attempts: readonly Attempt[]; readonly watches: Map<string, PortWatch> },
  ): Promise<string | undefined> {
    const answers = await this.#controllers.ask(workload, port);
    const outcome = compare({ ...answers, pod, port, attempts });
    if (outcome.kind === 'disagree') return outcome.report;
    const watch = watches.get(`${workload}:${port}`);
    for (const side of ['linkerd', 'gatehouse'] as const) {
      const problem = watch?.problem(side, answers[side]);
      if (problem !== undefined) return `${side}: ${problem}`;
    }
    // The streams are over with their target; one that is made later under its name has streams of its own.
    if (answers.linkerd.kind === 'none') watches.delete(`${workload}:${port}`);
    this.#answers += 1;
    if (pod.kind === 'ExternalWorkload' && answers.linkerd.kind === 'row') {
      this.#external.rows += 1;
      if (answers.linkerd.server.meta.kind === 'resource') this.#external.byServers += 1;
    }
    for (const name of outcome.differing) this.#differing.set(name, (this.#differing.get(name) ?? 0) + 1);
    return undefined;
  }
}

export interface WatchedInquiry extends AsyncDisposable {
  /** Rejects with what they say differently of these objects, once they had time to agree. */
  agree(objects: readonly WireObject[], attempts: readonly Attempt[]): Promise<void>;
}
