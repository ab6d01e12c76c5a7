import { GatehouseError } from '@gatehouse/core/error';
import { printProblem } from '@gatehouse/core/problem';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { limitedLog } from '../../log/limited-log.ts';
import type { Log } from '../../log/log.ts';
import { pause } from '../../process/pause.ts';
import { within } from '../../process/within.ts';
import type { KubeClient, KubeRequest, KubeResponse } from '../client/client.ts';
import { rowOf } from '../kind-table.ts';
import type { WireObject } from '../parse/fields.ts';
import { readObject } from '../read-object.ts';
import type { KindHealth } from '../source.ts';
import { KnownObjects } from './known-objects.ts';
import { ListItems } from './list-items.ts';
import { firstPlan, nextStep, type Outcome, type Plan, type Step, type WatchTimings } from './next-step.ts';
import type { WatchMetrics } from './watch-metrics.ts';
import { isOlder, type KubeStatus, readEvent, readJson, readPage, readStatus } from './wire-answers.ts';

export interface ListWatchOptions {
  readonly kind: Kind;
  readonly client: KubeClient;
  /** One batch, to be seen whole or not at all. */
  readonly deliver: (changes: readonly Change[]) => void;
  readonly log: Log;
  readonly metrics: WatchMetrics;
  /** Told each time that the API server does not let us (403). */
  readonly onForbidden?: () => void;
  readonly timings: WatchTimings;
  readonly budgets?: ObjectBudgets | undefined;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed: () => number;
  /** A random number from 0 to 1. */
  readonly dice: () => number;
}

const pageSize = 500;

/** The groups of our kinds that need no CRD. */
const builtInGroups: ReadonlySet<string> = new Set(['', 'discovery.k8s.io']);

/** How many times `absentMs` a kind with objects must be missing before it is believed to be gone. */
const absencesBelieved = 3;

/**
 * Follows the objects of one kind: lists them in pages, watches from the list's version, and lists again when the watch
 * can no longer say what happened (design §5). What to do next is decided in watch/next-step.ts; this is the doing.
 */
export class ListWatch {
  readonly #options: ListWatchOptions;
  readonly #known: KnownObjects;
  readonly #complain: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  #synced = false;
  /** Whether it was said that something failed, and not yet that it works again. */
  #complained = false;
  #aliveAt: number | undefined;
  #absentSince: number | undefined;
  /** The version of the kind's API that the last list came in. */
  #served: string;

  constructor(options: ListWatchOptions) {
    this.#options = options;
    this.#known = new KnownObjects(options.kind);
    this.#served = this.#versions[0] ?? '';
    this.#complain = limitedLog((fields, message) => options.log.warn(fields, message));
  }

  health(): KindHealth {
    const { kind, elapsed } = this.#options;
    const staleMs = this.#aliveAt === undefined ? undefined : elapsed() - this.#aliveAt;
    return { kind, synced: this.#synced, staleMs };
  }

  /** Resolves after an abort; rejects only when something of ours is broken. */
  async run(signal: AbortSignal): Promise<void> {
    const { timings, dice } = this.#options;
    let plan = firstPlan;
    while (!signal.aborted) {
      const outcome = await this.#try(plan.step, signal);
      if (signal.aborted) return;
      this.#tell(plan, outcome);
      plan = nextStep(plan, outcome, { timings, dice: dice() });
      if (plan.waitMs > 0) await pause(plan.waitMs, signal);
    }
  }

  async #try(step: Step, signal: AbortSignal): Promise<Outcome> {
    try {
      return await (step.kind === 'list' ? this.#list(signal) : this.#watch(step, signal));
    } catch (error) {
      if (signal.aborted || isUnreachable(error)) return { kind: 'away', why: messageOf(error) };
      throw error;
    }
  }

  // Listing

  /** The newest version that is served and that we read. */
  async #list(signal: AbortSignal): Promise<Outcome> {
    for (const version of this.#versions) {
      const outcome = await this.#listAs(version, signal);
      if (outcome.kind === 'absent') continue;
      if (outcome.kind === 'listed') this.#served = version;
      return outcome;
    }
    return this.#believeAbsence();
  }

