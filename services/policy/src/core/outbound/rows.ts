import { Answers, type Compiled, type Held } from '@gatehouse/core/dependency/answers';
import { type KindFacts, kindsOf, touchedFacts } from '@gatehouse/core/dependency/kind-facts';
import type { NamedClaimants } from '@gatehouse/core/mesh/address-holder';
import { ServiceAddresses } from '@gatehouse/core/mesh/service-addresses';
import { type Authority, printAuthority } from '@gatehouse/core/mesh/service-authority';
import type { ResourceIndex, Touched } from '@gatehouse/core/resources/resource-index';
import type { EncodedRow, RowSend, RowUpdate, RowWatch } from '../inbound/rows/watched-row.ts';
import { compileOutbound, type OutboundConfig } from './compile.ts';
import type { OutboundPolicy } from './model.ts';
import { serviceAt } from './service-at.ts';

const facts = {
  service: (namespace: string, name: string): string => `service/${namespace}/${name}`,
  /** Which Service answers to the address, as `printIp` writes it. */
  address: (ip: string): string => `address/${ip}`,
};

/** Everything that an outbound policy can be made of, and the only kinds that are watched for it. */
export const outboundKinds = {
  *Service(service) {
    yield facts.service(service.meta.namespace, service.meta.name);
    for (const ip of service.spec.clusterIps) yield facts.address(ip);
  },
} satisfies KindFacts<'Service'>;

export const watchedForOutbound = kindsOf(outboundKinds);

export interface OutboundRow {
  readonly policy: OutboundPolicy;
  readonly encoded: EncodedRow;
}

export interface OutboundRowsOptions {
  readonly index: ResourceIndex;
  readonly config: OutboundConfig;
  readonly encode: (policy: OutboundPolicy) => EncodedRow;
  /** The table above when left out. */
  readonly kinds?: KindFacts<'Service'>;
}

export interface OutboundWatch<R> extends RowWatch<R> {
  /** What to send first; whatever comes later is in the updates. */
  readonly row: { readonly encoded: EncodedRow };
  readonly held: Held<OutboundRow | undefined>;
}

/** The rows that clients watch: one for all who asked for the same target, compiled again when something it was made of changes. */
export class OutboundRows<R> {
  readonly #options: OutboundRowsOptions;
  readonly #addresses = new ServiceAddresses();
  readonly #answers = new Answers();
  /** Gathered while answers settle. */
  #sends = new Map<EncodedRow, OutboundWatch<R>[]>();
  #gone: R[] = [];

  constructor(options: OutboundRowsOptions) {
    this.#options = options;
  }

  get size(): number {
    let size = 0;
    for (const count of this.#answers.kinds.values()) size += count;
    return size;
  }

  /** The addresses that several Services have, of whom the oldest answers. */
  get contested(): ReadonlyMap<string, NamedClaimants> {
    return this.#addresses.contested;
  }

  knows(target: Authority): boolean {
    return this.#compile(target, undefined).value !== undefined;
  }

  /** What a client of the target is told; undefined when no Service answers to it. */
  look(target: Authority): OutboundRow | undefined {
    return this.#compile(target, undefined).value;
  }

  /** The watch's row holds what to send first. Undefined when no Service answers to the target. */
  watch(target: Authority, reader: R): OutboundWatch<R> | undefined {
    const compile = (previous: OutboundRow | undefined) => this.#compile(target, previous);
    const held: Held<OutboundRow | undefined> = this.#answers.ask<OutboundRow | undefined>(
      printAuthority(target, this.#options.config.clusterDomain),
      compile,
      () => {
        const row = held.value;
        // Another Service at the address is another policy: the client asks again, and is told by that answer.
        if (row === undefined || !isSameService(row, first)) {
          this.#gone.push(reader);
          held.release();
        } else {
          const watches = this.#sends.get(row.encoded);
          if (watches === undefined) this.#sends.set(row.encoded, [watch]);
          else watches.push(watch);
        }
      },
    );
    const first = held.value;
    if (first === undefined) {
      held.release();
      return undefined;
    }
    const watch: OutboundWatch<R> = { reader, row: first, held };
    return watch;
  }

  unwatch({ held }: OutboundWatch<R>): void {
    held.release();
  }

  /** Brings every watched row up to date with what a batch changed in the index. */
  refresh(touched: readonly Touched[]): RowUpdate<R> {
    for (const change of touched) {
      if (change.kind !== 'Service') continue;
      const { before, after } = change as Touched<'Service'>;
      this.#addresses.replace(before, after);
    }
    this.#answers.touch(touchedFacts(this.#options.kinds ?? outboundKinds, touched));
    this.#answers.settle();
    const sends = Array.from(this.#sends, ([encoded, watches]): RowSend<R> => ({ encoded, watches }));
    const gone = this.#gone;
    this.#sends = new Map();
    this.#gone = [];
    return { sends, gone };
  }

  #compile(target: Authority, previous: OutboundRow | undefined): Compiled<OutboundRow | undefined> {
    const { index, config, encode } = this.#options;
    const reads = new Set([
      target.kind === 'service' ? facts.service(target.namespace, target.name) : facts.address(target.ip),
    ]);
    const { clusterDomain } = config;
    const service = serviceAt(target, { index, addresses: this.#addresses, clusterDomain });
    if (service === undefined) return { value: undefined, reads };
    const policy = compileOutbound(service, target.port, config);
    const row = { policy, encoded: encode(policy) };
    const isSame =
      previous !== undefined &&
      isSameService(previous, row) &&
      previous.encoded.version === row.encoded.version;
    return { value: isSame ? previous : row, reads };
  }
}

const isSameService = ({ policy: a }: OutboundRow, b: OutboundRow | undefined): boolean =>
  a.service.namespace === b?.policy.service.namespace && a.service.name === b.policy.service.name;
