import { once } from 'node:events';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { WireObject } from '@gatehouse/testing/real-cluster';
import { Resident } from '../resident.ts';
import type { ApiAsk, ApiQuestion, ApiReply } from './api-messages.ts';

export interface ClusterApiOptions {
  readonly place: string;
  /** Where its kubeconfigs are written. */
  readonly folder: string;
  readonly logFile: string;
}

/** The API server of a rig's cluster, in a process of its own beside the services that read from it. */
export class ClusterApi {
  readonly #resident: Resident;
  readonly #waiting = new Map<number, PromiseWithResolvers<WireObject | string | null>>();
  #questions = 0;

  private constructor({ place, folder, logFile }: ClusterApiOptions) {
    const main = fileURLToPath(new URL('./api-server-main.ts', import.meta.url));
    this.#resident = new Resident({
      place,
      command: [execPath, main, folder],
      env: {},
      logFile,
      channel: true,
    });
    this.#resident.start();
    this.#resident.process
      .on('message', (reply: ApiReply | 'open') => {
        if (reply === 'open') return;
        const waiting = this.#waiting.get(reply.id);
        this.#waiting.delete(reply.id);
        if ('error' in reply) waiting?.reject(new Error(reply.error));
        else waiting?.resolve(reply.answer);
      })
      .on('exit', () => {
        for (const { reject } of this.#waiting.values())
          reject(new Error(`the API server ended: see ${logFile}`));
      });
  }

  static async start(options: ClusterApiOptions): Promise<ClusterApi> {
    const api = new ClusterApi(options);
    const ended = once(api.#resident.process, 'exit').then(() => {
      throw new Error(`the API server did not start: see ${options.logFile}`);
    });
    ended.catch(() => undefined);
    await Promise.race([once(api.#resident.process, 'message'), ended]);
    return api;
  }

  async apply(object: WireObject): Promise<WireObject> {
    return (await this.#ask({ kind: 'apply', object })) as WireObject;
  }

  async setStatus(object: WireObject): Promise<void> {
    await this.#ask({ kind: 'set-status', object });
  }

  async remove(object: WireObject): Promise<void> {
    await this.#ask({ kind: 'remove', object });
  }

  async podToken(pod: WireObject, audience: string): Promise<string> {
    return String(await this.#ask({ kind: 'pod-token', pod, audience }));
  }

  async kubeconfigOf(account: { readonly namespace: string; readonly name: string }): Promise<string> {
    return String(await this.#ask({ kind: 'kubeconfig', ...account }));
  }

  /** Stops it where it stands, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#resident.process.kill(signal);
  }

  async end(): Promise<void> {
    await this.#resident.end();
  }

  async #ask(ask: ApiAsk): Promise<WireObject | string | null> {
    this.#questions += 1;
    const id = this.#questions;
    const waiting = Promise.withResolvers<WireObject | string | null>();
    this.#waiting.set(id, waiting);
    this.#resident.process.send({ id, ask } satisfies ApiQuestion);
    return waiting.promise;
  }
}
