/** Protobuf written by hand, so that tables of field numbers are checked against something that no generator made. */

const base128 = (value: number | bigint): number[] => {
  const septets: number[] = [];
  let rest = BigInt(value);
  do {
    septets.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return septets;
};

const key = (field: number, wireType: 0 | 1 | 2 | 5): number[] => base128((field << 3) | wireType);

/** uint32, uint64, int64 ≥ 0, bool and enum. */
export const varint = (field: number, value: number | bigint): Buffer =>
  Buffer.from([...key(field, 0), ...base128(value)]);

/** A message, string or bytes. */
export const bytes = (field: number, content: Uint8Array | string = ''): Buffer => {
  const body = Buffer.from(content);
  return Buffer.concat([Buffer.from([...key(field, 2), ...base128(body.length)]), body]);
};

export const fixed32 = (field: number, value: number): Buffer => {
  const body = Buffer.alloc(4);
  body.writeUInt32LE(value);
  return Buffer.concat([Buffer.from(key(field, 5)), body]);
};

export const fixed64 = (field: number, value: bigint): Buffer => {
  const body = Buffer.alloc(8);
  body.writeBigUInt64LE(value);
  return Buffer.concat([Buffer.from(key(field, 1)), body]);
};

export const float = (field: number, value: number): Buffer => {
  const body = Buffer.alloc(4);
  body.writeFloatLE(value);
  return Buffer.concat([Buffer.from(key(field, 5)), body]);
};

export const double = (field: number, value: number): Buffer => {
  const body = Buffer.alloc(8);
  body.writeDoubleLE(value);
  return Buffer.concat([Buffer.from(key(field, 1)), body]);
};

/** One entry of map<string,string>. */
export const entry = (field: number, name: string, value: string): Buffer =>
  bytes(field, Buffer.concat([bytes(1, name), bytes(2, value)]));

/** What ts-proto makes of a message. */
interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(input: Uint8Array): T;
}

/** A message in our words and on the wire. Its bytes serve as a part of larger ones. */
export interface Sample<T = unknown> {
  readonly codec: unknown;
  readonly value: T;
  readonly wire: Buffer;
  encoded(): Buffer;
  decoded(): T;
}

/** `parts` in the order of their field numbers, which is how ts-proto writes. */
export const sample = <T>(codec: Codec<T>, value: T, ...parts: readonly Uint8Array[]): Sample<T> => {
  const wire = Buffer.concat(parts);
  return {
    codec,
    value,
    wire,
    encoded: () => Buffer.from(codec.encode(value).finish()),
    decoded: () => codec.decode(wire),
  };
};
