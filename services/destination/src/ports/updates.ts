import type { Said } from '@gatehouse/platform/service/open-streams';
import { type Limit, type Message, nextStep, type Sent, type Step } from '../core/endpoints/diff.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { type ServiceLabels, UpdateEncoder } from './encode.ts';
import { hashedOnDemand } from './hashed-on-demand.ts';

/** The bytes that bring a proxy one step nearer to the newest snapshot, and where it then is. */
export interface Written {
  readonly bytes: Uint8Array;
  readonly reached: Snapshot;
}

/** Proxies take 4 MiB a message (tonic's default); what a message holds beside addresses is far below the rest. */
const mostBytes = 3.5 * 1024 * 1024;

const nothing = Object.freeze({});

/**
 * Writes every step once: streams that were sent the same and should know the same get the same bytes, so the cost of
 * a change is one difference and one encoding, whatever the number of streams.
 */
export class Updates {
  readonly #encoder = new UpdateEncoder();
  readonly #limit: Limit = { bytes: mostBytes, weigh: (address) => this.#encoder.weigh(address) };
  // Weak in both snapshots: a step is kept for as long as somebody is where it starts and somewhere it leads.
  readonly #written = new WeakMap<Snapshot, WeakMap<object, Written | 'there'>>();
  readonly #said = new WeakMap<Snapshot, Said>();
  #firstBuilds = 0;

  /** How many first messages were written so far: the work that mass reconnects are made of. */
  get firstBuilds(): number {
    return this.#firstBuilds;
  }

  /** Undefined when the proxy has been sent the newest. `labels` belong to the target that the snapshots are of. */
  next(sent: Sent, newest: Snapshot, labels: ServiceLabels): Written | undefined {
    let steps = this.#written.get(newest);
    if (steps === undefined) {
      steps = new WeakMap();
      this.#written.set(newest, steps);
    }
    const from = sent === 'nothing' ? nothing : sent;
    let written = steps.get(from);
    if (written === undefined) {
      written = this.#write(nextStep(sent, newest, this.#limit), labels);
      steps.set(from, written);
      if (sent === 'nothing') this.#firstBuilds += 1;
    }
    return written === 'there' ? undefined : written;
  }

  /**
   * Something to say on a silent stream that changes nothing for the proxy: an address it has, or that there is none.
   * Undefined before the first message.
   */
  refresh(sent: Sent, labels: ServiceLabels): Uint8Array | undefined {
    if (sent === 'nothing') return undefined;
    const [address] = sent.kind === 'addresses' ? sent.addresses.values() : [];
    return this.#encoder.encode(
      address === undefined
        ? { kind: 'no-endpoints', exists: sent.kind === 'addresses' }
        : { kind: 'add', addresses: [address] },
      labels,
    );
  }

  /** What a proxy knows then; its version is a hash of the set as one message would hold it. Undefined before the first message. */
  said(sent: Sent, labels: ServiceLabels): Said | undefined {
    if (sent === 'nothing') return undefined;
    let said = this.#said.get(sent);
    if (said === undefined) {
      said = hashedOnDemand(() => this.#encoder.encode(wholeOf(sent), labels));
      this.#said.set(sent, said);
    }
    return said;
  }

  #write(step: Step | undefined, labels: ServiceLabels): Written | 'there' {
    if (step === undefined) return 'there';
    return { bytes: this.#encoder.encode(step.message, labels), reached: step.reached };
  }
}

const wholeOf = (snapshot: Snapshot): Message => {
  if (snapshot.kind === 'missing') return { kind: 'no-endpoints', exists: false };
  return snapshot.addresses.size === 0
    ? { kind: 'no-endpoints', exists: true }
    : { kind: 'add', addresses: [...snapshot.addresses.values()] };
};
