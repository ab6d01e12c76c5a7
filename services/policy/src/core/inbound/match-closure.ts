import { both, type Conjunction, covers } from './conjunction.ts';
import type { Steps } from './row-budgets.ts';

/** One match of a closure. */
interface Member {
  readonly match: Conjunction;
  /** The written conjunctions that cover it: a bit for each, by its position. */
  coveredBy: bigint;
  /** Who stands behind it: a bit for each owner of a conjunction that covers it. */
  owners: bigint;
  /** Equal for members behind which the same owners stand. */
  group: number;
}

/** A conjunction that an owner wrote; what written ones have in common are members too, but nobody wrote them. */
interface Written {
  readonly member: Member;
  writers: bigint;
}

/**
 * The conjunctions of several owners, and whatever members have in common with conjunctions behind which other owners
 * stand, to a fixpoint (design §6.4). What the same owners stand behind need not meet: it would grant nothing new.
 *
 * Why a proxy then finds, for any request, a member that all owners who match it stand behind: suppose that it picks
 * one, behind which some matching owner does not stand. What this member has in common with that owner's conjunction is a
 * member too, and at least as specific, and more owners stand behind it, so that it comes first in the list: the proxy
 * would have picked it.
 *
 * A member meets a written conjunction once at most, however many owners wrote it. So of a limited closure one more
 * owner costs one look at every member, unless it brings something new.
 */
export class MatchClosure {
  readonly #limit: number;
  readonly #steps: Steps;
  #lacking: 'nothing' | 'steps' = 'nothing';
  /** What it takes to write what each owner grants, by the order in which they were added. */
  readonly #weights: number[] = [];
  readonly #members = new Map<string, Member>();
  readonly #written: Written[] = [];
  readonly #positions = new Map<string, number>();
  #owners = 0;
  #groups = 0;

  constructor({ limit, steps }: ClosureLimits) {
    this.#limit = limit;
    this.#steps = steps;
  }

