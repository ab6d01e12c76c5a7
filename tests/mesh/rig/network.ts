import { kill } from 'node:process';
import { redirectRules } from './redirect-rules.ts';
import { runCommand } from './run-command.ts';
import { isLeftover, runPrefix } from './run-name.ts';

export interface PlaceOptions {
  /** Addresses with their prefix length, such as `10.99.0.3/16`. */
  readonly addresses: readonly string[];
  /** Whether proxy-init's rules are in force there. */
  readonly redirect: boolean;
}

export interface Loan {
  readonly to: string;
  /** An address that `to` has anyway. */
  readonly via: string;
  readonly from: string;
}

/** What Services are given: every place routes it to its wire, so that a proxy's redirection catches it first. */
const serviceNetworks = ['10.96.0.0/16', 'fd00:96::/112'] as const;
const bridge = 'br0';

/**
 * Network namespaces on one bridge, which lives in a namespace of its own: there is no way out of them, and all of it,
 * rules included, goes with them. Everything carries the name of this run.
 */
export class Network {
  readonly #prefix: string;
  readonly #made: string[] = [];
  #wires = 0;

  /** `mesh` tells networks of one process apart. */
  constructor({ pid, mesh }: { readonly pid: number; readonly mesh: string }) {
    removeLeftovers();
    this.#prefix = `${runPrefix(pid)}${mesh}-`;
    const net = this.#make('net');
    runCommand('ip', ['-n', net, '-batch', '-'], `link add ${bridge} type bridge\nlink set ${bridge} up\n`);
  }

  /** Makes a namespace with one interface, and answers its name. */
  add(name: string, { addresses, redirect }: PlaceOptions): string {
    const net = `${this.#prefix}net`;
    const place = this.#make(name);
    this.#wires += 1;
    const wire = `w${this.#wires}`;
    runCommand(
      'ip',
      ['-n', net, '-batch', '-'],
      [
        `link add ${wire} type veth peer name eth0 netns ${place}`,
        `link set ${wire} master ${bridge} up`,
        '',
      ].join('\n'),
    );
    runCommand(
      'ip',
      ['-n', place, '-batch', '-'],
      [
        ...addresses.map((address) => `addr add ${address} dev eth0${address.includes(':') ? ' nodad' : ''}`),
        'link set lo up',
        'link set eth0 up',
        ...serviceNetworks.map((net) => `route add ${net} dev eth0`),
        '',
      ].join('\n'),
    );
    if (redirect) {
      for (const restore of ['iptables-restore', 'ip6tables-restore']) {
        runCommand('ip', ['netns', 'exec', place, restore], redirectRules());
      }
    }
    return place;
  }

  /**
   * Gives a place a whole network of addresses, which `from` reaches through one address of it: a thousand addresses then
   * cost one entry in the neighbour table, which all namespaces of the machine share.
   */
  lend(network: string, { to, via, from }: Loan): void {
    runCommand('ip', ['-n', to, 'route', 'add', 'local', network, 'dev', 'eth0']);
    runCommand('ip', ['-n', from, 'route', 'add', network, 'via', via]);
  }

  remove(place: string): void {
    runCommand('ip', ['netns', 'del', place]);
    this.#made.splice(this.#made.indexOf(place), 1);
  }

  /** Removes what is left of all that was made; safe to call more than once. */
  removeAll(): void {
    for (const place of [...this.#made].reverse()) this.remove(place);
  }

  #make(name: string): string {
    const place = `${this.#prefix}${name}`;
    runCommand('ip', ['netns', 'add', place]);
    this.#made.push(place);
    return place;
  }
}

/**
 * What a run that was killed left behind. Its processes die with it (see `Resident`); should one have been in the making just
 * then, it is in a namespace that only that run can have filled.
 */
const removeLeftovers = (): void => {
  const linesOf = (...args: readonly string[]): readonly string[] =>
    runCommand('ip', ['netns', ...args])
      .split('\n')
      .map((line) => line.split(' ', 1)[0] ?? '')
      .filter((word) => word !== '');
  for (const name of linesOf('list').filter((name) => isLeftover(name))) {
    for (const pid of linesOf('pids', name)) kill(Number(pid), 'SIGKILL');
    runCommand('ip', ['netns', 'del', name]);
  }
};
