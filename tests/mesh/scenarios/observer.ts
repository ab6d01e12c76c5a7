import assert from 'node:assert/strict';
import type { Call, Outcome, Sighting } from '../agent/messages.ts';
import { eventually } from '../rig/eventually.ts';
import type { Pod } from '../rig/pod.ts';
import { total } from '../rig/proxy-metrics.ts';
import { type Expected, expectOutcome, wordOf } from './expectations.ts';
import { type Counted, growthBetween, sumByVerdict, type Verdict, verdictsOf } from './verdicts.ts';

/** The three sides from which everything is looked at: it is true only if they agree. */
export const views = ['client', 'application', 'proxy'] as const;
export type View = (typeof views)[number];

/** A call, and the pods that may answer it. */
export interface Scene {
  readonly from: Pod;
  readonly call: Call;
  readonly at: readonly Pod[];
}

export interface Until {
  /** The client's outcome that is waited for, and how long; `eventually`'s patience when nothing is said. */
  readonly outcome: string;
  readonly withinMs?: number;
}

/** What servers have seen and their proxies counted up to now. */
export interface Look {
  readonly sightings: readonly Sighting[];
  readonly verdicts: ReadonlyMap<string, Counted>;
}

/** Counters are written before the answer leaves, but by another thread: a moment is granted. */
const agreeWithinMs = 2_000;
const admittedWords = ['200', 'echoed'];

/** Asserts what a scenario sees from each side, and counts how often, so that no side can be forgotten. */
export class Observer {
  /** Callers whose calls go on beside what is looked at; they are accounted for where they end. */
  readonly background = new Set<string>();
  /** What pods had seen and counted that are no more. */
  #gone: Look = { sightings: [], verdicts: new Map() };
  readonly #asserted: Record<View, number> = { client: 0, application: 0, proxy: 0 };

