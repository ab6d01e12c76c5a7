import { setTimeout as sleep } from 'node:timers/promises';
import { GatehouseError } from '@gatehouse/core/error';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import type { GrpcClient } from '@gatehouse/platform/grpc/client';
import { kindOf } from '@gatehouse/platform/kube/kind-table';
import { checkProxyRegex } from '@gatehouse/platform/kube/parse/proxy-regex';
import { inboundService } from '@gatehouse/policy/testing/watched-port';
import type { RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { decodeInbound } from '@gatehouse/wire/decode-inbound';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { answersWithinMs, type LinkerdPeer } from './linkerd-peer.ts';
import { markerName, markerNamespace, markers } from './markers.ts';

/** What a controller says of a port: the row, or why there is none. */
export type Answer =
  | { readonly kind: 'row'; readonly server: InboundServer }
  /** A message that a proxy refuses; the field for which it does. */
  | { readonly kind: 'unreadable'; readonly field: string }
  | { readonly kind: 'none'; readonly code: string };

export const request = (workload: string, port: number): Uint8Array =>
  PortSpec.encode({ workload, port }).finish();

export const podWorkload = (namespace: string, pod: string): string => JSON.stringify({ ns: namespace, pod });

export const externalWorkload = (namespace: string, name: string): string =>
  JSON.stringify({ ns: namespace, external_workload: name });

const readAnswer = (bytes: Uint8Array): Answer => {
  const read = decodeInbound(bytes, checkProxyRegex);
  if (read.ok) return { kind: 'row', server: read.value };
  return { kind: 'unreadable', field: read.problems.map(({ field }) => field).join(', ') };
};

const getPort = async (
  client: GrpcClient,
  workload: string,
  port: number,
  signal?: AbortSignal,
): Promise<Answer> => {
  try {
    const path = `${inboundService}/GetPort`;
    const bytes = await client.unary(path, request(workload, port), signal === undefined ? {} : { signal });
    return readAnswer(bytes);
  } catch (error) {
    if (error instanceof GatehouseError) return { kind: 'none', code: error.code };
    throw error;
  }
};

/** The same of Linkerd's controller; rejects when it has ended or does not answer, which says nothing about the port. */
const getPortOfLinkerd = async (linkerd: LinkerdPeer, workload: string, port: number): Promise<Answer> => {
  const answer = await getPort(linkerd.client, workload, port, AbortSignal.timeout(answersWithinMs));
  if (answer.kind === 'none' && ['unavailable', 'cancelled'].includes(answer.code))
    throw await linkerd.noAnswerTo(`for ${workload}:${port}`);
  return answer;
};

export type Side = 'linkerd' | 'gatehouse';

const seenWithinMs = 60_000;

/** A cluster, and two controllers that watch it. */
export class TwoControllers {
  readonly cluster: RealCluster;
  readonly clients: Readonly<Record<Side, GrpcClient>>;
  readonly #linkerd: LinkerdPeer;
  #round = 0;

  constructor(
    cluster: RealCluster,
    { linkerd, gatehouse }: { readonly linkerd: LinkerdPeer; readonly gatehouse: GrpcClient },
  ) {
    this.cluster = cluster;
    this.#linkerd = linkerd;
    this.clients = { linkerd: linkerd.client, gatehouse };
  }

  /** Writes and removes all at once; returns when both controllers have seen it. What the API server refuses is not there. */
  async write({
    put = [],
    remove = [],
  }: {
    readonly put?: readonly WireObject[];
    readonly remove?: readonly WireObject[];
  }): Promise<readonly WireObject[]> {
    const [made] = await Promise.all([
      Promise.all(put.map((object) => this.cluster.applyIfValid(object))),
      Promise.all(remove.map((object) => this.cluster.remove(object))),
    ]);
    await this.#untilSeen([...put, ...remove]);
    return put.filter((_, at) => made[at] !== undefined);
  }

  async ask(workload: string, port: number): Promise<Readonly<Record<Side, Answer>>> {
    const [linkerd, gatehouse] = await Promise.all([
      this.#askOne('linkerd', workload, port),
      this.#askOne('gatehouse', workload, port),
    ]);
    return { linkerd, gatehouse };
  }

  #askOne(side: Side, workload: string, port: number): Promise<Answer> {
    return side === 'linkerd'
      ? getPortOfLinkerd(this.#linkerd, workload, port)
      : getPort(this.clients.gatehouse, workload, port);
  }

  async #untilSeen(objects: readonly WireObject[]): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    const kinds = new Set(
      objects.map(({ apiVersion, kind }) => kindOf(groupOf(String(apiVersion)), String(kind))),
    );
    const wanted = [...kinds].flatMap((kind) => markers[kind ?? 'Namespace'] ?? []);
    await Promise.all(wanted.map((marker) => this.cluster.apply(marker.object(round))));
    const deadline = AbortSignal.timeout(seenWithinMs);
    for (const marker of wanted) {
      const workload =
        marker.shownTo === 'external-workload'
          ? externalWorkload(markerNamespace, markerName)
          : podWorkload(markerNamespace, markerName);
      for (const side of ['linkerd', 'gatehouse'] as const) {
        for (;;) {
          const answer = await this.#askOne(side, workload, marker.port(round));
          if (answer.kind === 'row' && marker.shows(answer.server, round)) break;
          if (deadline.aborted) {
            throw new Error(`${side} does not see ${JSON.stringify(marker.object(round))}: ${print(answer)}`);
          }
          await sleep(5);
        }
      }
    }
  }
}

const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? String(apiVersion.split('/')[0]) : '';

/** Why an answer is not a row. */
export const whyNoRow = (answer: Exclude<Answer, { kind: 'row' }>): string =>
  answer.kind === 'none' ? answer.code : `a message that no proxy can read: ${answer.field}`;

const print = (answer: Answer): string =>
  answer.kind === 'row'
    ? JSON.stringify(answer.server, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
    : whyNoRow(answer);
