import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Answers, Ask, Call, Outcome, Question, Reply, Seen } from '../agent/messages.ts';
import { Resident } from './resident.ts';

const script = fileURLToPath(new URL('../agent/main.ts', import.meta.url));
const answerWithinMs = 45_000;

/** Our agent inside a namespace: it listens, calls and reads there for us. */
export class Agent {
  readonly #resident: Resident;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #questions = 0;

  constructor(place: string, logFile: string) {
    this.#resident = new Resident({ place, command: [execPath, script], env: {}, logFile, channel: true });
    this.#resident.start();
    this.#resident.process
      .on('message', (reply: Reply) => {
        const waiting = this.#waiting.get(reply.id);
        if ('error' in reply) waiting?.reject(new Error(reply.error));
        else waiting?.resolve(reply.answer);
      })
      .on('exit', () => {
        for (const { reject } of this.#waiting.values())
          reject(new Error(`the agent in ${place} has ended: see ${logFile}`));
      });
  }

  async ask<K extends Ask['kind']>(ask: Extract<Ask, { kind: K }>): Promise<Answers[K]> {
    this.#questions += 1;
    const id = this.#questions;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    const late = setTimeout(
      () => waiting.reject(new Error(`${ask.kind}: no answer from the agent`)),
      answerWithinMs,
    );
    try {
      this.#resident.process.send({ id, ask } satisfies Question);
      return (await waiting.promise) as Answers[K];
    } finally {
      clearTimeout(late);
      this.#waiting.delete(id);
    }
  }

  call(call: Call): Promise<Outcome> {
    return this.ask({ kind: 'call', call });
  }

  seen(): Promise<readonly Seen[]> {
    return this.ask({ kind: 'seen' });
  }

  /** A page that only this namespace can reach; throws unless it is answered with 200. */
  async read(url: string, bearer?: string): Promise<string> {
    const { status, text } = await this.ask({
      kind: 'read',
      url,
      ...(bearer === undefined ? {} : { bearer }),
    });
    if (status !== 200) throw new Error(`${url} answered ${status}: ${text.slice(0, 200)}`);
    return text;
  }

  async end(): Promise<void> {
    await this.#resident.end();
  }
}
