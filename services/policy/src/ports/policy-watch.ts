import { GatehouseError } from '@gatehouse/core/error';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { rateLimitOf } from '@gatehouse/core/inbound/rate-limit';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import type { Source } from '@gatehouse/platform/kube/source';
import { Bursts } from '@gatehouse/platform/limits/bursts';
import type { Log } from '@gatehouse/platform/log/log';
import { type Clock, systemClock } from '@gatehouse/platform/process/clock';
import { surveyKey, surveyWorkload, type WorkloadSurvey } from '../core/answers/survey-workload.ts';
import { Contests } from '../core/contests.ts';
import { closedWarnings } from '../core/inbound/closed-warnings.ts';
import { consequenceOf } from '../core/inbound/consequence-of.ts';
import type { ClusterConfig, ResolvedSource } from '../core/inbound/model.ts';
import { watchedForInbound } from '../core/inbound/rows/inbound-kinds.ts';
import { InboundRows, type RowAsked, type WorkloadPort } from '../core/inbound/rows/inbound-rows.ts';
import { Rejections } from '../core/inbound/rows/rejections.ts';
import { type InboundAnswer, ofKind, RowCompiler } from '../core/inbound/rows/row-compiler.ts';
import { rowKeys } from '../core/inbound/rows/row-keys.ts';
import type { AddressTrust } from '../core/inbound/rows/source-index.ts';
import type { EncodedRow, RowUpdate } from '../core/inbound/rows/watched-row.ts';
import type { Target } from '../core/inbound/workload-of.ts';
import { lookedUpKinds } from '../core/judgement/judge-authorizations.ts';
import type { Judged, Judgement } from '../core/judgement/judgement.ts';
import { Judgements } from '../core/judgement/judgements.ts';
import { OutboundRows, watchedForOutbound } from '../core/outbound/rows.ts';
import { GonePolicies } from '../core/rollout/gone-policies.ts';
import { encodedRow } from './encoded-row.ts';
import { encodeInbound } from './inbound/encode-inbound.ts';
import { JudgementRounds } from './judgement-rounds.ts';
import { encodeOutbound } from './outbound/encode-outbound.ts';
import type { RowStream } from './row-streams.ts';
import { Slices } from './slices.ts';

/** Everything that a row can depend on, by the tables of both directions, or that policies name. */
export const watchedKinds: readonly Kind[] = [
  ...new Set<Kind>([...watchedForInbound, ...watchedForOutbound, ...lookedUpKinds]),
];

/** The first change of a burst is compiled at once, the others at most this often (design §6.5). */
const burstEveryMs = 20;

/** How often it is looked whether the source still lives. */
const judgeEveryMs = 1_000;

/** What says whose an address is: while these are not known to be fresh, a label source may be wrong (design §6.3). */
const addressKinds: readonly Kind[] = ['Namespace', 'Pod'];

export interface PolicyWatchOptions {
  readonly cluster: ClusterConfig;
  readonly clusterDomain: string;
  readonly staleness: { readonly maxMs: number; readonly onStale: 'hold' | 'deny' };
  readonly log: Log;
  /** Told how long it took from a batch until no row waited any more, in seconds. */
  readonly onUpdate?: (seconds: number) => void;
  readonly clock?: Clock;
}

export interface PolicyLoad {
  /** Inbound rows that a client watches, those and questions that wait to be compiled, and the classes that share rows. */
  readonly rows: number;
  readonly waiting: number;
  readonly classes: number;
  readonly outboundRows: number;
  /** Inbound rows compiled since the start. */
  readonly compiled: number;
  /** Objects that cannot be read, by kind. */
  readonly rejected: ReadonlyMap<string, number>;
  /** Addresses that several have. */
  readonly contested: Readonly<Record<'Pod' | 'Service', number>>;
}

