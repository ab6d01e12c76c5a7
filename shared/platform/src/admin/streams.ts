import { type Identity, namespaceOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { Type } from 'typebox';

/** One stream that a proxy holds open, in the same shape for all services. */
export interface StreamFacts {
  /** Unique among the streams of this process. */
  readonly id: string;
  /** `InboundServerPolicies/WatchPort`, `Destination/Get` … */
  readonly method: string;
  /** What is watched: `demo/backend-0:8080`, `backend.demo.svc.cluster.local:8080`. */
  readonly target: string;
  /** `address:port` of the proxy. */
  readonly peer: string;
  /** The proxy's own identity, when it presented a certificate that verified. */
  readonly identity: Identity | undefined;
  /** Of the workload whose proxy holds the stream, as its request says; undefined when it does not. Nobody proves it. */
  readonly claimedNamespace: string | undefined;
  /** Epoch milliseconds. */
  readonly openedAt: number;
  /** Hash of what was sent last; undefined before the first message. */
  readonly version: string | undefined;
  readonly sentAt: number | undefined;
  /** Of all messages together, refreshes included. */
  readonly sentBytes: number;
  readonly pending: Pending;
  /** Hash of what the client has read; undefined before it has read anything. */
  readonly deliveredVersion: string | undefined;
  readonly deliveredAt: number | undefined;
}

/** How far the last message of a stream has come, and what that means. */
export const pendingStates = {
  nothing: 'the client has read all that it was sent',
  unread: 'the last message has not left this process: the client reads slowly, or not at all',
  unanswered: "the last message has left, and the client's side of the connection has not answered since",
} as const;
export type Pending = keyof typeof pendingStates;

export const StreamItem = Type.Object({
  id: Type.String(),
  method: Type.String(),
  target: Type.String(),
  peer: Type.String(),
  identity: Type.Union([Type.String(), Type.Null()]),
  namespace: Type.Union([Type.String(), Type.Null()], {
    description: 'Of the workload whose proxy holds it: as its certificate says, else as it says itself',
  }),
  openedAt: Type.String({ format: 'date-time' }),
  version: Type.Union([Type.String(), Type.Null()]),
  sentAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
  sentBytes: Type.Integer({ description: 'In messages, refreshes of a quiet stream included' }),
  pending: Type.Enum(Object.keys(pendingStates) as Pending[], {
    description: `What is on its way: ${Object.entries(pendingStates)
      .map(([state, meaning]) => `\`${state}\`: ${meaning}`)
      .join('; ')}`,
  }),
  deliveredVersion: Type.Union([Type.String(), Type.Null()], {
    description: 'Hash of what the client has read: it has answered on the connection after it had left',
  }),
  deliveredAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
});
export type StreamItem = Type.Static<typeof StreamItem>;

/** Whose stream it is: a certificate counts for more than what a request says. */
export const namespaceOfStream = ({ identity, claimedNamespace }: StreamFacts): string | undefined =>
  namespaceOf(identity) ?? claimedNamespace;

export const streamItem = (stream: StreamFacts): StreamItem => {
  const { openedAt, sentAt, identity, version, claimedNamespace: _, ...others } = stream;
  const { deliveredVersion, deliveredAt, ...facts } = others;
  return {
    ...facts,
    identity: identity === undefined ? null : printIdentity(identity),
    namespace: namespaceOfStream(stream) ?? null,
    openedAt: new Date(openedAt).toISOString(),
    version: version ?? null,
    sentAt: sentAt === undefined ? null : new Date(sentAt).toISOString(),
    deliveredVersion: deliveredVersion ?? null,
    deliveredAt: deliveredAt === undefined ? null : new Date(deliveredAt).toISOString(),
  };
};
