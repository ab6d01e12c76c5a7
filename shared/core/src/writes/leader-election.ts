/** How long what lasts in an election; milliseconds, of clocks that run up to a tenth fast or slow. */
export interface ElectionTiming {
  /** The others may start this long after they last saw the Lease change. Whole seconds: so the Lease spells it. */
  readonly leaseMs: number;
  /** A holder writes this long after it *sent* its last renewal that was answered. */
  readonly renewDeadlineMs: number;
  /** Between two renewals, or two looks. */
  readonly retryMs: number;
}

/** What client-go's users have; the 5 s between the first two are for writes that are under way when a term ends. */
export const usualElectionTiming: ElectionTiming = {
  leaseMs: 15_000,
  renewDeadlineMs: 10_000,
  retryMs: 2_000,
};

/** What a holder says of itself in the Lease. */
export interface LeaseClaim {
  /** Empty when the last holder left in order: anybody may start at once. */
  readonly holder: string;
  readonly durationMs: number;
  /** For people; nobody decides by these times. `renewTime` differs between any two claims of one holder. */
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly transitions: number;
}

export interface Lease extends LeaseClaim {
  /** Its resourceVersion: an update of any other version is refused. */
  readonly version: string;
}

/** What one candidate knows. Every time is of its own monotonic clock; no two candidates ever compare theirs. */
export interface Election {
  /** No other process may have it, and no later life of this one. */
  readonly id: string;
  readonly timing: ElectionTiming;
  /** The newest Lease that we saw or wrote, and when we first had it. */
  readonly known: { readonly lease: Lease; readonly since: number } | undefined;
  /** Since when we find no Lease. */
  readonly absentSince: number | undefined;
  /** When we last looked; undefined when what we know may be out of date. */
  readonly lookedAt: number | undefined;
  /** `renewTime` of our last claim: by it we know the Lease as ours when the answer to that claim was lost. */
  readonly lastSaid: string | undefined;
  readonly renewAt: number;
  readonly termEndsAt: number;
}

export type ElectionStep =
  | { readonly kind: 'look' }
  | { readonly kind: 'create'; readonly claim: LeaseClaim }
  | { readonly kind: 'update'; readonly version: string; readonly claim: LeaseClaim }
  | { readonly kind: 'rest'; readonly ms: number };

export const newElection = (id: string, timing: ElectionTiming): Election => ({
  id,
  timing,
  known: undefined,
  absentSince: undefined,
  lookedAt: undefined,
  lastSaid: undefined,
  renewAt: Number.NEGATIVE_INFINITY,
  termEndsAt: Number.NEGATIVE_INFINITY,
});

/**
 * Whether we hold the Lease for certain. The server took our claim after we sent it, the others saw it later still, and
 * they wait longer than we write: so it needs no clock but ours.
 */
export const isInTerm = ({ termEndsAt }: Election, now: number): boolean => now < termEndsAt;

/** What to do now. `time` is the wall clock's, for people, and must differ each time. */
export const nextStep = (election: Election, now: number, time: string): ElectionStep => {
  const { known, absentSince, lookedAt, renewAt, timing } = election;
  if (lookedAt === undefined) return { kind: 'look' };
  if (absentSince === undefined && known !== undefined && isOurs(election, now)) {
    if (isInTerm(election, now) && now < renewAt) return { kind: 'rest', ms: renewAt - now };
    return { kind: 'update', version: known.lease.version, claim: renewal(known.lease, election, time) };
  }
  // The time of the look is the time of the answer: a Lease may have changed since, which its version then tells.
  if (now - lookedAt >= timing.retryMs) return { kind: 'look' };
  const freeAt = freeFrom(election, now);
  if (now < freeAt) return { kind: 'rest', ms: Math.min(lookedAt + timing.retryMs, freeAt) - now };
  const claim = firstClaim(election, time);
  return known === undefined || absentSince !== undefined
    ? { kind: 'create', claim }
    : { kind: 'update', version: known.lease.version, claim };
};

