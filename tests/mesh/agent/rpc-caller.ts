import { Client, type ClientDuplexStream, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { echoService, keepalive } from './grpc-application.ts';
import type { Answers, Rpc, Talk } from './messages.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface OpenTalk {
  readonly stream: ClientDuplexStream<string, string>;
  readonly state: Mutable<Talk>;
}

/** Calls by grpc-js, as an application would; its proxy is in the way without its knowing. */
export class RpcCaller {
  readonly #channels = new Map<string, Client>();
  readonly #talks = new Map<string, OpenTalk>();

  call(rpc: Rpc, text: string): Promise<Answers['grpc-call']> {
    const { path, requestSerialize, responseDeserialize } = echoService.say;
    return new Promise((resolve) => {
      this.#channel(rpc).makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        text,
        new Metadata(),
        deadlineOf(rpc),
        (error: ServiceError | null, answer = '') =>
          resolve({ code: error?.code ?? 0, details: error?.details ?? '', text: answer }),
      );
    });
  }

  openTalk(name: string, rpc: Rpc): void {
    const { path, requestSerialize, responseDeserialize } = echoService.talk;
    const metadata = new Metadata();
    metadata.set('x-stream', name);
    const stream = this.#channel(rpc).makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadata,
      deadlineOf(rpc),
    );
    const state: Mutable<Talk> = { echoes: 0, ticks: 0 };
    stream
      .on('data', (text: string) => {
        if (text === 'tick') state.ticks += 1;
        else state.echoes += 1;
      })
      .on('error', () => undefined)
      .on('status', ({ code, details }) => {
        state.status = { code, details };
      });
    this.#talks.set(name, { stream, state });
  }

  say(name: string, text: string): void {
    this.#talk(name).stream.write(text);
  }

  talk(name: string): Talk {
    return this.#talk(name).state;
  }

  endTalk(name: string): void {
    this.#talk(name).stream.end();
  }

  #talk(name: string): OpenTalk {
    const talk = this.#talks.get(name);
    if (talk === undefined) throw new Error(`no stream ${name} was opened`);
    return talk;
  }

  #channel({ channel, host, port, authority }: Rpc): Client {
    const known = this.#channels.get(channel);
    if (known !== undefined) return known;
    const made = new Client(`${host}:${port}`, credentials.createInsecure(), {
      ...keepalive,
      'grpc.default_authority': authority,
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#channels.set(channel, made);
    return made;
  }
}

const deadlineOf = ({ deadlineMs }: Rpc): { readonly deadline?: number } =>
  deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
