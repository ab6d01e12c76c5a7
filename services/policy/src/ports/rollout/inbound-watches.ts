import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { AdminApp } from '@gatehouse/platform/admin/admin-server';
import { pendingStates } from '@gatehouse/platform/admin/streams';
import { answerPeers } from '@gatehouse/platform/replicas/answer-peers';
import type { PeerQuestion, Replicas, Unreached } from '@gatehouse/platform/replicas/replicas';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { PortWatch } from '../../core/rollout/judge-rollout.ts';
import type { InboundStream, RowStreams } from '../row-streams.ts';

const path = 'inbound-watches';

/** So many streams are told of at once: about a megabyte. */
const pageSize = 4_000;

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

const Watch = Type.Object({
  /** Of the stream: replicas number their own as they are opened. */
  id: Type.Integer(),
  kind: Type.Union([Type.Literal('Pod'), Type.Literal('ExternalWorkload')]),
  name: Type.String(),
  port: Type.Integer(),
  address: Type.String(),
  identity: nullable(Type.String()),
  openedAt: Type.Number(),
  sentAt: nullable(Type.Number()),
  version: nullable(Type.String()),
  deliveredVersion: nullable(Type.String()),
  pending: Type.Enum(Object.keys(pendingStates) as (keyof typeof pendingStates)[]),
});
type Watch = Static<typeof Watch>;

const Part = Type.Object({ items: Type.Array(Watch), more: Type.Boolean() });
type Part = Static<typeof Part>;

const Asked = Type.Object({ namespace: Type.String(), after: Type.Optional(Type.Integer()) });
type Asked = Static<typeof Asked>;

const validator = Compile(Part);

const question: PeerQuestion<Part> = {
  path,
  read: (answer) => (validator.Check(answer) ? answer : undefined),
};

type Streams = Pick<RowStreams, 'inbound'>;

/** Lets other replicas ask by which streams the proxies of a namespace watch their ports here. */
export const answerInboundWatches = (app: AdminApp, streams: Streams, replicas: Replicas): void =>
  answerPeers(app, replicas.self, {
    path,
    querystring: Asked,
    answer: Part,
    own: (query) => partOf(streams, query as Asked),
  });

const partOf = (streams: Streams, { namespace, after = 0 }: Asked): Part => {
  const items: Watch[] = [];
  for (const stream of streams.inbound(namespace)) {
    if (Number(stream.stream.facts.id) <= after) continue;
    if (items.length === pageSize) return { items, more: true };
    items.push(watchOf(stream));
  }
  return { items, more: false };
};

const watchOf = ({ asked, stream }: InboundStream): Watch => {
  const { id, openedAt, sentAt, version, deliveredVersion, pending } = stream.facts;
  const { address, identity } = stream.peer;
  return {
    id: Number(id),
    kind: asked.kind === undefined ? 'Pod' : 'ExternalWorkload',
    name: asked.pod,
    port: asked.port,
    address,
    identity: identity === undefined ? null : printIdentity(identity),
    openedAt,
    sentAt: sentAt ?? null,
    version: version ?? null,
    deliveredVersion: deliveredVersion ?? null,
    pending,
  };
};

/** By which streams the proxies of a namespace watch their ports, on whichever replica. */
export interface InboundWatches {
  readonly watches: readonly PortWatch[];
  readonly partial: readonly Unreached[];
}

/** Of this replica and of all others that can be reached; who could not be is named. */
export const inboundWatches = async (
  namespace: string,
  { streams, replicas }: { readonly streams: Streams; readonly replicas: Replicas },
): Promise<InboundWatches> => {
  const found = new Map<string, PortWatch>();
  const partial = new Map<string, Unreached>();
  const take = (replica: string, { items }: Part): void => {
    for (const { id, ...watch } of items) found.set(`${replica}/${id}`, { ...watch, namespace, replica });
  };
  let after: number | undefined;
  do {
    const { answers, partial: missing } = await replicas.ask(question, { namespace, after });
    for (const unreached of missing) partial.set(unreached.replica, unreached);
    for (const { replica, answer } of answers) {
      take(replica, answer);
      if (answer.more && (answer.items.at(-1)?.id ?? 0) <= (after ?? 0))
        partial.set(replica, { replica, reason: 'its pages lead nowhere' });
    }
    // All are asked for what comes behind the first that has more: what others tell of twice is the same.
    after = nextAfter(
      answers.map(({ answer }) => answer),
      after ?? 0,
    );
  } while (after !== undefined);
  // Our own last, so that they are as they are now.
  for (const stream of streams.inbound(namespace))
    take(replicas.self.name, { items: [watchOf(stream)], more: false });
  return { watches: [...found.values()], partial: [...partial.values()] };
};

const nextAfter = (parts: readonly Part[], after: number): number | undefined => {
  const ends = parts.filter(({ more }) => more).map(({ items }) => items.at(-1)?.id ?? 0);
  // A part that leads nowhere would be asked for forever.
  return ends.length === 0 || Math.min(...ends) <= after ? undefined : Math.min(...ends);
};
