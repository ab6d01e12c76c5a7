import { compareText } from '@gatehouse/core/resources/creation-order';
import type { Target } from '../inbound/workload-of.ts';
import type { ReachedWorkload } from './reached-workloads.ts';

/** A stream by which a proxy watches one of its ports, on some replica. */
export interface PortWatch {
  readonly replica: string;
  readonly kind: Target['kind'];
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** Of the client, without its port. */
  readonly address: string;
  /** As its certificate proves; null without one. */
  readonly identity: string | null;
  /** Epoch milliseconds, by the clock of its replica. */
  readonly openedAt: number;
  readonly sentAt: number | null;
  /** What it was sent last, and what it has read. */
  readonly version: string | null;
  readonly deliveredVersion: string | null;
  readonly pending: 'nothing' | 'unread' | 'unanswered';
}

/** Why a proxy does not have what it should have, each with its meaning. */
export const lagReasons = {
  NotSent:
    'its replica has not sent it: it waits to be compiled there, or the replica has not heard of the change',
  NotRead: 'it was sent, and the bytes have not left the replica: the proxy reads slowly, or not at all',
  NotAnswered: 'it has left the replica, and the connection has not answered since',
} as const;
export type LagReason = keyof typeof lagReasons;

export interface Laggard {
  readonly watch: PortWatch;
  /** What it should have. */
  readonly wanted: string | undefined;
  readonly reason: LagReason;
}

/** Why a proxy that enforces a policy watches none of the ports that the policy is for, each with its meaning. */
export const absenceReasons = {
  NotConnected:
    'it does not watch a port that its containers declare, on any replica: what it enforces there is not known',
  Unknown: 'it may be connected to a replica that could not be asked',
  Idle: 'nobody has called such a port of it, or it is starting: it asks before it admits anyone',
} as const;
export type AbsenceReason = keyof typeof absenceReasons;

/** How far a policy object has come, each with its meaning. */
export const rolloutStates = {
  Programmed:
    'every proxy that watches a port that it is for has what is in force now, and has answered since',
  InProgress: 'some proxy has something older, or has not answered since it was sent',
  Unknown: 'of some proxy it is not known what it has',
  NothingToProgram: 'no proxy watches a port that it is for',
} as const;
export type RolloutState = keyof typeof rolloutStates;

/** On how many proxies a policy object is in force, and which lack it. */
export interface Rollout {
  readonly state: RolloutState;
  readonly programmed: number;
  /** Proxies that watch a port that it is for. */
  readonly watching: number;
  /** By workload and port. */
  readonly laggards: readonly Laggard[];
  readonly absent: readonly { readonly target: Target; readonly reason: AbsenceReason }[];
  /** What they should have, and how many of the streams do. */
  readonly versions: ReadonlyMap<string, { readonly programmed: number; readonly streams: number }>;
}

export interface RolloutFacts {
  readonly workloads: readonly ReachedWorkload[];
  /** Those that count for a workload (`countsFor`), of all replicas that could be asked. */
  readonly watchesOf: (workload: ReachedWorkload) => readonly PortWatch[];
  /** The version of the row that is in force; undefined when the workload is gone. */
  readonly wanted: (workload: ReachedWorkload, port: number) => string | undefined;
  /** Whether some replica could not be asked. */
  readonly isPartial: boolean;
}

/**
 * Counts proxies, each once. A stream counts as programmed only by what its client has read; where a proxy has several for a port, as
 * after a connection that died without a word, all of them have to have it.
 */
export const judgeRollout = ({ workloads, watchesOf, wanted, isPartial }: RolloutFacts): Rollout => {
  let programmed = 0;
  let watching = 0;
  const laggards: Laggard[] = [];
  const absent: { target: Target; reason: AbsenceReason }[] = [];
  const versions = new Map<string, { programmed: number; streams: number }>();
  for (const workload of workloads) {
    const { target } = workload;
    const watches = watchesOf(workload).filter(({ port }) => workload.names(port));
    const missing =
      watches.length === 0 || isUnwatched(workload, watches) ? absenceOf(workload, isPartial) : undefined;
    const lagging = watches.flatMap((watch): readonly Laggard[] => {
      const version = wanted(workload, watch.port);
      const hasIt = version !== undefined && watch.deliveredVersion === version;
      if (version !== undefined) {
        const known = versions.get(version) ?? { programmed: 0, streams: 0 };
        versions.set(version, { programmed: known.programmed + (hasIt ? 1 : 0), streams: known.streams + 1 });
      }
      return hasIt ? [] : [{ watch, wanted: version, reason: reasonOf(watch, version) }];
    });
    laggards.push(...lagging);
    // What it enforces on the port that it does not watch is not known, whatever it has on others.
    if (missing !== undefined && lagging.length === 0) absent.push({ target, reason: missing });
    else {
      watching += 1;
      if (lagging.length === 0) programmed += 1;
    }
  }
  const isUnsure = absent.some(({ reason }) => reason !== 'Idle');
  return {
    state:
      laggards.length > 0
        ? 'InProgress'
        : isUnsure
          ? 'Unknown'
          : programmed > 0
            ? 'Programmed'
            : 'NothingToProgram',
    programmed,
    watching,
    laggards: laggards.sort((a, b) => compareText(placeOf(a), placeOf(b))),
    absent: absent.sort((a, b) => compareText(a.target.meta.name, b.target.meta.name)),
    versions,
  };
};

/** A stream is a workload's only if it comes from one of its addresses, or shows its identity: anyone may name any pod. */
export const countsFor = (
  { address, identity }: Pick<PortWatch, 'address' | 'identity'>,
  { target, identity: own }: { readonly target: Target; readonly identity: string | null },
): boolean => target.spec.ips.includes(address) || (identity !== null && identity === own);

const isUnwatched = (workload: ReachedWorkload, watches: readonly PortWatch[]): boolean =>
  workload.declaredPorts.some((declared) => watches.every(({ port }) => port !== declared));

/** Of a workload that watches no port, or not all that its containers declare. */
const absenceOf = ({ target, declaredPorts }: ReachedWorkload, isPartial: boolean): AbsenceReason => {
  // A proxy that has not started asks first.
  if (target.kind === 'Pod' && target.spec.phase === 'Pending') return 'Idle';
  if (isPartial) return 'Unknown';
  if (declaredPorts.length === 0) return 'Idle';
  // Where it is going its proxy may have ended before it.
  return target.meta.deletedAt === undefined ? 'NotConnected' : 'Idle';
};

const reasonOf = ({ version, pending }: PortWatch, wanted: string | undefined): LagReason => {
  if (version !== wanted) return 'NotSent';
  return pending === 'unread' ? 'NotRead' : 'NotAnswered';
};

const placeOf = ({ watch: { name, port, replica } }: Laggard): string => `${name} ${port} ${replica}`;
