import type { GrpcClient } from '@gatehouse/platform/grpc/client';
import { GetDestination, Update } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { type Answer, addressOf, profileIn, type Question, type Told, toldOf } from './answer.ts';

/** One question that stays open: what a proxy that has listened from the beginning knows by now. */
export class OpenStream {
  readonly #client: GrpcClient;
  readonly #question: Question;
  readonly #endpoints = new Map<string, Told>();
  #profile: Uint8Array | undefined;
  #ended: string | undefined;
  #cancel: () => void = () => {};

  constructor(client: GrpcClient, question: Question) {
    this.#client = client;
    this.#question = question;
    this.#open();
  }

  /** As it would be answered to a new stream, if what has come over this one is all that there is to know. */
  get answer(): Answer {
    if (this.#question.method === 'Get') {
      return this.#ended !== undefined && this.#endpoints.size === 0
        ? { kind: 'refused', code: this.#ended }
        : { kind: 'endpoints', endpoints: Object.fromEntries([...this.#endpoints].sort(byAddress)) };
    }
    if (this.#profile !== undefined) return profileIn(this.#profile);
    return { kind: 'refused', code: this.#ended ?? 'silence' };
  }

  /** Asks again if the stream has ended, as a proxy does. */
  reopen(): void {
    if (this.#ended === undefined) return;
    this.#ended = undefined;
    this.#endpoints.clear();
    this.#profile = undefined;
    this.#open();
  }

  close(): void {
    this.#cancel();
  }

  #open(): void {
    const { method, path, contextToken } = this.#question;
    const request = GetDestination.encode({ scheme: '', path, contextToken }).finish();
    this.#cancel = this.#client.serverStream(`/io.linkerd.proxy.destination.Destination/${method}`, request, {
      onMessage: (message) => {
        if (method === 'Get') this.#take(message);
        else this.#profile = message;
      },
      onEnd: (error) => {
        this.#ended = error?.code ?? 'ok';
      },
    });
  }

  #take(message: Uint8Array): void {
    const { update } = Update.decode(message);
    switch (update?.$case) {
      case 'add':
        for (const added of update.value.addrs) {
          this.#endpoints.set(addressOf(added), toldOf(added, update.value.metricLabels));
        }
        return;
      case 'remove':
        for (const addr of update.value.addrs) this.#endpoints.delete(addressOf({ addr }));
        return;
      case 'noEndpoints':
        this.#endpoints.clear();
    }
  }
}

const byAddress = ([a]: readonly [string, Told], [b]: readonly [string, Told]): number => (a < b ? -1 : 1);
