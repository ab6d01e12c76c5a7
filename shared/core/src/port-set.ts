import { type Parsed, parsed, problem } from './problem.ts';

/** Inclusive ranges of TCP ports, sorted, disjoint and not adjacent. */
export interface PortSet {
  readonly ranges: readonly PortRange[];
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export const highestPort = 65535;
export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= highestPort;

export const portSet = (ranges: readonly PortRange[]): PortSet => {
  const merged: PortRange[] = [];
  for (const { first, last } of [...ranges].sort((a, b) => a.first - b.first || a.last - b.last)) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous.last + 1) {
      merged[merged.length - 1] = { first: previous.first, last: Math.max(previous.last, last) };
    } else {
      merged.push({ first, last });
    }
  }
  return { ranges: merged };
};

export const noPorts: PortSet = Object.freeze({ ranges: [] });

export const hasPort = ({ ranges }: PortSet, port: number): boolean =>
  ranges.some(({ first, last }) => first <= port && port <= last);

/** Reads Linkerd's port lists: `25,587,9090-9099`; spaces around commas are allowed, 0 and names are not. */
export const parsePortSet = (text: string, field = ''): Parsed<PortSet> => {
  const ranges: PortRange[] = [];
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue;
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(item);
    const first = Number(match?.[1]);
    const last = match?.[2] === undefined ? first : Number(match[2]);
    if (match === null || !isPort(first) || !isPort(last) || last < first) {
      return problem(
        field,
        `\`${item}\` is not a valid port or range`,
        'ports 1 to 65535, such as 25,9090-9099',
      );
    }
    ranges.push({ first, last });
  }
  return parsed(portSet(ranges));
};

export const printPortSet = ({ ranges }: PortSet): string =>
  ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