/**
 * A Lease in our name is ours while our term lasts, or when it holds the very claim that we sent last. Any other came
 * from a backup of etcd: another replica may have held it after us, so it is waited for like another's.
 */
const isOurs = (election: Election, now: number): boolean => {
  const { known, id, lastSaid } = election;
  return known?.lease.holder === id && (isInTerm(election, now) || known.lease.renewTime === lastSaid);
};

/**
 * From when on nobody else can be writing. Anyone who deletes a Lease does not end its holder's term: only a candidate that
 * never saw one starts at once, since waiting would hold up every first installation.
 */
const freeFrom = (election: Election, now: number): number => {
  const { known, absentSince, timing } = election;
  if (known === undefined) return now;
  const duration = Math.max(known.lease.durationMs, timing.leaseMs);
  if (absentSince !== undefined) return isInTerm(election, now) ? now : absentSince + duration;
  return known.lease.holder === '' ? now : known.since + duration;
};

const firstClaim = ({ known, id, timing }: Election, time: string): LeaseClaim => ({
  holder: id,
  durationMs: timing.leaseMs,
  acquireTime: time,
  renewTime: time,
  transitions: known === undefined ? 0 : known.lease.transitions + 1,
});

const renewal = (
  { acquireTime, transitions }: Lease,
  { id, timing }: Election,
  time: string,
): LeaseClaim => ({
  holder: id,
  durationMs: timing.leaseMs,
  acquireTime,
  renewTime: time,
  transitions,
});

/** After a look that was answered at `now`; undefined when there is no Lease. */
export const saw = (election: Election, lease: Lease | undefined, now: number): Election => {
  if (lease === undefined)
    return { ...election, absentSince: election.absentSince ?? now, lookedAt: now, lastSaid: undefined };
  const { known, id, lastSaid } = election;
  const looked = { ...election, absentSince: undefined, lookedAt: now };
  if (known !== undefined && isSame(known.lease, lease)) return looked;
  return {
    ...looked,
    known: { lease, since: now },
    // Another's claim came after ours: what ours said can no longer make the Lease ours.
    lastSaid: lease.holder === id ? lastSaid : undefined,
    termEndsAt: lease.holder === id ? election.termEndsAt : Number.NEGATIVE_INFINITY,
  };
};

/** By its content too: an API server on a backup of etcd counts its versions once more. */
const isSame = (one: Lease, other: Lease): boolean =>
  one.version === other.version && one.holder === other.holder && one.renewTime === other.renewTime;

/** Before a claim is sent: from here on the Lease may hold it, whatever we hear. */
export const said = (election: Election, claim: LeaseClaim): Election => ({
  ...election,
  lastSaid: claim.renewTime,
});

/** After a claim that was sent at `sentAt` was answered at `now` with the Lease as it stands. */
export const claimed = (
  election: Election,
  lease: Lease,
  { sentAt, now }: { readonly sentAt: number; readonly now: number },
): Election => {
  // An API server answers an update that changes nothing with success, and nobody sees the Lease change.
  if (lease.version === election.known?.lease.version) return inDoubt(election);
  return {
    ...election,
    known: { lease, since: now },
    absentSince: undefined,
    lookedAt: now,
    renewAt: sentAt + election.timing.retryMs,
    termEndsAt: sentAt + election.timing.renewDeadlineMs,
  };
};

/** After a refusal, a failure or silence: what we know may be out of date. A term lasts as long as it would have. */
export const inDoubt = (election: Election): Election => ({ ...election, lookedAt: undefined });

/** What lets the next holder start at once; undefined when the Lease is not ours. Only for who writes no more. */
export const release = (election: Election, time: string): ElectionStep | undefined => {
  const { known, absentSince, id } = election;
  if (known === undefined || absentSince !== undefined || known.lease.holder !== id) return undefined;
  const claim = { ...renewal(known.lease, election, time), holder: '' };
  return { kind: 'update', version: known.lease.version, claim };
};
