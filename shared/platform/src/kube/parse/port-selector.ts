import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { describe, type Fields } from './fields.ts';

/** RFC 6335 §5.1 as Kubernetes has it for container ports: at most 15 characters, at least one of them a letter. */
const portName = /^(?=.{1,15}$)(?=.*[a-z])(?!.*--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
export const isPortName = (text: string): boolean => portName.test(text);

const fix = 'a number from 1 to 65535, or the name of a container port';

/** A port by number or by container-port name. */
export const readPortOrName = (fields: Fields, name: string): PortSelector | undefined => {
  const value = fields.raw(name);
  if (typeof value === 'number') {
    const port = fields.port(name);
    return port === undefined ? undefined : { kind: 'range', first: port, last: port };
  }
  if (typeof value === 'string' && isPortName(value)) return { kind: 'name', name: value };
  const digits = typeof value === 'string' && /^\d+$/.test(value);
  return fields.refuse(
    name,
    `${describe(value)} is not a valid port`,
    digits ? 'write the number without quotes' : fix,
  );
};

/** `{port, endPort?}`; a range goes from a number to a number. */
export const readPortRange = (item: Fields): PortSelector | undefined => {
  const port = item.need('port', fix) ? readPortOrName(item, 'port') : undefined;
  const last = item.port('endPort');
  item.close();
  if (port === undefined || last === undefined) return port;
  if (port.kind === 'name')
    return item.refuse('endPort', 'a range needs a number in `port`', 'remove `endPort`');
  if (last < port.first) {
    return item.refuse('endPort', `${last} is below \`port\``, `a number from ${port.first} to 65535`);
  }
  return { kind: 'range', first: port.first, last };
};
