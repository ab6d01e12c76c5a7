import { randomUUID } from 'node:crypto';
import { limitedLog } from '../../limited-log.ts';
import type { Log } from '../../log.ts';
import type { TlsMaterial } from '../../tls/material.ts';
import type { Peer } from './find-peers.ts';
import type { PeerClient } from './peer-client.ts';
import type { PeerDirectory } from './peer-directory.ts';
import type { PeerMetrics } from './peer-metrics.ts';
import type { Heard, Known, PeerQuery, PeerQuestion, ReplicaName, Replicas, Unreached } from './replicas.ts';

export interface ClusterReplicasParts {
  /** Our own pod. */
  readonly name: string;
  readonly directory: PeerDirectory;
  readonly client: PeerClient;
  readonly meshName: string;
  readonly metrics: PeerMetrics;
  readonly log: Log;
}

/** The part of one peer in an answer; undefined for ourselves under another name. */
type Part<A> = { readonly replica: string; readonly answer: A } | Unreached | undefined;

/** The replicas of a service in a cluster. Close it at the end. */
export class ClusterReplicas implements Replicas {
  readonly self: ReplicaName;
  readonly meshName: string;
  readonly #directory: PeerDirectory;
  readonly #client: PeerClient;
  readonly #metrics: PeerMetrics;
  /** Limited, since whoever asks makes it speak. */
  readonly #say: (fields: Unreached, message: string) => void;

  constructor({ name, meshName, directory, client, metrics, log }: ClusterReplicasParts) {
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
    const partial = [...unknown, ...parts.filter((part) => part !== undefined && 'reason' in part)];
    for (const unreached of partial) this.#say(unreached, 'an answer is without the part of another replica');
    return { answers: parts.filter((part) => part !== undefined && 'answer' in part), partial };
  }

  close(): void {
    this.#directory.close();
    this.#client.close();
  }

  async #askOne<A>({ name, address }: Peer, question: PeerQuestion<A>, query: PeerQuery): Promise<Part<A>> {
    const { calls, seconds } = this.#metrics;
    const end = seconds.startTimer();
    const reply = await this.#client.get(address, `/internal/v1/${question.path}${printQuery(query)}`);
    end();
    if (reply.kind !== 'answered') {
      calls.inc({ result: reply.kind });
      return { replica: name, reason: reply.reason };
    }
    const envelope = readEnvelope(reply.body);
    if (envelope?.instance === this.self.instance) {
      calls.inc({ result: 'self' });
      return undefined;
    }
    const answer = envelope === undefined ? undefined : question.read(envelope.answer);
    if (envelope === undefined || answer === undefined) {
      calls.inc({ result: 'garbage' });
      return { replica: name, reason: 'its answer cannot be read: is it of another version?' };
    }
    calls.inc({ result: 'ok' });
    return { replica: envelope.replica, answer };
  }
}

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