  /** Makes one call and looks at it from all sides: exactly what is expected happened, and nothing else. */
  async expect(scene: Scene, expected: Expected): Promise<Outcome> {
    const { from, call, at } = scene;
    const what = told(scene);
    const before = await this.look(at);
    const clientBefore = await clientCount(from, expected);
    const outcome = await from.call(call);
    this.check('client', () => expectOutcome(outcome, expected.client, what));
    await this.#agree(async () => {
      const { seen, grown } = this.since(before, await this.look(at));
      this.check('application', () =>
        assert.equal(
          seen.length,
          expected.application,
          `${what}: the application saw ${JSON.stringify(seen)}`,
        ),
      );
      const { proxy } = expected;
      if (proxy !== 'no verdict' && 'clientCounts' in proxy) {
        const clientAfter = await clientCount(from, expected);
        this.check('proxy', () =>
          assert.equal(clientAfter - clientBefore, 1, `${what}: ${proxy.clientCounts}`),
        );
        return;
      }
      const counted = `${what}: the proxy counted ${JSON.stringify(grown)}`;
      const sums = sumByVerdict(grown);
      this.check('proxy', () => {
        if (proxy === 'no verdict') assert.deepEqual(sums, {}, counted);
        else if (proxy.times === 'at least once')
          assert.deepEqual(Object.keys(sums), [proxy.counts], counted);
        else assert.deepEqual(sums, { [proxy.counts]: 1 }, counted);
      });
      const labels = { ...labelsOf(scene), ...(proxy === 'no verdict' ? {} : proxy.labels) };
      for (const one of grown) assertLabels(one, labels, counted);
    });
    return outcome;
  }

  /**
   * Repeats a call until it turns out as expected; answers how long that took, in milliseconds. All attempts together must
   * agree: what the client was served, the application saw and the proxy allowed; what it was refused, the proxy denied.
   */
  async until(scene: Scene, { outcome: expected, withinMs }: Until): Promise<number> {
    const { from, call, at } = scene;
    const before = await this.look(at);
    const words: string[] = [];
    const since = performance.now();
    await eventually(
      `${expected}: ${told(scene)}`,
      async () => {
        const word = wordOf(await from.call(call));
        words.push(word);
        if (word === expected) return true;
        throw new Error(`the last of ${words.length} was ${word}`);
      },
      withinMs,
    );
    const ms = performance.now() - since;
    this.check('client', () => assert.equal(words.at(-1), expected));
    const often = (word: string): number => words.filter((one) => one === word).length;
    const admitted = admittedWords.reduce((sum, word) => sum + often(word), 0);
    await this.#agree(async () => {
      const { seen, grown } = this.since(before, await this.look(at));
      const all = `${told(scene)} until ${expected}: ${words.join(' ')}`;
      this.check('application', () => assert.equal(seen.length, admitted, all));
      if (at.some(({ proxy }) => proxy === undefined)) return;
      const sums = sumByVerdict(grown);
      this.check('proxy', () => {
        assert.equal((sums['HTTP allowed'] ?? 0) + (sums['TCP allowed'] ?? 0), admitted, all);
        assert.equal(sums['HTTP denied'] ?? 0, often('403'), all);
        assert.equal(sums['no route'] ?? 0, often('404'), all);
      });
    });
    return ms;
  }

  /** Asserts something else that was seen from one side. */
  check(view: View, assertion: () => void): void {
    assertion();
    this.#asserted[view] += 1;
  }

  async look(at: readonly Pod[]): Promise<Look> {
    const sightings: Sighting[] = [...this.#gone.sightings];
    for (const pod of at) sightings.push(...(await pod.hand.ask({ kind: 'sightings' })));
    return { sightings, verdicts: new Map([...this.#gone.verdicts, ...(await verdictsOf(at))]) };
  }

  /** Remembers what a pod has seen, which is about to go. */
  async remember(pod: Pod): Promise<void> {
    this.#gone = await this.look([pod]);
  }

  /** What came between two looks, but for callers in the background: one entry for each request. */
  since(before: Look, after: Look): { readonly seen: readonly string[]; readonly grown: readonly Counted[] } {
    const others = (client: string | undefined): boolean => !this.background.has(client ?? '');
    return {
      seen: difference(before.sightings, after.sightings, others),
      grown: growthBetween(before.verdicts, after.verdicts).filter(({ labels }) => others(labels.client_id)),
    };
  }

  /** What one caller had done between two looks, by verdict and by application; applications name no raw callers. */
  accountOf(
    { identity }: Pick<Pod, 'identity'>,
    before: Look,
    after: Look,
  ): { readonly seen: number; readonly verdicts: Readonly<Partial<Record<Verdict, number>>> } {
    const own = (name: string | undefined): boolean => name === identity;
    const grown = growthBetween(before.verdicts, after.verdicts).filter(({ labels }) =>
      own(labels.client_id),
    );
    return {
      seen: difference(before.sightings, after.sightings, (client, speaks) =>
        speaks === 'tcp' ? grown.some(({ verdict }) => verdict === 'TCP allowed') : own(client),
      ).length,
      verdicts: sumByVerdict(grown),
    };
  }

  /** Fails for each side that nothing was asserted of without a reason, and for each reason that does not hold. */
  close(without: Readonly<Partial<Record<View, string>>> = {}): void {
    for (const view of views) {
      const asserted = this.#asserted[view];
      if (without[view] === undefined)
        assert.ok(asserted > 0, `nothing was asserted of what the ${view} saw`);
      else assert.equal(asserted, 0, `the ${view}'s view exists after all: ${without[view]}`);
    }
  }

  /** How often each side was asserted on, for the table. */
  counts(): Readonly<Record<View, number>> {
    return { ...this.#asserted };
  }

  /** Repeats what may be a moment early; counts once. */
  async #agree(look: () => Promise<void>): Promise<void> {
    const counts = { ...this.#asserted };
    const deadline = performance.now() + agreeWithinMs;
    for (;;) {
      try {
        return await look();
      } catch (error) {
        if (performance.now() > deadline) throw error;
        Object.assign(this.#asserted, counts);
      }
    }
  }
}

const difference = (
  before: readonly Sighting[],
  after: readonly Sighting[],
  counts: (client: string, speaks: Sighting['speaks']) => boolean,
): readonly string[] => {
  const was = byKind(before, counts);
  return [...byKind(after, counts)].flatMap(([kind, count]) =>
    Array.from({ length: count - (was.get(kind) ?? 0) }, () => kind),
  );
};

/** How many requests of each kind, whichever pod saw them; what is said within an RPC is none. */
const byKind = (
  sightings: readonly Sighting[],
  counts: (client: string, speaks: Sighting['speaks']) => boolean,
): ReadonlyMap<string, number> => {
  const sums = new Map<string, number>();
  for (const { port, at, speaks, client, count } of sightings) {
    if (speaks === 'grpc-message' || !counts(client, speaks)) continue;
    const kind = `${speaks} at ${at}:${port} by ${client || 'nobody'}`;
    sums.set(kind, (sums.get(kind) ?? 0) + count);
  }
  return sums;
};

const told = ({ from, call }: Scene): string => {
  const { speaks, method = 'GET', path = '/', host, port, tls } = call;
  const said = speaks === 'tcp' ? 'raw bytes' : `${speaks} ${method} ${path}`;
  return `${from.name} to ${host}:${port} ${said}${tls === undefined ? '' : ' by TLS of its own'}`;
};

/** Who called, as the server's proxy must say it. A client that does TLS itself is another one in each scenario. */
const labelsOf = ({ from, call }: Scene): Readonly<Record<string, string>> => {
  if (from.proxy !== undefined) return { tls: 'true', client_id: from.identity };
  return call.tls === undefined ? { tls: 'no_identity' } : {};
};

const assertLabels = (
  { labels }: Counted,
  expected: Readonly<Record<string, string>>,
  what: string,
): void => {
  for (const [name, value] of Object.entries(expected)) assert.equal(labels[name], value, `${what}: ${name}`);
};

const clientCount = async (from: Pod, { proxy }: Expected): Promise<number> =>
  proxy !== 'no verdict' && 'clientCounts' in proxy
    ? total(await from.metrics(), proxy.clientCounts, proxy.labels)
    : 0;