  /** Every match, and the owners behind it by the order in which they were added. */
  *members(): Generator<{ readonly match: Conjunction; readonly owners: readonly number[] }> {
    for (const { match, owners } of this.#members.values()) yield { match, owners: positionsIn(owners) };
  }

  /**
   * Adds the conjunctions of one more owner; `weight` is what it takes to write what the owner grants, once for each match that it
   * stands behind. Once it answers anything but `fits` the closure is of no use any more.
   */
  add(owned: readonly Conjunction[], weight: number): ClosureOutcome {
    const owner = bitAt(this.#owners);
    this.#owners += 1;
    this.#weights.push(weight);
    const old = [...this.#members.values()];
    const fresh: Written[] = [];
    let theirs = 0n;
    for (const one of owned) {
      let position = this.#positions.get(one.key);
      if (position === undefined) {
        position = this.#write(one);
        fresh.push(...this.#written.slice(position));
        if (this.#members.size > this.#limit) return 'too-many-matches';
        if (this.#lacking === 'steps') return 'too-many-steps';
      }
      const written = this.#written[position];
      if (written !== undefined) written.writers |= owner;
      theirs |= bitAt(position);
    }
    const meetings = this.#standBehind({ owner, weight, theirs }, old);
    for (const { member } of fresh) {
      if (member.group === unknown) this.#place(member);
    }
    this.#take(fresh.length * this.#members.size);
    if (this.#lacking === 'steps') return 'too-many-steps';
    for (const { member } of fresh) {
      for (const other of this.#members.values())
        if (other.group !== member.group) meetings.push([other, member]);
    }
    return this.#meetAll(meetings);
  }

  #take(count: number): void {
    if (!this.#steps.take(count)) this.#lacking = 'steps';
  }

  /** Makes it a written member; who wrote it is for the caller to say. */
  #write(one: Conjunction): number {
    const position = this.#written.length;
    const known = this.#members.get(one.key);
    const member = known ?? this.#enter(one);
    this.#written.push({ member, writers: 0n });
    this.#positions.set(one.key, position);
    this.#take(this.#members.size * stepsOf(one));
    for (const other of this.#members.values()) {
      if (covers(one, other.match)) other.coveredBy |= bitAt(position);
    }
    return position;
  }

  #enter(match: Conjunction): Member {
    let coveredBy = 0n;
    this.#take(this.#written.length * stepsOf(match));
    for (const [position, { member }] of this.#written.entries()) {
      if (covers(member.match, match)) coveredBy |= bitAt(position);
    }
    const member: Member = { match, coveredBy, owners: 0n, group: unknown };
    this.#members.set(match.key, member);
    return member;
  }

  /** Puts the owner behind all old members that it covers; answers the meetings of those whom this has parted. */
  #standBehind(
    { owner, weight, theirs }: { readonly owner: bigint; readonly weight: number; readonly theirs: bigint },
    old: readonly Member[],
  ): [Member, Member][] {
    const parted = new Map<number, { readonly covered: Member[]; readonly others: Member[] }>();
    for (const member of old) {
      const group = parted.get(member.group) ?? { covered: [], others: [] };
      parted.set(member.group, group);
      (member.coveredBy & theirs ? group.covered : group.others).push(member);
    }
    const meetings: [Member, Member][] = [];
    this.#take(old.length);
    for (const { covered, others } of parted.values()) {
      this.#groups += 1;
      this.#take(covered.length * (others.length + weight));
      if (this.#lacking === 'steps') return [];
      for (const member of covered) {
        member.owners |= owner;
        member.group = this.#groups;
        for (const other of others) {
          if (this.#positions.has(member.match.key)) meetings.push([other, member]);
          else if (this.#positions.has(other.match.key)) meetings.push([member, other]);
        }
      }
    }
    return meetings;
  }

  /** Finds out who stands behind a new member. */
  #place(member: Member): void {
    for (const position of positionsIn(member.coveredBy)) {
      member.owners |= this.#written[position]?.writers ?? 0n;
    }
    let weight = 0;
    for (const position of positionsIn(member.owners)) weight += this.#weights[position] ?? 0;
    this.#take(this.#members.size + this.#owners + weight);
    for (const { owners, group } of this.#members.values()) {
      if (owners === member.owners && group !== unknown) member.group = group;
    }
    if (member.group !== unknown) return;
    this.#groups += 1;
    member.group = this.#groups;
  }

  /** Enters what the pairs, each of a member and a written one, have in common, and what follows from that. */
  #meetAll(meetings: [Member, Member][]): ClosureOutcome {
    for (let next = meetings.pop(); next !== undefined; next = meetings.pop()) {
      const [member, written] = next;
      this.#take(stepsOf(member.match) + stepsOf(written.match));
      if (this.#lacking === 'steps') return 'too-many-steps';
      const common = both(member.match, written.match);
      if (common === undefined || this.#members.has(common.key)) continue;
      const fresh = this.#enter(common);
      if (this.#members.size > this.#limit) return 'too-many-matches';
      this.#place(fresh);
      for (const other of this.#written) {
        if (other.member.group !== fresh.group) meetings.push([fresh, other.member]);
      }
    }
    return this.#lacking === 'steps' ? 'too-many-steps' : 'fits';
  }
}

export interface ClosureLimits {
  /** Of members. */
  readonly limit: number;
  readonly steps: Steps;
}

export type ClosureOutcome = 'fits' | 'too-many-matches' | 'too-many-steps';

/** To compare it with another: its path, too. */
const stepsOf = ({ headers }: Conjunction): number => 2 + 2 * headers.all.length;

const unknown = -1;

const bitAt = (position: number): bigint => 1n << BigInt(position);

const positionsIn = (bits: bigint): readonly number[] => {
  const positions: number[] = [];
  const text = bits.toString(2);
  for (let at = text.length - 1; at >= 0; at -= 1) if (text[at] === '1') positions.push(text.length - 1 - at);
  return positions;
};
