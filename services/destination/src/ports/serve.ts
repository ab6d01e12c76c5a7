import { GatehouseError } from '@gatehouse/core/error';
import { printAuthority } from '@gatehouse/core/mesh/service-authority';
import { LatestStreams } from '@gatehouse/platform/grpc/latest-stream';
import { StreamPacer } from '@gatehouse/platform/grpc/stream-pacer';
import type { Methods, StreamCall } from '@gatehouse/platform/grpc/transport';
import { holderOf } from '@gatehouse/platform/limits/holder';
import { type OpenStream, OpenStreams } from '@gatehouse/platform/service/open-streams';
import { compileEndpointSet, type EndpointSet } from '../core/endpoints/endpoint-set.ts';
import type { ClientPlace } from '../core/endpoints/filter.ts';
import { compileProfile, type Profile } from '../core/profile/profile.ts';
import { Snapshots } from '../core/snapshot.ts';
import { compileClientPlace } from '../core/target/client-place.ts';
import type { ContextToken } from '../core/target/context-token.ts';
import { Admission } from './admission.ts';
import { GetStream } from './get-stream.ts';
import { ProfileStream } from './profile-stream.ts';
import { type ProfileRow, Profiles } from './profiles.ts';
import { readGet, readGetProfile } from './request.ts';
import { Session, type Stream } from './session.ts';
import { Updates } from './updates.ts';
import type { ClusterWatch } from './watch.ts';

const service = '/io.linkerd.proxy.destination.Destination';

const methods = ['Destination/Get', 'Destination/GetProfile'] as const;

export type StreamMethod = (typeof methods)[number];

/** A client that does not read is never cut off: what it missed is one difference, whenever it reads again (design §7). */
const patience = { drainWithinMs: Number.POSITIVE_INFINITY };

export interface DestinationLoad {
  /** Answers kept up to date for open streams, by kind. */
  readonly answers: ReadonlyMap<string, number>;
  /** Streams that wait for their first message. */
  readonly waiting: number;
  /** First messages that had to be written. */
  readonly firstBuilds: number;
}

/** Serves Get and GetProfile from what the watch compiles. */
export class DestinationServer {
  readonly streams: OpenStreams<StreamMethod>;
  readonly #updates = new Updates();
  readonly #admission = new Admission();
  readonly #watch: ClusterWatch;
  readonly #pacer = new StreamPacer(patience);
  readonly #latest = new LatestStreams<ProfileRow>(patience);
  readonly #snapshots = new Snapshots();
  readonly #profiles: Profiles;

  constructor(watch: ClusterWatch, now: () => number) {
    this.#watch = watch;
    this.streams = new OpenStreams(methods, now);
    this.#profiles = new Profiles(watch.cluster.settings.clusterDomain);
  }

  /** What a call holds is let go when its signal aborts, which it also does after a refusal. */
  readonly methods: Methods = {
    [`${service}/Get`]: { kind: 'server-stream', open: (call) => this.#get(call) },
    [`${service}/GetProfile`]: { kind: 'server-stream', open: (call) => this.#getProfile(call) },
  };

  /** What there is and was done, for the metrics. */
  get load(): DestinationLoad {
    return {
      answers: this.#watch.answers.kinds,
      waiting: this.#admission.waiting,
      firstBuilds: this.#updates.firstBuilds,
    };
  }

  /** Lets nobody have a first message any more. */
  close(): void {
    this.#admission.close();
  }

  #get(received: StreamCall): void {
    if (received.signal.aborted) return;
    const { cluster, answers } = this.#readyWatch();
    const { target, token } = readGet(received.request, cluster.settings.clusterDomain);
    const authority = printAuthority(target, cluster.settings.clusterDomain);
    const call = this.streams.follow(received, { method: 'Destination/Get', ...asked(authority, token) });
    const session = new Session(answers, call);
    const set = session.ask(`endpoints/${authority}`, (previous: EndpointSet | undefined) =>
      compileEndpointSet(cluster, target, previous),
    );
    if (set.value.kind === 'external-name') throw externalName(authority);
    const place = this.#askPlace(session, token);
    const stream = new GetStream({
      call,
      pacer: this.#pacer,
      updates: this.#updates,
      labels: { service: target.name, namespace: target.namespace },
      newest: () => this.#snapshots.of(set.value, place.value),
    });
    this.#begin(call, session, stream);
  }

  #getProfile(received: StreamCall): void {
    if (received.signal.aborted) return;
    const { cluster, answers } = this.#readyWatch();
    const { target, token } = readGetProfile(received.request, cluster.settings.clusterDomain);
    const authority = printAuthority(target, cluster.settings.clusterDomain);
    const call = this.streams.follow(received, {
      method: 'Destination/GetProfile',
      ...asked(authority, token),
    });
    const session = new Session(answers, call);
    const question = { target, clientNamespace: token.namespace };
    const profile = session.ask(
      `profile/${JSON.stringify([authority, token.namespace])}`,
      (previous: Profile | undefined) => compileProfile(cluster, question, previous),
    );
    refuse(profile.value, authority);
    const place = this.#askPlace(session, token);
    const newest = (): ProfileRow => this.#profiles.rowOf(profile.value, place.value);
    this.#begin(call, session, new ProfileStream(this.#latest.open(call), newest));
  }

  /** The stream takes its place in the queue, then follows its answers until the call is over. */
  #begin(call: OpenStream, session: Session, stream: Stream): void {
    call.sentBy(stream);
    session.begin(stream);
    const queued = this.#admission.enter(holderOf(call.peer.address), () => {
      const [bytes, builds] = [call.sentBytes, this.#updates.firstBuilds];
      stream.admit();
      return { bytes: call.sentBytes - bytes, wasBuilt: this.#updates.firstBuilds > builds };
    });
    call.onLeft = queued.left;
    call.holds(queued.leave);
  }

  /** Out of ignorance nobody is told that something does not exist: until all is listed, come again. */
  #readyWatch(): ClusterWatch {
    if (!this.#watch.isReady) {
      throw new GatehouseError('unavailable', 'the cluster has not been listed yet: try again');
    }
    return this.#watch;
  }

  #askPlace(session: Session, token: ContextToken): { readonly value: ClientPlace } {
    const { namespace, nodeName, pod } = token;
    return session.ask(`place/${JSON.stringify([nodeName, namespace, pod])}`, (previous) =>
      compileClientPlace(this.#watch.cluster, token, previous),
    );
  }
}

const asked = (authority: string, { namespace }: ContextToken) => ({
  target: authority,
  claimedNamespace: namespace === '' ? undefined : namespace,
});

/** What only an error can say to a new call; an open stream is sent an empty profile instead and stays open. */
const refuse = (profile: Profile, authority: string): void => {
  if (profile.kind !== 'nothing') return;
  switch (profile.reason) {
    case 'no-instance':
      throw new GatehouseError('not-found', `${authority} is not an instance of its Service`);
    case 'external-name':
      throw externalName(authority);
    case 'no-port':
      // The proxy then goes by its policy alone, which knows what to do with a port that is not declared.
      return;
    case 'no-service':
      // A proxy asks again and again after NotFound, and holds requests up meanwhile (`contract/proxy.md` §2.1).
      return;
  }
};

const externalName = (authority: string): GatehouseError =>
  new GatehouseError('invalid-argument', `${authority} is an ExternalName, which has no endpoints`);
