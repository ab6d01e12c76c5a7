import { release } from '@gatehouse/core/release';
import { Type } from 'typebox';
import type { KindHealth, Source } from '../kube/source.ts';

/** What `/ready` and `/v1/health` tell. */
export const HealthReport = Type.Object({
  service: Type.String(),
  version: Type.String({ description: 'The release of Gatehouse that it is of' }),
  ready: Type.Boolean(),
  reasons: Type.Array(Type.String(), { description: 'Why it is not ready; empty when it is' }),
  warnings: Type.Array(Type.String(), {
    description:
      'What will take readiness away if nobody sees to it, such as a certificate that is not renewed',
  }),
  kinds: Type.Array(
    Type.Object({
      kind: Type.String(),
      synced: Type.Boolean({ description: 'The first full list has been read' }),
      aliveAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
        description: "The watch's last proof of life; null before the first",
      }),
      stalenessSeconds: Type.Union([Type.Number(), Type.Null()]),
    }),
  ),
});
export type HealthReport = Type.Static<typeof HealthReport>;

/** What a service watches; a service that asks the API server for each call waits for no watch. */
export type Watched = Pick<Source, 'health'> | 'watches nothing';

export interface HealthFacts {
  readonly service: string;
  /** What the service itself still waits for, each a sentence: `no usable issuer`. */
  readonly reasons: readonly string[];
  /** What still works and will not forever, each a sentence. */
  readonly warnings: readonly string[];
  readonly kinds: readonly KindHealth[] | 'watches nothing';
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Ready = every kind has had its first full list and the service waits for nothing else; staleness never takes it away. */
export const healthReport = ({
  service,
  reasons,
  warnings,
  kinds: watched,
  now,
}: HealthFacts): HealthReport => {
  const kinds = watched === 'watches nothing' ? [] : watched;
  const unsynced = kinds.filter(({ synced }) => !synced).map(({ kind }) => kind);
  const all = [...reasons];
  if (watched !== 'watches nothing' && kinds.length === 0) all.push('the watch has not begun');
  if (unsynced.length > 0) all.push(`not read yet: ${unsynced.join(', ')}`);
  return {
    service,
    version: release,
    ready: all.length === 0,
    reasons: all,
    warnings: [...warnings],
    kinds: kinds.map(({ kind, synced, staleMs }) => ({
      kind,
      synced,
      // As our own wall clock has it now: after a jump the past moves along with it.
      aliveAt: staleMs === undefined ? null : new Date(now - staleMs).toISOString(),
      stalenessSeconds: staleMs === undefined ? null : staleMs / 1000,
    })),
  };
};
