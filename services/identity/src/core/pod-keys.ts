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
  /** Of all pods together; the pods that were not heard of for longest are forgotten. */
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
 * a key *older* than the newest means that two live at once: whoever took the pod's token made a new key, or somebody
 * goes on with a key that the pod has left. Which of the two is the pod, the keys do not say.
 *
 * "Newest" is by first use: when two alternate, each use of the older one is told. What cannot be told: a thief of key and
 * token who uses the very same key, and one who makes more than `keysOfPod` keys between two renewals of the pod.
 */
export class PodKeys {
  readonly #bounds: PodKeysBounds;
  /** By uid, in the order in which they were last heard of; the keys of each oldest first, and never none. */
  readonly #pods = new Map<string, readonly Key[]>();
  #count = 0;

  constructor(bounds: PodKeysBounds = defaultBounds) {
    this.#bounds = bounds;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#count;
  }

  /** Remembers the use, and says what is suspicious about it. */
  note({ podUid, spkiSha256, at }: KeyUse): OlderKey | undefined {
    const keys = this.#pods.get(podUid) ?? [];
    const newest = keys.at(-1);
    const isNew = !keys.some((key) => key.spkiSha256 === spkiSha256);
    this.#pods.delete(podUid);
    this.#pods.set(podUid, isNew ? this.#with(keys, { spkiSha256, since: at }) : keys);
    this.#forget();
    return isNew || newest === undefined || newest.spkiSha256 === spkiSha256
      ? undefined
      : { newerSpkiSha256: newest.spkiSha256, newerSince: newest.since };
  }

  #with(keys: readonly Key[], key: Key): readonly Key[] {
    const kept = keys.slice(Math.max(0, keys.length + 1 - this.#bounds.keysOfPod));
    this.#count += 1 + kept.length - keys.length;
    return [...kept, key];
  }

  #forget(): void {
    for (const [uid, keys] of this.#pods) {
      if (this.#count <= this.#bounds.keys) return;
      this.#pods.delete(uid);
      this.#count -= keys.length;
    }
  }
}
