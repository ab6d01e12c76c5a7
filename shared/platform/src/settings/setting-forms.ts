import { parseByteSize } from '@gatehouse/core/byte-size';
import { parseDuration } from '@gatehouse/core/duration';
import { type HostPort, parseHostPort } from '@gatehouse/core/host-port';
import { type IpNetwork, parseNetwork } from '@gatehouse/core/ip-network';
import { isDnsName } from '@gatehouse/core/mesh/workload-identity';
import { type PortSet, parsePortSet } from '@gatehouse/core/port-set';
import { type Problem, parsed, problem } from '@gatehouse/core/problem';
import type { ValueForm } from './config.ts';

/** Milliseconds. */
export const duration: ValueForm<number> = { form: 'duration such as 20s, 5m, 24h', read: parseDuration };

/** How many: a whole number from 1 on. */
export const count: ValueForm<number> = {
  form: 'whole number from 1 to 1000000',
  read: (text, field) =>
    /^[1-9]\d{0,6}$/.test(text) && Number(text) <= 1_000_000
      ? parsed(Number(text))
      : problem(field, `\`${text}\` is not a valid whole number from 1 to 1000000`, 'write digits only'),
};

/** Bytes. */
export const byteSize: ValueForm<number> = {
  form: 'size such as 64KiB, 100MiB, 1GiB',
  read: parseByteSize,
};

export const hostPort: ValueForm<HostPort> = { form: 'host:port', read: parseHostPort };

export const portSetForm: ValueForm<PortSet> = {
  form: 'ports and ranges, such as 25,9090-9099',
  read: parsePortSet,
};

export const boolean: ValueForm<boolean> = {
  form: '`true` or `false`',
  read: (text, field) =>
    text === 'true' || text === 'false'
      ? parsed(text === 'true')
      : problem(field, `\`${text}\` is neither true nor false`, 'write true or false'),
};

export const dnsName: ValueForm<string> = {
  form: 'DNS name',
  read: (text, field) =>
    isDnsName(text)
      ? parsed(text)
      : problem(field, `\`${text}\` is not a valid DNS name`, 'lower-case labels of at most 63 bytes'),
};

/** A file or folder; whether it exists is found out by who opens it. */
export const path: ValueForm<string> = {
  form: 'path',
  read: (text, field) => (text === '' ? problem(field, 'is empty', 'give a path or unset it') : parsed(text)),
};

export const oneOf = <const Words extends readonly string[]>(words: Words): ValueForm<Words[number]> => ({
  form: words.map((word) => `\`${word}\``).join(', '),
  read: (text, field) =>
    words.includes(text)
      ? parsed(text as Words[number])
      : problem(field, `\`${text}\` is not known`, `use one of ${words.join(', ')}`),
});

/** Comma-separated; all wrong ones are reported. The empty list is refused: nobody means no network at all. */
export const networks: ValueForm<readonly IpNetwork[]> = {
  form: 'networks, comma-separated, such as 10.0.0.0/8,fd00::/8',
  read: (text, field) => {
    const found: IpNetwork[] = [];
    const problems: Problem[] = [];
    for (const item of text.split(',')) {
      const outcome = parseNetwork(item.trim(), field);
      if (outcome.ok) found.push(outcome.value);
      else problems.push(...outcome.problems);
    }
    return problems.length > 0 ? { ok: false, problems } : parsed(Object.freeze(found));
  },
};

/** The same form, where an empty value switches the thing off (its value is then undefined). */
export const orOff = <T>(inner: ValueForm<T>): ValueForm<T | undefined> => ({
  form: `${inner.form}; empty = off`,
  read: (text, field) => (text === '' ? parsed(undefined) : inner.read(text, field)),
});
