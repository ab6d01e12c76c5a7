import { createHash } from 'node:crypto';

/**
 * The UUID namespace of everything that Gatehouse names itself (RFC 9562 §5.5). Fixed forever: the uids below are in
 * tokens that another process made.
 */
const gatehouseNamespace = Buffer.from('0c9a6f0e5d1b4f0b9b0e6a1d7c2f4e88', 'hex');

/**
 * The uid of an object whose manifest gives none: UUIDv5 of `kind/namespace/name`, so that every process reading the
 * same folder knows the same uid. `life` tells apart objects that share a name one after the other.
 */
export const defaultUid = (kind: string, namespace: string, name: string, life = ''): string => {
  const text = `${kind}/${namespace}/${name}${life === '' ? '' : `/${life}`}`;
  const bytes = createHash('sha1').update(gatehouseNamespace).update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};
