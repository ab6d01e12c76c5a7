import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Ask } from '../a-destination.ts';
import type { FakeCall } from '../fake-call.ts';
import { ProxyModel } from '../proxy-model.ts';

/** What a client asked. */
export interface Asked extends Ask {
  readonly method: 'Get' | 'GetProfile';
}

/** What a proxy knows after the messages of one stream. */
export type Known =
  | { readonly kind: 'endpoints'; readonly exists: boolean; readonly endpoints: ReadonlyMap<string, unknown> }
  | { readonly kind: 'profile'; readonly bytes: string }
  | { readonly kind: 'nothing yet' };

export const isSameKnowledge = (known: Known, fresh: Known | 'refused'): boolean => {
  if (fresh !== 'refused') return isDeepStrictEqual(known, fresh);
  return known.kind === 'endpoints'
    ? known.endpoints.size === 0
    : known.kind === 'profile' && known.bytes === '';
};

const isEmpty = (known: Known | 'refused'): boolean =>
  known !== 'refused' && known.kind === 'endpoints' && known.endpoints.size === 0;

/** A stream whose client makes of its messages what linkerd2-proxy does, and reads when it is told to. */
export class FollowedStream {
  readonly asked: Asked;
  readonly #call: FakeCall;
  readonly #model = new ProxyModel();
  #taken = 0;
  #profile: string | undefined;

  constructor(asked: Asked, call: FakeCall) {
    this.asked = asked;
    this.#call = call;
  }

  get isRefused(): boolean {
    return this.#call.ended !== undefined;
  }

  get isStalled(): boolean {
    return !this.#call.reads;
  }

  get known(): Known {
    if (this.asked.method === 'GetProfile')
      return this.#profile === undefined
        ? { kind: 'nothing yet' }
        : { kind: 'profile', bytes: this.#profile };
    return this.#model.state === 'waiting'
      ? { kind: 'nothing yet' }
      : {
          kind: 'endpoints',
          exists: this.#model.state === 'exists',
          // By address: the order in which they came says nothing.
          endpoints: new Map([...this.#model.pool].sort(([a], [b]) => (a < b ? -1 : 1))),
        };
  }

  stall(): void {
    this.#call.reads = false;
  }

  read(): void {
    this.#call.reads = true;
    this.#call.drain();
  }

  leave(): void {
    this.#call.cancel();
  }

  /**
   * Takes what came since the last time, while `fresh` is what a new client would be told: nothing may come that changes
   * nothing, no more than one message to a client that does not read, and never one that leaves it without endpoints while
   * there are some.
   */
  take(fresh: Known | 'refused'): void {
    const messages = this.#call.messages.slice(this.#taken);
    this.#taken = this.#call.messages.length;
    if (this.isStalled)
      assert.ok(messages.length <= 1, 'more than one message to a client that does not read');
    for (const message of messages) {
      const before = this.known;
      if (this.asked.method === 'GetProfile') this.#profile = Buffer.from(message).toString('hex');
      else this.#model.take(message);
      assert.notDeepEqual(this.known, before, 'a message that changes nothing');
      if (fresh !== 'refused' && !isEmpty(fresh))
        assert.ok(!isEmpty(this.known), 'no endpoint, while there are some');
    }
  }
}
