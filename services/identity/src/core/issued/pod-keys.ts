/** One certificate asked for by a pod. */
export interface KeyUse {
  readonly podUid: string;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly spkiSha256: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Why the use of a key is suspicious: the pod had gone on to this one. */
export interface OlderKey {
  readonly newerSpkiSha256: string;
  /** When the newer one was first certified, in milliseconds since the epoch. */
  readonly newerSince: number;
}

interface Key {
  readonly spkiSha256: string;
  readonly since: number;
}

export interface PodKeysBounds {
  /** Of one pod; the oldest are forgotten. */
  readonly keysOfPod: number;
  /** Of all pods together; pods that were not heard of for long are forgotten, those of the latest half of them never. */
  readonly keys: number;
}

/**
 * Container restarts bring new keys, at worst one in five minutes (CrashLoopBackOff): 64 are more than five hours of it. A
 * remembered key takes about 200 bytes: 40 MB at worst, and in a quiet mesh of 5,000 pods one.
 */
const defaultBounds: PodKeysBounds = { keysOfPod: 64, keys: 200_000 };

/**
 * Tells when a pod's key is in two hands. A proxy makes one key at its start and keeps it (contract/proxy.md §5), so the keys
 * of one pod uid follow each other: the same key again is a renewal, a key never seen is a restart of the container, but
 * a key *older* than the newest means that two live at once: a thief of the pod's token made a new key, or one
 * goes on with a key that the pod has left. Which of the two is the pod, the keys do not say.
 *
 * What other replicas have certified is learned later, and has its place by the time of its first use.
 *
 * "Newest" is by first use: when two alternate, each use of the older one is told. What cannot be told: a thief of key and
 * token who uses the very same key, and one who makes more than `keysOfPod` keys between two renewals of the pod.
 */
export class PodKeys {
  readonly #bounds: PodKeysBounds;
  /**
   * By uid; the keys of each oldest first, and never none. Two generations: what is used moves to the young one, and when that
   * holds half of what may be kept, the old one is forgotten and the young one is the old. A renewal costs one look.
   */
  #young = new Map<string, readonly Key[]>();
  #old: ReadonlyMap<string, readonly Key[]> = new Map();
  #youngSize = 0;
  #oldSize = 0;

  constructor(bounds: PodKeysBounds = defaultBounds) {
    this.#bounds = bounds;
  }

  /** How many keys are remembered, or were in the generation before. */
  get size(): number {
    return this.#youngSize + this.#oldSize;
  }

  /** Remembers the use, and says what is suspicious about it. */
  note({ podUid, spkiSha256, at }: KeyUse): OlderKey | undefined {
    const known = this.#young.get(podUid);
    const keys = known ?? this.#old.get(podUid) ?? [];
    const newest = keys.at(-1);
    if (newest?.spkiSha256 === spkiSha256) {
      if (known === undefined) this.#keep(podUid, { keys, instead: [] });
      return undefined;
    }
    const isOlder = keys.some((key) => key.spkiSha256 === spkiSha256);
    const kept = isOlder ? keys : [...keys, { spkiSha256, since: at }].slice(-this.#bounds.keysOfPod);
    this.#keep(podUid, { keys: kept, instead: known ?? [] });
    return isOlder && newest !== undefined
      ? { newerSpkiSha256: newest.spkiSha256, newerSince: newest.since }
      : undefined;
  }

  /** Takes note of a use elsewhere, of which nothing is to be said here. */
  learn({ podUid, spkiSha256, at }: KeyUse): void {
    const known = this.#young.get(podUid);
    const keys = known ?? this.#old.get(podUid) ?? [];
    const same = keys.find((key) => key.spkiSha256 === spkiSha256);
    if (same !== undefined && same.since <= at) return;
    const rest = keys.filter((key) => key !== same);
    const place = rest.filter(({ since }) => since <= at).length;
    const kept = rest.toSpliced(place, 0, { spkiSha256, since: at }).slice(-this.#bounds.keysOfPod);
    this.#keep(podUid, { keys: kept, instead: known ?? [] });
  }

  #keep(podUid: string, { keys, instead }: { keys: readonly Key[]; instead: readonly Key[] }): void {
    const half = Math.floor(this.#bounds.keys / 2);
    if (this.#youngSize + keys.length - instead.length > half && this.#young.size > 0) {
      this.#old = this.#young;
      this.#oldSize = this.#youngSize;
      this.#young = new Map();
      this.#youngSize = 0;
      this.#keep(podUid, { keys, instead: [] });
      return;
    }
    this.#young.set(podUid, keys);
    this.#youngSize += keys.length - instead.length;
  }
}
