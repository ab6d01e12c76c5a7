import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const readyWithinMs = 60_000;

/** A real etcd on loopback, with its data in a folder of its own. */
export class RealEtcd {
  /** `http://127.0.0.1:PORT`, the same after a restart. */
  readonly url: string;
  readonly #assets: string;
  readonly #folder: string;
  readonly #peers: string;
  #process: ServerProcess | undefined;
  #copies = 0;

  private constructor(assets: string, { folder, ports }: { folder: string; ports: readonly number[] }) {
    this.#assets = assets;
    this.#folder = folder;
    this.url = `http://127.0.0.1:${ports[0]}`;
    this.#peers = `http://127.0.0.1:${ports[1]}`;
  }

  /** Starts the binary of the folder `assets`; does not wait until it answers. */
  static async start(assets: string, folder: string): Promise<RealEtcd> {
    const etcd = new RealEtcd(assets, { folder, ports: [await freePort(), await freePort()] });
    etcd.#start();
    return etcd;
  }

  get process(): ServerProcess | undefined {
    return this.#process;
  }

  /** Removes one key as if it had never been: for anyone who wants to change a cluster while nobody looks. */
  async remove(key: string): Promise<void> {
    const answer = await this.#ask('/v3/kv/deleterange', { key: Buffer.from(key).toString('base64') });
    if (Number((answer as { deleted?: string }).deleted ?? 0) !== 1) {
      throw new Error(`etcd holds no ${key}: ${JSON.stringify(answer)}`);
    }
  }

  /** Copies all that it holds, for `restore`; it is away for that moment. */
  async save(): Promise<string> {
    this.#copies += 1;
    const copy = join(this.#folder, `etcd-copy-${this.#copies}`);
    await this.stop();
    await cp(this.#data, copy, { recursive: true });
    await this.#startAgain();
    return copy;
  }

  /** Goes back to what it held at `save`: revisions since then are given out a second time. */
  async restore(copy: string): Promise<void> {
    await this.stop();
    await rm(this.#data, { recursive: true });
    await cp(copy, this.#data, { recursive: true });
    await this.#startAgain();
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  get #data(): string {
    return join(this.#folder, 'etcd');
  }

  #start(): void {
    this.#process = startServerProcess(join(this.#assets, 'etcd'), {
      log: join(this.#folder, 'etcd.log'),
      args: [
        `--data-dir=${this.#data}`,
        `--listen-client-urls=${this.url}`,
        `--advertise-client-urls=${this.url}`,
        `--listen-peer-urls=${this.#peers}`,
        `--initial-advertise-peer-urls=${this.#peers}`,
        `--initial-cluster=default=${this.#peers}`,
      ],
    });
  }

  async #startAgain(): Promise<void> {
    this.#start();
    const deadline = AbortSignal.timeout(readyWithinMs);
    for (;;) {
      const answer = await fetch(`${this.url}/health`, { signal: deadline }).catch(() => undefined);
      if (answer?.ok === true) return;
      const process = this.#process;
      if (process !== undefined && (process.ended() || deadline.aborted)) {
        throw new Error(await process.lastWords('did not come back'));
      }
      await sleep(50);
    }
  }

  /** The gRPC gateway of etcd 3.4 and later; keys are base64. */
  async #ask(path: string, body: unknown): Promise<unknown> {
    const answer = await fetch(`${this.url}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(readyWithinMs),
    });
    if (!answer.ok) throw new Error(`etcd answered ${answer.status} to ${path}: ${await answer.text()}`);
    return answer.json();
  }
}
