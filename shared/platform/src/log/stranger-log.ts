import { AddressBudget } from '../limits/address-budget.ts';
import { holderOf } from '../limits/holder.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Log } from './log.ts';

/** Whom a line is about: `host:port`, or the host alone. */
interface About {
  readonly client: string;
  readonly [field: string]: unknown;
}

export interface StrangerLogOptions {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds on a clock that only goes forward. */
  readonly now?: () => number;
}

/** An IPv6 address without brackets has no port behind it. */
const hostIn = (client: string): string =>
  /^(?:\[(.+)\]|([^:]+)):\d+$/.exec(client)?.slice(1).join('') ?? client;

/** Ten lines are enough to see what an address is at, and a hundred what many are at. */
const burst = { address: 10, all: 100 };
const perSecond = { address: 0.2, all: 5 };
/** Each costs about 200 bytes. */
const maxAddresses = 1_000;
const summaryEveryMs = 10_000;

/**
 * Log lines that a client can cause as often as it likes: each address has a budget of them, and all together have one. Lines
 * beyond it are counted, and told in one line every ten seconds. Lines of the level debug are the operator's wish and have no bound.
 */
export class StrangerLog {
  readonly #log: Log;
  readonly #budget: AddressBudget;
  readonly #suppressed: { inc(): void };
  #leftOut = 0;
  readonly #silenced = new Set<string>();
  #summary: NodeJS.Timeout | undefined;

  constructor({ log, metrics, now = () => performance.now() }: StrangerLogOptions) {
    this.#log = log;
    this.#budget = new AddressBudget({ burst, perSecond, maxAddresses, now });
    this.#suppressed = metrics.counter({
      name: 'grpc_server_log_lines_suppressed_total',
      help: 'Log lines about clients that were left out, since their address or all together had caused too many.',
    });
  }

  say(level: 'debug' | 'info' | 'warn' | 'error', about: About, message: string): void {
    // What is not written costs nothing.
    if (!this.#log.isLevelEnabled(level)) return;
    const holder = holderOf(hostIn(about.client));
    if (level === 'debug' || this.#budget.take(holder) !== undefined) {
      this.#log[level](about, message);
      return;
    }
    this.#suppressed.inc();
    this.#leftOut += 1;
    if (this.#silenced.size < maxAddresses) this.#silenced.add(holder);
    this.#summary ??= setTimeout(() => this.#summarize(), summaryEveryMs).unref();
  }

  /** Says what is still to be said. */
  end(): void {
    clearTimeout(this.#summary);
    if (this.#leftOut > 0) this.#summarize();
  }

  #summarize(): void {
    const [example] = this.#silenced;
    this.#log.warn(
      { leftOut: this.#leftOut, addresses: this.#silenced.size, example },
      'lines about clients were left out, since there were too many of them',
    );
    this.#leftOut = 0;
    this.#silenced.clear();
    this.#summary = undefined;
  }
}
