import { printIp, readIp } from '@gatehouse/core/ip-network';
import { describe, type Fields } from './fields.ts';

/** Reads an address into its one printed form, so that equal addresses are equal texts; '' is a status not filled yet. */
export const readAddress = (fields: Fields, name: string, value: unknown): string | undefined => {
  if (value === '') return undefined;
  const ip = typeof value === 'string' ? readIp(value) : undefined;
  return ip === undefined
    ? fields.refuse(
        name,
        `${describe(value)} is not a valid IP address`,
        'an IPv4 or IPv6 address without prefix',
      )
    : printIp(ip);
};

interface AddressFields {
  readonly list: string;
  /** The older field of one address, read where the list has none. */
  readonly single: string;
  readonly item: (value: unknown, item: string) => string | undefined;
}

/** Each address once, in the order written: the first is the primary one. */
export const readAddresses = (fields: Fields, { list, single, item }: AddressFields): readonly string[] => {
  const listed = fields.each(list, item) ?? [];
  if (listed.length > 0) return [...new Set(listed)];
  const one = fields.has(single) ? readAddress(fields, single, fields.raw(single)) : undefined;
  return one === undefined ? [] : [one];
};
