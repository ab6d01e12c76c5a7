import { Update, WeightedAddrSet } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import type { Message } from '../core/endpoints/diff.ts';
import type { Address } from '../core/endpoints/endpoint.ts';
import { encodeShownAddress, encodeWeightedAddress } from './encode-address.ts';

/** The labels that all addresses of a Get stream share. */
export interface ServiceLabels {
  readonly service: string;
  readonly namespace: string;
}

/**
 * Writes messages of Get. An address is encoded once and the bytes are set side by side, for a protobuf message is the
 * concatenation of its fields: an `add` costs a copy, however many endpoints it has.
 */
export class UpdateEncoder {
  /** Each a whole field `addrs` of WeightedAddrSet: tag, length, WeightedAddr. */
  readonly #fields = new WeakMap<Address, Uint8Array>();

  encode(message: Message, labels: ServiceLabels): Uint8Array {
    switch (message.kind) {
      case 'add': {
        const fields = message.addresses.map((address) => this.#fieldOf(address));
        const shared = WeightedAddrSet.encode({ addrs: [], metricLabels: { ...labels } }).finish();
        return lengthDelimited(addField, [...fields, shared]);
      }
      case 'remove': {
        const addrs = message.addresses.map(({ shown }) => encodeShownAddress(shown));
        return Update.encode({ update: { $case: 'remove', value: { addrs } } }).finish();
      }
      case 'no-endpoints': {
        const { exists } = message;
        return Update.encode({ update: { $case: 'noEndpoints', value: { exists } } }).finish();
      }
    }
  }

  /** Bytes of an address in an `add`. */
  weigh(address: Address): number {
    return this.#fieldOf(address).length;
  }

  #fieldOf(address: Address): Uint8Array {
    let field = this.#fields.get(address);
    if (field === undefined) {
      field = WeightedAddrSet.encode({ addrs: [encodeWeightedAddress(address)], metricLabels: {} }).finish();
      this.#fields.set(address, field);
    }
    return field;
  }
}

/** Update's field `add`. */
const addField = 1;

/** A length-delimited field made of parts: protobuf's wire type 2, its length a base-128 varint. */
const lengthDelimited = (field: number, parts: readonly Uint8Array[]): Uint8Array => {
  let length = 0;
  for (const part of parts) length += part.length;
  const head = [(field << 3) | 2];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  const bytes = Buffer.allocUnsafe(head.length + length);
  bytes.set(head, 0);
  let offset = head.length;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
};
