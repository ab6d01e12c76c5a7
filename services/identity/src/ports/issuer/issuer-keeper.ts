import { isDeepStrictEqual } from 'node:util';
import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import { type Parsed, parsed, printProblem, problem } from '@gatehouse/core/problem';
import { type EventRecorder, noEvents } from '@gatehouse/platform/kube/write/events';
import type { Log } from '@gatehouse/platform/log/log';
import { FolderWatch } from '@gatehouse/platform/state/folder-watch';
import { dateFlaws } from '../../core/issuer/ca-flaws.ts';
import { type IssuerState, offerIssuer, type Rejection } from '../../core/issuer/issuer-state.ts';
import { judgeIssuer, type WantedNames } from '../../core/issuer/judge-issuer.ts';
import { wantedNames } from './check-issuer.ts';
import { type IssuerFiles, readIssuerFiles } from './issuer-files.ts';
import { IssuerNews } from './issuer-news.ts';
import { type Place, placesOf } from './issuer-places.ts';
import { isSameIssuer, type KeptIssuer, keepIssuer } from './kept-issuer.ts';
import { isSignedBy } from './x509.ts';

export interface IssuerKeeperOptions {
  readonly files: IssuerFiles;
  /** Whose names the issuer must be allowed to certify. */
  readonly mesh: Mesh;
  readonly log: Log;
  /** Tells people. Default: nobody. */
  readonly events?: EventRecorder;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed?: () => number;
  /** Called after a new issuer or bundle was accepted, which is in use by then. */
  readonly onChange: (issuer: KeptIssuer) => Promise<void>;
  /** How often the files are read though nothing has stirred. Default: 10 s. */
  readonly pollEveryMs?: number;
}

/** Who writes certificate and key in place does it in two steps: they are read once nothing has stirred for so long. */
const quietMs = 100;
/** But not much later than this, should something never come to rest. */
const longestUnrestMs = 1_000;

/**
 * Holds the issuer in use. Its files are watched, and read every ten seconds besides, since watchers miss things and die;
 * what they offer is accepted if it passes the whole check, and otherwise the old issuer stays and the reason is told.
 */
export class IssuerKeeper {
  readonly #options: IssuerKeeperOptions;
  readonly #news: IssuerNews;
  readonly #names: WantedNames;
  #state: IssuerState<KeptIssuer> = { current: undefined, rejected: undefined };
  #accepted = 0;
  #rejected = 0;

  constructor(options: IssuerKeeperOptions) {
    const { log, events = noEvents, mesh } = options;
    this.#options = options;
    this.#news = new IssuerNews({ log, events });
    this.#names = wantedNames(mesh);
  }

  /** The issuer to sign with now; undefined while there is none, or its chain is not valid: it has expired, or a clock was set back. */
  get usable(): KeptIssuer | undefined {
    const { current } = this.#state;
    if (current === undefined) return undefined;
    const { chainBegins, chainEnds } = current.judged;
    const second = this.#options.now() / 1000;
    return chainBegins <= second && second < chainEnds ? current : undefined;
  }

  /** What stands against the issuer and against what the files offer, each in words for people, while nothing is `usable`. */
  whyUnusable(): readonly string[] {
    const { current, rejected } = this.#state;
    // Of the anchor's dates proxies take no notice (contract/proxy.md §3.4).
    const chain =
      current === undefined ? [] : [current.judged.certificate, ...current.judged.path.slice(1, -1)];
    const outdated = chain.flatMap((ca) => dateFlaws(ca, this.#options.now() / 1000));
    return [...new Set([...outdated, ...(rejected?.problems ?? [])].map(({ found }) => found))];
  }

  /** The issuer that was accepted last, also when it is not valid now. */
  get current(): KeptIssuer | undefined {
    return this.#state.current;
  }

  /** Why the files as they are now were rejected; undefined when they were. */
  get rejected(): Rejection | undefined {
    return this.#state.rejected;
  }

  /** How often something new was accepted or rejected. */
  get changes(): { readonly accepted: number; readonly rejected: number } {
    return { accepted: this.#accepted, rejected: this.#rejected };
  }

  /** Looks at the files whenever they stir, and every ten seconds, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { pollEveryMs = 10_000, files, log } = this.#options;
    let places: ReadonlyMap<string, Place> = new Map();
    const watch = new FolderWatch(
      (directory, err) => log.warn({ err, directory, pollEveryMs }, 'the issuer is polled, not watched'),
      (directory, name) => places.get(directory)?.names.has(name) === true,
    );
    try {
      while (!signal.aborted) {
        const found = await placesOf(files);
        // Until now, what happened under other names was no concern of ours, so nothing told us of it.
        const hasMoved = !isDeepStrictEqual(found, places);
        places = found;
        watch.follow(new Map([...places].map(([directory, { id }]) => [directory, id])));
        const hasStirred = await watch.wait(hasMoved ? quietMs : pollEveryMs, signal);
        if (hasStirred || hasMoved) await this.#comeToRest(watch, signal);
        if (!signal.aborted) await this.check();
      }
    } finally {
      watch.close();
    }
  }

  async #comeToRest(watch: FolderWatch, signal: AbortSignal): Promise<void> {
    const { elapsed = () => performance.now() } = this.#options;
    const begun = elapsed();
    while (!signal.aborted && elapsed() - begun < longestUnrestMs) {
      if (!(await watch.wait(quietMs, signal))) return;
    }
  }

  /** Reads the files and accepts what they offer, if it can be used. */
  async check(): Promise<void> {
    const { now, onChange } = this.#options;
    const offered = await this.#offer();
    const { current, rejected } = this.#state;
    const isSame = offered.ok && current !== undefined && isSameIssuer(offered.value, current);
    if (isSame && rejected === undefined) return;
    // The same files judged well again after a rejection: only the rejection is forgotten.
    const outcome = isSame ? parsed(current) : offered;
    if (!outcome.ok) {
      // One reason is said once, not every ten seconds; its time is when it was first seen.
      const isNews = reasonOf(rejected?.problems) !== reasonOf(outcome.problems);
      if (!isNews) return;
      this.#rejected += 1;
      this.#news.rejected(outcome.problems, this.usable);
    }
    this.#state = offerIssuer(this.#state, outcome, now());
    if (!outcome.ok) return;
    if (isSame) {
      this.#news.fixed(outcome.value);
      return;
    }
    this.#accepted += 1;
    this.#news.accepted(outcome.value, current);
    await onChange(outcome.value);
  }

  async #offer(): Promise<Parsed<KeptIssuer>> {
    try {
      const offered = await readIssuerFiles(this.#options.files);
      if (!offered.ok) return offered;
      const { candidate, anchors } = offered.value;
      const now = Math.floor(this.#options.now() / 1000);
      const judged = judgeIssuer(candidate, { anchors, now, names: this.#names, isSignedBy });
      return judged.ok ? parsed(keepIssuer(judged.value, offered.value, this.#state.current)) : judged;
    } catch (error) {
      // A certificate that our libraries cannot bear must not end the watch of its successors.
      return problem('issuer', `it cannot be judged (${String(error)})`, 'make it again');
    }
  }
}

const reasonOf = (problems: Rejection['problems'] | undefined): string | undefined =>
  problems?.map(printProblem).join('; ');
