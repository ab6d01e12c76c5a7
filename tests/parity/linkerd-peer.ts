import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { freePort } from '@gatehouse/testing/free-port';
import { type ServerProcess, startServerProcess } from '@gatehouse/testing/server-process';

/** How one of Linkerd's controllers is started, given the ports on which it listens. */
export interface PeerProgram {
  readonly binary: string;
  /** Where its log goes. */
  readonly folder: string;
  /** HOSTNAME, by which it holds its Lease. */
  readonly host: string;
  args(ports: { readonly grpc: number; readonly admin: number }): readonly string[];
}

const readyWithinMs = 60_000;

/** The longest that a controller which works on a busy machine is waited for. */
export const answersWithinMs = 60_000;

/**
 * One of Linkerd's controllers, in a process. What it does not say is no difference: the comparison asks here whether it can
 * still say anything.
 */
export class LinkerdPeer {
  readonly client: GrpcClient;
  /** What it died of, each time. */
  readonly deaths: string[] = [];
  readonly #admin: number;
  readonly #start: () => ServerProcess;
  #process: ServerProcess;

  private constructor(
    start: () => ServerProcess,
    { grpc, admin }: { readonly grpc: number; readonly admin: number },
  ) {
    this.#start = start;
    this.#admin = admin;
    this.#process = start();
    const address = { host: '127.0.0.1', port: grpc };
    this.client = new GrpcClient({ address, security: 'plaintext', connectTimeoutMs: 10_000 });
  }

  /** Starts it and waits until it has its lists. */
  static async start({ binary, folder, host, args }: PeerProgram): Promise<LinkerdPeer> {
    const ports = { grpc: await freePort(), admin: await freePort() };
    const log = join(folder, `${host}.log`);
    const start = (): ServerProcess =>
      startServerProcess(binary, { log, env: { HOSTNAME: host }, args: args(ports) });
    const peer = new LinkerdPeer(start, ports);
    await peer.#untilReady();
    return peer;
  }

  /** When it has died, what it said of that is kept, and another is started on the same ports: then true. */
  async revive(): Promise<boolean> {
    if (!this.#process.ended()) return false;
    const said = await this.#process.lastWords('has ended');
    this.deaths.push(said.slice(Math.max(0, said.lastIndexOf('\npanic: '))).trim());
    this.#process = this.#start();
    await this.#untilReady();
    return true;
  }

  /** Why there is no answer, with the end of its log: it has ended, or it is silent. */
  async noAnswerTo(question: string): Promise<Error> {
    const why = this.#process.ended() ? 'has ended' : `did not answer within ${answersWithinMs / 1_000} s`;
    return new Error(await this.#process.lastWords(`${why}; it was asked ${question}`));
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.#process.stop();
  }

  async #untilReady(): Promise<void> {
    const deadline = AbortSignal.timeout(readyWithinMs);
    while (!(await this.#isReady())) {
      if (this.#process.ended()) throw new Error(await this.#process.lastWords('ended before it was ready'));
      if (deadline.aborted) throw new Error(await this.#process.lastWords('is not ready in time'));
      await sleep(50);
    }
  }

  async #isReady(): Promise<boolean> {
    const answer = await fetch(`http://127.0.0.1:${this.#admin}/ready`).catch(() => undefined);
    return answer?.ok === true;
  }
}
