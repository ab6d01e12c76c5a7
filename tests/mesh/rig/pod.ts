import type { Call, Outcome, Seen } from '../agent/messages.ts';
import type { Agent } from './agent.ts';
import { eventually } from './eventually.ts';
import { parseMetrics, type Sample } from './proxy-metrics.ts';
import { adminPort } from './redirect-rules.ts';
import type { Resident } from './resident.ts';

export interface PodParts {
  readonly namespace: string;
  readonly name: string;
  readonly place: string;
  /** IPv4 first, then IPv6. */
  readonly addresses: readonly [string, string];
  readonly identity: string;
  readonly hand: Agent;
  /** Undefined = unmeshed. */
  readonly proxy: Resident | undefined;
}

/** A pod: a namespace with its application, its client, and its proxy. */
export class Pod {
  readonly namespace: string;
  readonly name: string;
  readonly place: string;
  readonly address: string;
  readonly address6: string;
  readonly identity: string;
  readonly hand: Agent;
  readonly proxy: Resident | undefined;

  constructor({ namespace, name, place, addresses, identity, hand, proxy }: PodParts) {
    this.namespace = namespace;
    this.name = name;
    this.place = place;
    [this.address, this.address6] = addresses;
    this.identity = identity;
    this.hand = hand;
    this.proxy = proxy;
  }

  /** A call by the application of this pod; its proxy, if it has one, is in the way as in a cluster. */
  call(call: Call): Promise<Outcome> {
    return this.hand.call(call);
  }

  /** What the application saw since it was last asked. */
  seen(): Promise<readonly Seen[]> {
    return this.hand.seen();
  }

  async metrics(): Promise<readonly Sample[]> {
    return parseMetrics(await this.hand.read(`http://127.0.0.1:${adminPort}/metrics`));
  }

  /** Certified, and told the policy of its admin port: what a readiness probe would wait for. */
  async untilReady(): Promise<void> {
    await eventually(`${this.name}'s proxy to be ready`, () =>
      this.hand.read(`http://127.0.0.1:${adminPort}/ready`),
    );
  }

  async end(): Promise<void> {
    await this.proxy?.end();
    await this.hand.end();
  }
}
