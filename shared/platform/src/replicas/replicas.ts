import { Type } from 'typebox';
import type { TlsMaterial } from '../tls/material.ts';

/** Which process of a service this is. */
export interface ReplicaName {
  /** The pod's name. */
  readonly name: string;
  /** Drawn by each process, so that one that is told to ask itself notices. */
  readonly instance: string;
}

/** A replica whose part is missing from an answer, and why. */
export const Unreached = Type.Object({
  replica: Type.String({ description: 'Its pod; `*` when it is not known who the others are' }),
  reason: Type.String(),
});
export type Unreached = Type.Static<typeof Unreached>;

/** What the replicas that could be reached said, and who could not be. */
export interface Heard<A> {
  readonly answers: readonly { readonly replica: string; readonly answer: A }[];
  readonly partial: readonly Unreached[];
}

/** One question that replicas ask each other; the path below `/internal/v1/`. */
export interface PeerQuestion<A> {
  readonly path: string;
  /** The answer, or undefined when what came is none: a peer may be of another version. */
  readonly read: (answer: unknown) => A | undefined;
}

export type PeerQuery = Readonly<Record<string, string | number | boolean | undefined>>;

/** Who else serves what this process serves. */
export type Known =
  | { readonly kind: 'known'; readonly others: readonly string[] }
  /** Those seen last, and why nobody can say whether they still are. */
  | { readonly kind: 'unsure'; readonly others: readonly string[]; readonly reason: string };

/** The replicas of this service as one of them sees them (design §9.1). Nothing here takes part in readiness. */
export interface Replicas {
  readonly self: ReplicaName;
  /** The mesh name that all replicas have; undefined where there are no others. */
  readonly meshName: string | undefined;
  known(): Promise<Known>;
  /** Asks all others at once. Resolves within seconds, no matter who is down; never rejects. */
  ask<A>(question: PeerQuestion<A>, query: PeerQuery): Promise<Heard<A>>;
  /** What others are shown from now on, and by which anchors they are believed. */
  replaceTlsMaterial(material: TlsMaterial): void;
  close(): void;
}

/** A service that has no other replicas: dev mode. */
export const alone = (self: ReplicaName): Replicas => ({
  self,
  meshName: undefined,
  known: async () => ({ kind: 'known', others: [] }),
  ask: async () => ({ answers: [], partial: [] }),
  replaceTlsMaterial: () => {},
  close: () => {},
});

/** What `/v1/health` tells of a service's replicas. */
export const KnownReplicas = Type.Object({
  self: Type.String({ description: 'The pod that answers' }),
  others: Type.Array(Type.String(), { description: 'Who is asked when all replicas are' }),
  problem: Type.Union([Type.String(), Type.Null()], {
    description: 'Why it is not known who the others are; `others` is then who they were',
  }),
});

export const knownReplicas = async (replicas: Replicas): Promise<Type.Static<typeof KnownReplicas>> => {
  const known = await replicas.known();
  return {
    self: replicas.self.name,
    others: [...known.others],
    problem: known.kind === 'unsure' ? known.reason : null,
  };
};