  /**
   * Asks for the newest state there is (no resourceVersion, and so no resourceVersionMatch either): a list from the
   * server's cache could be older than what was already told.
   */
  async #listAs(version: string, signal: AbortSignal): Promise<Outcome> {
    const objects: KubeObject[] = [];
    const { group } = rowOf(this.#options.kind);
    // Items of core lists leave it out.
    const apiVersion = group === '' ? version : `${group}/${version}`;
    let listed: string | undefined;
    let next: string | undefined;
    do {
      const items = new ListItems((item) => {
        const object = this.#read({ apiVersion, ...item });
        if (object === 'unplaced') this.#options.metrics.unreadable.inc({ kind: this.#options.kind });
        else if (object !== 'refused') objects.push(this.#known.known(object));
      });
      const query = { limit: pageSize, continue: next };
      const answer = await this.#ask({ version, query, take: (piece) => items.push(piece) }, signal);
      if (answer.status !== 200) return this.#refusal(answer);
      const page = items.end();
      if (page === undefined) return this.#unreadable('a page of the list');
      // All pages have the version of the first; should a server think otherwise, its oldest loses nothing.
      listed ??= page.version;
      next = page.continue;
    } while (next !== undefined);
    this.#absentSince = undefined;
    this.#replace(objects, signal);
    return { kind: 'listed', version: listed };
  }

  /** One page. Throws `unavailable` when it does not come in time. */
  #ask(
    { version, query, take }: Pick<KubeRequest, 'query' | 'take'> & { readonly version: string },
    signal: AbortSignal,
  ): Promise<KubeResponse> {
    const { client, timings } = this.#options;
    const request = { path: this.#path(version), ...(query && { query }), ...(take && { take }) };
    const ms = timings.answerMs;
    const late = (): GatehouseError => new GatehouseError('unavailable', `no answer within ${ms / 1000} s`);
    return within({ ms, signal, late }, (inTime) => client.request({ ...request, signal: inTime }));
  }

  /**
   * A kind that was never seen is empty. One that has objects is not: anyone who removes a CRD removes its objects first,
   * each with an event, while an API server that has just started may not know its CRDs yet. To believe it too soon
   * would drop every policy of the mesh.
   */
  #believeAbsence(): Outcome {
    const { timings, log, kind } = this.#options;
    this.#absentSince ??= performance.now();
    if (this.#known.size > 0) {
      if (performance.now() - this.#absentSince < absencesBelieved * timings.absentMs) {
        return { kind: 'failed', why: 'the API server does not know the kind any more' };
      }
      log.error({ kind, objects: this.#known.size }, `${this.#name} are not served any more: all are gone`);
    }
    if (!this.#synced || this.#known.size > 0) this.#replace([]);
    else this.#prove();
    return { kind: 'absent' };
  }

  #replace(objects: readonly KubeObject[], signal?: AbortSignal): void {
    if (signal?.aborted === true) return;
    this.#prove();
    this.#synced = true;
    this.#options.deliver(this.#known.replace(objects));
  }

  // Watching

  async #watch({ after, check }: Extract<Step, { kind: 'watch' }>, signal: AbortSignal): Promise<Outcome> {
    const { client, timings, dice } = this.#options;
    const begun = performance.now();
    const lastsMs = timings.watchMs * (0.9 + dice() / 5);
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), lastsMs + timings.graceMs);
    const until = AbortSignal.any([signal, silence.signal]);
    let version = after;
    let isOpen = false;
    const end = () => ({ version, livedMs: performance.now() - begun });
    try {
      const trouble = check ? await this.#checkAge(after, until) : undefined;
      if (trouble !== undefined) return trouble;
      const answer = await client.stream({
        path: this.#path(this.#served),
        query: {
          watch: true,
          resourceVersion: after,
          allowWatchBookmarks: true,
          timeoutSeconds: Math.ceil(lastsMs / 1000),
        },
        signal: until,
      });
      if (!('lines' in answer)) return this.#relistUnlessTransient(this.#refusal(answer), answer.status);
      isOpen = true;
      this.#opened();
      for await (const lines of answer.lines) {
        if (signal.aborted) break;
        const told = this.#takeLines(lines, version);
        version = told.version;
        if (told.stop !== undefined) return told.stop;
      }
      this.#prove();
      return { kind: 'ended', ...end() };
    } catch (error) {
      if (signal.aborted) throw error;
      if (silence.signal.aborted) return { kind: 'silent', why: 'no sign of life', ...end() };
      if (!isOpen || !isUnreachable(error)) throw error;
      return { kind: 'cut', why: messageOf(error), ...end() };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whether the server has come as far as we have; the answer is as new as etcd. */
  async #checkAge(after: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const answer = await this.#ask({ version: this.#served, query: { limit: 1 } }, signal);
    if (answer.status !== 200) return this.#relistUnlessTransient(this.#refusal(answer), answer.status);
    const page = readPage(answer.body);
    if (page === undefined) return this.#unreadable('a page of the list');
    return isOlder(page.version, after)
      ? { kind: 'rewound', why: `the API server is at version ${page.version}, we are at ${after}` }
      : undefined;
  }

