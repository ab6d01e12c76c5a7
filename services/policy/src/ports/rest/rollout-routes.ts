import { parseDuration } from '@gatehouse/core/duration';
import { GatehouseError } from '@gatehouse/core/error';
import { printProblem } from '@gatehouse/core/problem';
import type { AdminApp } from '@gatehouse/platform/admin/admin-server';
import { mayRead } from '@gatehouse/platform/http/permitted';
import { pause } from '@gatehouse/platform/process/pause';
import { Type } from 'typebox';
import type { Judged } from '../../core/judgement/judgement.ts';
import type { PolicyWatch } from '../policy-watch.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import { findJudged, meantKinds, type Named } from './policy-routes.ts';
import { RolloutReport, rolloutReport } from './rest-rollout.ts';

export interface RolloutRouteParts {
  readonly watch: Pick<PolicyWatch, 'index' | 'judge' | 'gone' | 'requireReady' | 'settle'>;
  readonly rollouts: Rollouts;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const longestWaitMs = 60_000;
/** So many requests wait at once: each asks every replica again and again. */
const mostWaiting = 32;
/** The pause between two looks, and how much longer it is than a look takes: all that wait together use a quarter of a core at most. */
const lookEveryMs = 200;
const pauseShare = 3;

/** How far a policy object has come, at once or as soon as it is everywhere. */
export const rolloutRoutes =
  ({ watch, rollouts, now }: RolloutRouteParts) =>
  (app: AdminApp): void => {
    let waiting = 0;

    app.get(
      '/v1/policies/:namespace/:kind/:name/rollout',
      {
        config: { access: { reads: 'rollouts' } },
        // Longer than the longest wait and one look.
        handlerTimeout: longestWaitMs + 30_000,
        schema: {
          summary: 'On how many proxies a policy object is in force, and which lack it',
          params: Type.Object({
            namespace: Type.String(),
            kind: Type.String({ description: 'As manifests have it, in any case' }),
            name: Type.String(),
          }),
          querystring: Type.Object({
            group: Type.Optional(
              Type.String({ description: 'Needed where an HTTPRoute of this name is in two groups' }),
            ),
            generation: Type.Optional(
              Type.Integer({
                minimum: 1,
                description: 'The metadata.generation that was applied: what is older is not it',
              }),
            ),
            wait: Type.Optional(
              Type.String({
                description:
                  'Such as 30s, 60s at most: the answer comes as soon as there is nothing left to wait for',
              }),
            ),
          }),
          response: { 200: RolloutReport },
        },
      },
      async (request) => {
        const { params, query, signal } = request;
        const { namespace: own } = params;
        const { generation } = query;
        const mayShow = async (namespace: string) => namespace === own || mayRead(request, namespace);
        const look = async () => {
          watch.requireReady();
          watch.settle();
          const { object, deletedAt } = findWithGone({ ...params, group: query.group }, watch, now());
          const judgement = deletedAt === undefined ? watch.judge(object) : undefined;
          const rollout = await rollouts.of(object, { mayShow, signal });
          return asOf(generation, rolloutReport({ object, judgement, deletedAt, rollout, now: now() }));
        };
        const waitMs = readWait(query.wait);
        if (waitMs === 0) return look();
        if (waiting >= mostWaiting) {
          throw new GatehouseError(
            'resource-exhausted',
            `${mostWaiting} requests wait for rollouts already: ask without \`wait\`, or try again`,
          );
        }
        waiting += 1;
        try {
          const until = performance.now() + waitMs;
          for (;;) {
            const begun = performance.now();
            const report = await look().catch((error: unknown) => {
              // The API server has it, and it has not come here yet.
              if (generation !== undefined && isNotFound(error) && performance.now() < until)
                return undefined;
              throw error;
            });
            const looked = performance.now();
            const isOver = report?.state === 'Programmed' || report?.state === 'NothingToProgram';
            if (report !== undefined && (isOver || looked >= until)) return report;
            const gapMs = Math.max(lookEveryMs, (looked - begun) * pauseShare * waiting);
            await pause(Math.min(gapMs, until - looked), signal);
            signal.throwIfAborted();
          }
        } finally {
          waiting -= 1;
        }
      },
    );
  };

const isNotFound = (error: unknown): boolean => error instanceof GatehouseError && error.code === 'not-found';

const readWait = (text: string | undefined): number => {
  if (text === undefined) return 0;
  const read = parseDuration(text, 'wait');
  if (!read.ok) throw new GatehouseError('invalid-argument', read.problems.map(printProblem).join('; '));
  if (read.value <= longestWaitMs) return read.value;
  throw new GatehouseError(
    'invalid-argument',
    `wait: \`${text}\` is too long: ${longestWaitMs / 1_000}s at most`,
  );
};

interface Found {
  readonly object: Judged;
  /** Epoch milliseconds. */
  readonly deletedAt?: number | undefined;
}

/** The object, or the one that was deleted a short time ago. */
const findWithGone = (
  named: Named,
  { index, gone }: Pick<PolicyWatch, 'index' | 'gone'>,
  now: number,
): Found => {
  try {
    return { object: findJudged(index, named) };
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const { namespace, name } = named;
    const [found] = meantKinds(named).flatMap((kind) => gone(kind, namespace, name) ?? []);
    if (found === undefined) throw error;
    return { object: found.object, deletedAt: now - found.agoMs };
  }
};

/** What was applied may not have come here yet; whatever is in force is then not it. */
const asOf = (generation: number | undefined, report: RolloutReport): RolloutReport => {
  if (generation === undefined || report.deletedAt !== null || (report.generation ?? 0) >= generation)
    return report;
  const has = report.generation === null ? 'an older one' : `generation ${report.generation}`;
  return {
    ...report,
    state: 'InProgress',
    message: `This replica has not heard of generation ${generation} yet, it has ${has}. ${report.message}`,
  };
};
