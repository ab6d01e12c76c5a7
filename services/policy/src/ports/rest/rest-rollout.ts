import { Unreached } from '@gatehouse/platform/replicas/replicas';
import { type Static, Type } from 'typebox';
import { refOf } from '../../core/inbound/model.ts';
import type { Target } from '../../core/inbound/workload-of.ts';
import type { Judged, Judgement } from '../../core/judgement/judgement.ts';
import { absenceReasons, type Laggard, lagReasons, rolloutStates } from '../../core/rollout/judge-rollout.ts';
import { printRollout } from '../../core/rollout/print-rollout.ts';
import type { FoundRollout } from '../rollout/rollouts.ts';
import { FindingItem, findingItem, State } from './rest-judgement.ts';
import { nullable, ObjectName, objectName, wordOf } from './rest-object.ts';

const time = { format: 'date-time' };

const LaggardItem = Type.Object({
  workload: ObjectName,
  port: Type.Integer(),
  reason: wordOf(lagReasons),
  replica: Type.String({ description: 'That of policy to which the proxy is connected' }),
  peer: Type.String({ description: "The proxy's address" }),
  identity: nullable(Type.String()),
  openedAt: Type.String({ ...time, description: 'Since when it is connected for this port' }),
  openSeconds: Type.Number(),
  wanted: nullable(Type.String(), {
    description: 'The version that it should have; null = the workload is gone',
  }),
  sent: nullable(Type.String(), { description: 'The version that it was sent last' }),
  sentAt: nullable(Type.String(time)),
  has: nullable(Type.String(), { description: 'The version that it has read' }),
});

/** On how many proxies one policy object is in force. */
export const RolloutReport = Type.Object({
  object: ObjectName,
  generation: nullable(Type.Integer(), {
    description: "The object's metadata.generation as it was looked at; null = it has none, or was deleted",
  }),
  deletedAt: nullable(Type.String(time), {
    description: 'Set for an object that was deleted in the last ten minutes: how far that has come',
  }),
  state: wordOf(rolloutStates),
  message: Type.String(),
  policyState: nullable(State, { description: 'What the object does; null for one that was deleted' }),
  proxies: Type.Object({
    programmed: Type.Integer({
      description: 'Those that have what is in force now, and have answered since',
    }),
    watching: Type.Integer({ description: 'Those that watch a port that it is for' }),
    lagging: Type.Integer(),
    notConnected: Type.Integer(),
    unknown: Type.Integer(),
    idle: Type.Integer(),
  }),
  versions: Type.Array(
    Type.Object({ version: Type.String(), programmed: Type.Integer(), streams: Type.Integer() }),
    {
      description:
        'Of the rows in force, with the streams that have them; ports that nothing tells apart share one',
    },
  ),
  laggards: Type.Array(LaggardItem, { description: 'The first hundred' }),
  notWatching: Type.Array(Type.Object({ workload: ObjectName, reason: wordOf(absenceReasons) }), {
    description: 'The first hundred of those that enforce it and watch none of its ports',
  }),
  findings: Type.Array(FindingItem, { description: 'What its author should know, as `/v1/policies` has it' }),
  partial: Type.Array(Unreached, { description: 'Replicas that could not be asked' }),
});
export type RolloutReport = Static<typeof RolloutReport>;

/** So many proxies are named. */
const mostNamed = 100;

export interface RolloutOf {
  readonly object: Judged;
  readonly judgement: Judgement | undefined;
  /** Epoch milliseconds. */
  readonly deletedAt: number | undefined;
  readonly rollout: FoundRollout;
  /** Epoch milliseconds. */
  readonly now: number;
}

export const rolloutReport = ({ object, judgement, deletedAt, rollout, now }: RolloutOf): RolloutReport => {
  const { state, programmed, watching, laggards, absent, versions, partial } = rollout;
  const count = (wanted: string): number => absent.filter(({ reason }) => reason === wanted).length;
  return {
    object: objectName(refOf(object)),
    generation: deletedAt === undefined ? (object.meta.generation ?? null) : null,
    deletedAt: deletedAt === undefined ? null : new Date(deletedAt).toISOString(),
    state,
    message: printRollout(rollout, { isDeleted: deletedAt !== undefined, judgement }),
    policyState: deletedAt === undefined ? (judgement?.state ?? null) : null,
    proxies: {
      programmed,
      watching,
      lagging: watching - programmed,
      notConnected: count('NotConnected'),
      unknown: count('Unknown'),
      idle: count('Idle'),
    },
    versions: [...versions]
      .slice(0, mostNamed)
      .map(([version, { programmed: having, streams }]) => ({ version, programmed: having, streams })),
    laggards: laggards.slice(0, mostNamed).map((laggard) => laggardItem(laggard, now)),
    notWatching: absent
      .slice(0, mostNamed)
      .map(({ target, reason }) => ({ workload: workloadName(target), reason })),
    findings: deletedAt === undefined ? (judgement?.findings ?? []).map(findingItem) : [],
    partial: [...partial],
  };
};

const workloadName = ({ kind, meta: { namespace, name } }: Pick<Target, 'kind' | 'meta'>): ObjectName =>
  objectName({ kind, namespace, name });

const laggardItem = ({ watch, wanted, reason }: Laggard, now: number): Static<typeof LaggardItem> => {
  const { kind, namespace, name, port, replica, address, identity, openedAt, sentAt } = watch;
  return {
    workload: objectName({ kind, namespace, name }),
    port,
    reason,
    replica,
    peer: address,
    identity,
    openedAt: new Date(openedAt).toISOString(),
    openSeconds: Math.max(0, Math.round((now - openedAt) / 1_000)),
    wanted: wanted ?? null,
    sent: watch.version,
    sentAt: sentAt === null ? null : new Date(sentAt).toISOString(),
    has: watch.deliveredVersion,
  };
};