  /** Takes the lines of one chunk as one batch. `stop` = the watch cannot be believed from here on. */
  #takeLines(
    lines: readonly Uint8Array[],
    from: string,
  ): { readonly version: string; readonly stop?: Outcome } {
    const changes: Change[] = [];
    let version = from;
    let stop: Outcome | undefined;
    for (const line of lines) {
      const event = readEvent(line);
      if (event === undefined) stop = this.#unreadable('a line of the watch');
      else if (event.type === 'ERROR') stop = errorOf(event.status);
      else if (isOlder(event.version, version)) {
        stop = { kind: 'rewound', why: `an event of version ${event.version} came after ${version}` };
      } else if (event.type !== 'BOOKMARK') {
        const object = this.#read(event.object);
        if (object === 'unplaced') stop = this.#unreadable('an object of the watch');
        else if (object !== 'refused') {
          changes.push(
            ...(event.type === 'DELETED' ? this.#known.delete(object.meta) : this.#known.apply(object)),
          );
        }
      }
      if (stop !== undefined) break;
      if (event !== undefined && event.type !== 'ERROR') version = event.version;
      this.#prove();
    }
    if (changes.length > 0) this.#options.deliver(changes);
    return stop === undefined ? { version } : { version, stop };
  }

  // Reading

  #read(body: WireObject): KubeObject | 'refused' | 'unplaced' {
    const read = readObject(this.#options.kind, body, this.#options.budgets);
    switch (read.outcome) {
      case 'read':
        if (read.warnings.length > 0) {
          const { namespace, name } = read.object.meta;
          this.#complain(
            { namespace, name, problems: read.warnings.map(printProblem) },
            `fields of ${this.#name} ${namespace}/${name} cannot be read and count as absent`,
          );
        }
        return read.object;
      case 'refused':
      case 'unplaced':
        this.#complain(
          { problems: read.problems.map(printProblem) },
          `an object of ${this.#name} is left out: it cannot be read`,
        );
        return read.outcome;
    }
  }

  #unreadable(what: string): Outcome {
    this.#options.metrics.unreadable.inc({ kind: this.#options.kind });
    return { kind: 'unreadable', why: `${what} makes no sense` };
  }

  #refusal({ status, retryAfterMs, body }: KubeResponse): Outcome {
    const said = readStatus(readJson(body));
    const why = `${status} ${said.message || said.reason || 'without a reason'}`;
    // Nobody can uninstall a built-in kind: such a 404 comes from something that is not an API server.
    if (status === 404 && !builtInGroups.has(rowOf(this.#options.kind).group)) return { kind: 'absent' };
    if (status === 410) return { kind: 'expired', why };
    if (status === 403) this.#options.onForbidden?.();
    return { kind: 'failed', why, retryAfterMs: retryAfterMs ?? said.retryAfterMs, isBusy: status === 429 };
  }

  /** A watch that is refused for what it asked, rather than for the moment it asked in, is refused for good. */
  #relistUnlessTransient(refusal: Outcome, status: number): Outcome {
    const isTransient = status >= 500 || [401, 403, 408, 410, 429].includes(status);
    if (isTransient) return refusal;
    return { kind: 'error', why: 'why' in refusal ? refusal.why : 'the kind is not served any more' };
  }

  // Telling

  /** Said when the watch is there again, not when it has proved steady: that would be most of a minute later. */
  #opened(): void {
    if (!this.#complained) return;
    this.#complained = false;
    const { kind, log } = this.#options;
    log.info({ kind }, `${this.#name} are watched again`);
  }

  #prove(): void {
    this.#aliveAt = this.#options.elapsed();
  }

  #tell({ step, failures }: Plan, outcome: Outcome): void {
    const { kind, metrics, log } = this.#options;
    switch (outcome.kind) {
      case 'listed':
        log.debug({ kind, objects: this.#known.size, version: outcome.version }, `${this.#name} are listed`);
        return;
      case 'absent':
        log.debug({ kind }, `${this.#name} are not installed; looking again later`);
        return;
      case 'ended':
        metrics.restarts.inc({ kind, reason: 'ended' });
        return;
      case 'cut':
      case 'silent':
        metrics.restarts.inc({ kind, reason: outcome.kind });
        break;
      case 'failed':
        if (step.kind === 'watch') metrics.restarts.inc({ kind, reason: 'failed' });
        break;
      case 'away':
      case 'expired':
      case 'rewound':
      case 'error':
      case 'unreadable':
        if (step.kind === 'watch') metrics.relists.inc({ kind, reason: outcome.kind });
        break;
    }
    const doing = step.kind === 'list' ? 'listing' : 'watching';
    // One line for a row of failures; the rest of it is for anyone who wants to know more.
    // A kind that was just installed is served with 429 for a second, as the API server reads it for the first time, and then
    // its list may be older than the first version that can be watched.
    const isUsual = outcome.kind === 'expired' || (outcome.kind === 'failed' && outcome.isBusy === true);
    const isForgiven = isUsual && failures < usualForgiven;
    const isWorthALine = (failures === 0 || !this.#complained) && !isForgiven;
    const say = isWorthALine ? log.warn.bind(log) : log.debug.bind(log);
    this.#complained ||= isWorthALine;
    say({ kind, why: outcome.why, reason: outcome.kind }, `${doing} ${this.#name} failed: ${outcome.why}`);
  }

  get #versions(): readonly string[] {
    return rowOf(this.#options.kind).versions;
  }

  /** As kubectl and RBAC rules name it. */
  get #name(): string {
    const { plural, group } = rowOf(this.#options.kind);
    return group === '' ? plural : `${plural}.${group}`;
  }

  #path(version: string): string {
    const { group, plural } = rowOf(this.#options.kind);
    return group === '' ? `/api/${version}/${plural}` : `/apis/${group}/${version}/${plural}`;
  }
}

/** How many times in a row an API server may ask for patience, or for another list, before that is logged. */
const usualForgiven = 3;

const errorOf = ({ code, reason, message, retryAfterMs }: KubeStatus): Outcome => ({
  kind: code === 410 || reason === 'Expired' || reason === 'Gone' ? 'expired' : 'error',
  why: `${code} ${message || reason}`,
  retryAfterMs,
});

const isUnreachable = (error: unknown): error is GatehouseError =>
  error instanceof GatehouseError && error.code === 'unavailable';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
