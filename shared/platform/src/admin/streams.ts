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
}

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
});
export type StreamItem = Type.Static<typeof StreamItem>;

/** Whose stream it is: a certificate counts for more than what a request says. */
export const namespaceOfStream = ({ identity, claimedNamespace }: StreamFacts): string | undefined =>
  namespaceOf(identity) ?? claimedNamespace;

export const streamItem = (stream: StreamFacts): StreamItem => {
  const { openedAt, sentAt, identity, version, claimedNamespace: _, ...facts } = stream;
  return {
    ...facts,
    identity: identity === undefined ? null : printIdentity(identity),
    namespace: namespaceOfStream(stream) ?? null,
    openedAt: new Date(openedAt).toISOString(),
    version: version ?? null,
    sentAt: sentAt === undefined ? null : new Date(sentAt).toISOString(),
  };
};