/** Keeps the index and the rows in step with a source, and hands what changed to the streams. */
export class PolicyWatch {
  readonly index = new ResourceIndex();
  readonly outbound: OutboundRows<RowStream>;
  readonly #compiler: RowCompiler;
  readonly #inbound: InboundRows<RowStream>;
  readonly #judgements: Judgements;
  readonly #rounds: JudgementRounds;
  readonly #rejections = new Rejections();
  readonly #gone = new GonePolicies();
  #hearPolicies: (policies: readonly KubeObject<'NetworkAuthenticationPolicy'>[]) => void = () => {};
  readonly #podContests = new Contests();
  readonly #serviceContests = new Contests();
  readonly #options: PolicyWatchOptions;
  readonly #clock: Clock;
  readonly #bursts: Bursts;
  readonly #slices: Slices;
  /** In the order in which they came. */
  #waiting: Change[] = [];
  /** Since when rows wait to be compiled. */
  #behindSince: number | undefined;
  #trust: AddressTrust = 'fresh';

  constructor(options: PolicyWatchOptions) {
    this.#options = options;
    const { index } = this;
    const { cluster, clusterDomain, clock = systemClock } = options;
    this.#clock = clock;
    this.#compiler = new RowCompiler({
      index,
      cluster,
      matchesRegex: matchesWhole,
      encode: encodedServer,
    });
    this.#inbound = new InboundRows({ index, compiler: this.#compiler, mesh: cluster.mesh });
    this.#judgements = new Judgements({ index, cluster, compiler: this.#compiler });
    this.outbound = new OutboundRows({
      index,
      config: { ...cluster, clusterDomain },
      encode: (policy) => encodedRow(encodeOutbound(policy)),
    });
    this.#bursts = new Bursts({ everyMs: burstEveryMs, clock, work: () => this.#take() });
    this.#slices = new Slices({
      clock,
      work: (isOver) => this.#compile(isOver),
      isBehind: () => this.#inbound.isBehind,
    });
    this.#rounds = new JudgementRounds({
      clock,
      log: options.log,
      judgements: this.#judgements,
      isBusy: () => this.#inbound.isBehind || !this.isReady,
    });
  }

  /** Whether every kind has been listed once. */
  get isReady(): boolean {
    return this.index.isSynced(watchedKinds);
  }

  /** Whether addresses are believed; `stale` is for the metrics and logs also where `hold` keeps the rows. */
  get trust(): AddressTrust {
    return this.#trust;
  }

  /** What there is and was done, for the metrics. */
  get load(): PolicyLoad {
    return {
      ...this.#inbound.size,
      outboundRows: this.outbound.size,
      compiled: this.#compiler.compiled,
      rejected: this.#rejections.counts,
      contested: { Pod: this.#compiler.contested.size, Service: this.outbound.contested.size },
    };
  }

  /** What became of a policy object, as the index is now; undefined for a route that is for clients of a Service. */
  readonly judge = (object: Judged): Judgement | undefined => this.#judgements.of(object);

  /** What would become of an object that is not stored yet, or is about to be replaced. */
  readonly judgeCandidate = (object: Judged): Judgement | undefined => this.#judgements.ofCandidate(object);

  /** A policy object that was deleted in the last minutes, and how many milliseconds ago. */
  readonly gone = (
    kind: Judged['kind'],
    namespace: string,
    name: string,
  ): { readonly object: Judged; readonly agoMs: number } | undefined => {
    const now = this.#clock.now();
    const found = this.#gone.get({ kind, namespace, name }, now);
    return found && { object: found.object, agoMs: now - found.at };
  };

  /** Has `hear` told of the NetworkAuthenticationPolicies of each batch that were applied. */
  followPolicies(hear: (policies: readonly KubeObject<'NetworkAuthenticationPolicy'>[]) => void): void {
    this.#hearPolicies = hear;
  }

  /** The findings of all policy objects, as of the last round. */
  get verdicts(): JudgementRounds {
    return this.#rounds;
  }

  /** What is closed since it cannot be read, a sentence each. */
  warnings(): readonly string[] {
    return closedWarnings(this.index.unreadable, this.#rejections.counts);
  }

  /** For anyone who would answer from the index. */
  readonly requireReady = (): void => {
    if (!this.isReady) {
      throw new GatehouseError('unavailable', 'the cluster has not been listed yet: try again');
    }
  };

  /** Takes at once whatever a burst still holds back. */
  readonly settle = (): void => this.#bursts.settle();

  /** Whether it is a meshed pod that the index holds. */
  readonly knows = (asked: WorkloadPort): boolean => this.#inbound.knows(asked);

  /**
   * What the proxy of a workload is told of a port, in its namespace's turn; undefined when no such meshed pod is known. Once the
   * signal aborts nobody works for the answer: a caller that leaves and asks again must not leave more and more behind.
   */
  readonly look = (asked: RowAsked, signal?: AbortSignal): Promise<InboundAnswer | undefined> => {
    const { promise, resolve, reject } = Promise.withResolvers<InboundAnswer | undefined>();
    const forget = this.ask(asked, resolve);
    signal?.addEventListener(
      'abort',
      () => {
        forget();
        reject(new GatehouseError('cancelled', 'the caller gave up'));
      },
      { once: true },
    );
    return promise;
  };

  /** The same, for a listener; what comes back takes the question back. */
  ask(asked: RowAsked, hear: (answer: InboundAnswer | undefined) => void): () => void {
    const forget = this.#inbound.ask(asked, hear);
    this.#slices.wake();
    return forget;
  }

  /** What is known of a workload without compiling any of its ports, so many of them listed at most. */
  readonly survey = (target: Target, limit: number): WorkloadSurvey =>
    surveyWorkload(target, { compiler: this.#compiler, mesh: this.#options.cluster.mesh, limit });

  /** Equal for workloads that have the same ports and the same rows on them. */
  readonly surveyKey = (target: Target): string =>
    surveyKey(target, { compiler: this.#compiler, mesh: this.#options.cluster.mesh });

  /** Which ports of which workloads share their row, as of now: equal keys, equal rows. */
  readonly rowKeys = (): ((target: Target, port: number) => string) => rowKeys(this.#compiler);

  /** What the sources of a policy stand for now: what rows are made of, so withdrawn with them when the watch is stale. */
  readonly sourcesOf = (policy: KubeObject<'NetworkAuthenticationPolicy'>): readonly ResolvedSource[] =>
    this.#compiler.sourcesOf(policy);

  /** Offers the stream every row of the port from now on; undefined when no such meshed pod is known. */
  readonly follow = (asked: WorkloadPort, stream: RowStream): { release(): void } | undefined => {
    const watch = this.#inbound.watch(asked, stream);
    if (watch === undefined) return undefined;
    const first = this.#inbound.first(watch);
    if (first === undefined) this.#slices.wake();
    else stream.offer(first);
    return { release: () => this.#inbound.unwatch(watch) };
  };

  /** Watches until the signal aborts. */
  async run(source: Source, signal: AbortSignal): Promise<void> {
    let cancel = (): void => {};
    const judge = (): void => {
      this.#judgeStaleness(source);
      cancel = this.#clock.after(judgeEveryMs, judge);
    };
    cancel = this.#clock.after(judgeEveryMs, judge);
    try {
      const watched = source.run(watchedKinds, (changes) => this.#hear(changes), signal);
      await Promise.race([watched, this.#bursts.failed, this.#slices.failed, this.#rounds.failed]);
    } finally {
      cancel();
      this.#rounds.close();
      this.#bursts.close();
    }
  }

  #hear(changes: readonly Change[]): void {
    for (const change of changes) this.#waiting.push(change);
    this.#bursts.due();
  }

  #take(): void {
    const startedAt = this.#clock.now();
    const changes = this.#waiting;
    this.#waiting = [];
    const touched = this.index.apply(changes);
    const concerned = this.#compiler.apply(touched);
    const inbound = this.#inbound.take(concerned);
    this.#judgements.take(touched, concerned);
    this.#gone.take(touched, startedAt);
    this.#hearPolicies(ofKind(touched, 'NetworkAuthenticationPolicy').flatMap(({ after }) => after ?? []));
    const outbound = this.outbound.refresh(touched);
    for (const update of [inbound, outbound]) publish(update);
    this.#sayRejected(touched);
    this.#sayContested();
    this.#behindSince ??= startedAt;
    this.#slices.wake();
    this.#rounds.wake();
  }

  #compile(isOver: () => boolean): void {
    // Changes are held back for less time than such a row may take, so none waits for a second one.
    if (this.#inbound.isDear) this.#bursts.settle();
    publish(this.#inbound.compile(isOver));
    if (this.#inbound.isBehind || this.#behindSince === undefined) return;
    this.#options.onUpdate?.((this.#clock.now() - this.#behindSince) / 1_000);
    this.#behindSince = undefined;
  }

  #sayContested(): void {
    const { log } = this.#options;
    for (const verdict of this.#podContests.say(this.#compiler.contested)) {
      const { kind, ...address } = verdict;
      if (kind === 'settled') log.info(address, 'it is known again whose the address is');
      else
        log.warn(
          address,
          'several pods have one address, and nothing tells which was given it last: none is admitted by it',
        );
    }
    for (const verdict of this.#serviceContests.say(this.outbound.contested)) {
      const { kind, ...address } = verdict;
      if (kind === 'settled') log.info(address, 'one Service has the cluster IP again');
      else
        log.warn(
          address,
          'several Services have one cluster IP: the oldest, the first of these, answers there',
        );
    }
  }

  #sayRejected(touched: Parameters<Rejections['apply']>[0]): void {
    const { log } = this.#options;
    for (const verdict of this.#rejections.apply(touched)) {
      const { kind, meta } = verdict.object;
      const about = { kind, namespace: meta.namespace, name: meta.name };
      switch (verdict.kind) {
        case 'rejected':
          log.error(
            { ...about, problems: verdict.problems },
            `a policy object cannot be read: ${consequenceOf(verdict.object)}`,
          );
          break;
        case 'settled':
          log.info(about, 'the policy object that could not be read is fixed or removed');
          break;
      }
    }
  }

  #judgeStaleness(source: Source): void {
    if (!this.isReady) return;
    const { staleness, log } = this.#options;
    const quiet = source
      .health()
      .filter(
        ({ kind, staleMs = Number.POSITIVE_INFINITY }) =>
          addressKinds.includes(kind) && staleMs > staleness.maxMs,
      )
      .map(({ kind }) => kind);
    const trust = quiet.length === 0 ? 'fresh' : 'stale';
    if (trust === this.#trust) return;
    this.#trust = trust;
    if (trust === 'fresh') log.info('the watch is alive again: addresses of pods are believed');
    else {
      log.error(
        { kinds: quiet, maxStalenessMs: staleness.maxMs, onStale: staleness.onStale },
        staleness.onStale === 'deny'
          ? 'the watch has been silent for too long: what is granted to addresses of pods is withdrawn'
          : 'the watch has been silent for too long: addresses of pods may be out of date',
      );
    }
    if (staleness.onStale !== 'deny') return;
    const concerned = this.#compiler.setTrust(trust);
    publish(this.#inbound.take(concerned));
    this.#judgements.take([], concerned);
    this.#slices.wake();
    this.#rounds.wake();
  }
}

const encodedServer = (server: InboundServer): EncodedRow =>
  encodedRow(encodeInbound(server), { refresh: rateLimitOf(server.protocol) === undefined });

const publish = ({ sends, gone }: RowUpdate<RowStream>): void => {
  for (const { encoded, watches, onlyWidens } of sends)
    for (const { reader } of watches) reader.offer(encoded, onlyWidens === true ? 'may-wait' : 'at-once');
  // OK, not an error: the proxy asks again at once, and is told by that answer what holds now. For a Service that is gone,
  // NotFound on the open stream would say the same only to those that have no other Service at the address by then.
  for (const reader of gone) reader.end();
};
