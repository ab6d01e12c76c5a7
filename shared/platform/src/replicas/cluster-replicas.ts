import { randomUUID } from 'node:crypto';
import { limitedLog } from '../log/limited-log.ts';
import type { Log } from '../log/log.ts';
import type { TlsMaterial } from '../tls/material.ts';
import type { Peer } from './find-peers.ts';
import type { PeerClient } from './peer-client.ts';
import type { PeerDirectory } from './peer-directory.ts';
import type { PeerMetrics } from './peer-metrics.ts';
import { PeerPatience } from './peer-patience.ts';
import type { Heard, Known, PeerQuery, PeerQuestion, ReplicaName, Replicas, Unreached } from './replicas.ts';

export interface ClusterReplicasParts {
  /** Our own pod. */
  readonly name: string;
  readonly directory: PeerDirectory;
  readonly client: PeerClient;
  readonly meshName: string;
  readonly metrics: PeerMetrics;
  readonly log: Log;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed: () => number;
}

/** What one peer said. */
interface Answered<A> {
  /** As the EndpointSlices call it. */
  readonly peer: string;
  /** As it calls itself. */
  readonly replica: string;
  readonly instance: string;
  readonly answer: A;
}

/** The replicas of a service in a cluster. Close it at the end. */
export class ClusterReplicas implements Replicas {
  readonly self: ReplicaName;
  readonly meshName: string;
  readonly #directory: PeerDirectory;
  readonly #client: PeerClient;
  readonly #metrics: PeerMetrics;
  readonly #patience: PeerPatience;
  /** Limited, since any client can cause it. */
  readonly #say: (fields: Unreached, message: string) => void;

  constructor({ name, meshName, directory, client, metrics, log, elapsed }: ClusterReplicasParts) {
    this.#patience = new PeerPatience(elapsed);
    this.self = { name, instance: randomUUID() };
    this.meshName = meshName;
    this.#directory = directory;
    this.#client = client;
    this.#metrics = metrics;
    this.#say = limitedLog((fields, message) => log.warn(fields, message));
  }

  replaceTlsMaterial(material: TlsMaterial): void {
    this.#client.replaceTlsMaterial(material);
  }

  /** How many others there were when they were last listed. */
  get lastSeen(): number {
    return this.#directory.last.peers.length;
  }

  async known(): Promise<Known> {
    const found = await this.#directory.find();
    return { ...found, others: found.peers.map(({ name }) => name) };
  }

  async ask<A>(question: PeerQuestion<A>, query: PeerQuery): Promise<Heard<A>> {
    const found = await this.#directory.find();
    const parts = await Promise.all(found.peers.map((peer) => this.#askOne(peer, question, query)));
    const unknown = found.kind === 'known' ? [] : [{ replica: '*', reason: found.reason }];
    const { answers, doubles } = tellApart(
      parts.filter((part) => 'answer' in part),
      this.self,
    );
    const partial = [...unknown, ...parts.filter((part) => 'reason' in part), ...doubles];
    for (const unreached of this.#patience.judge(partial))
      this.#say(unreached, 'an answer is without the part of another replica');
    return { answers, partial };
  }

  close(): void {
    this.#directory.close();
    this.#client.close();
  }

  async #askOne<A>(
    { name, address }: Peer,
    question: PeerQuestion<A>,
    query: PeerQuery,
  ): Promise<Answered<A> | Unreached> {
    const { calls, seconds } = this.#metrics;
    const end = seconds.startTimer();
    const reply = await this.#client.get(address, `/internal/v1/${question.path}${printQuery(query)}`);
    end();
    if (reply.kind !== 'answered') {
      calls.inc({ result: reply.kind });
      return { replica: name, reason: reply.reason };
    }
    const envelope = readEnvelope(reply.body);
    const answer = envelope === undefined ? undefined : question.read(envelope.answer);
    if (envelope === undefined || answer === undefined) {
      calls.inc({ result: 'garbage' });
      return { replica: name, reason: 'its answer cannot be read: is it of another version?' };
    }
    calls.inc({ result: 'ok' });
    return { ...envelope, peer: name, answer };
  }
}

/**
 * One answer for each process: ourselves or a replica under a second name is told of once. Two processes that call
 * themselves the same cannot be told apart in a list, so that the second is named as missing.
 */
const tellApart = <A>(
  answered: readonly Answered<A>[],
  self: ReplicaName,
): { readonly answers: Heard<A>['answers']; readonly doubles: readonly Unreached[] } => {
  const instances = new Set([self.instance]);
  const names = new Set([self.name]);
  const answers: Answered<A>[] = [];
  const doubles: Unreached[] = [];
  for (const one of answered) {
    const { peer, replica, instance } = one;
    if (instances.has(instance)) continue;
    instances.add(instance);
    if (names.has(replica)) {
      const reason = `it calls itself ${replica}, as another does: GATEHOUSE_POD_NAME must be the pod's own name`;
      doubles.push({ replica: peer, reason });
      continue;
    }
    names.add(replica);
    answers.push(one);
  }
  return { answers, doubles };
};

/** What is around every answer between replicas; `answer-peers.ts` makes it. */
const readEnvelope = (
  body: unknown,
): { readonly replica: string; readonly instance: string; readonly answer: unknown } | undefined =>
  typeof body === 'object' &&
  body !== null &&
  'replica' in body &&
  typeof body.replica === 'string' &&
  'instance' in body &&
  typeof body.instance === 'string' &&
  'answer' in body
    ? { replica: body.replica, instance: body.instance, answer: body.answer }
    : undefined;

const printQuery = (query: PeerQuery): string => {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters}`;
};
