import { GatehouseError } from '@gatehouse/core/error';
import { limitedLog } from '../../log/limited-log.ts';
import type { Log } from '../../log/log.ts';
import { pause } from '../../process/pause.ts';
import type { KubeClient, KubeStream } from '../client/client.ts';
import type { WireObject } from '../parse/fields.ts';
import { readEvent, readPage } from './wire-answers.ts';

export interface NamedObjectOptions {
  readonly client: KubeClient;
  /** Of its collection: `/api/v1/namespaces/NAMESPACE/secrets`. */
  readonly path: string;
  readonly name: string;
  /** Told of each state, the first one too; undefined = there is none. */
  readonly onState: (object: WireObject | undefined) => void;
  readonly log: Log;
}

/** How long a watch lasts; the server ends it then, and the object is read again. */
const watchSeconds = 240;
/** A connection that fell silent without an end would otherwise be waited for for ever. */
const watchGraceMs = 20_000;
/** How long one answer may take. */
const answerMs = 20_000;
const firstWaitMs = 500;
const longestWaitMs = 30_000;

/**
 * Follows one object by its name, with get-like permissions: `list` and `watch` may be granted for a single name. Unlike ListWatch,
 * which is for kinds of many objects, it reads the object again whenever a watch ends.
 */
export class NamedObject {
  readonly #options: NamedObjectOptions;
  readonly #complain: ReturnType<typeof limitedLog>;

  constructor(options: NamedObjectOptions) {
    this.#options = options;
    this.#complain = limitedLog((fields, message) => options.log.warn(fields, message), { everyMs: 60_000 });
  }

  /** Resolves after an abort. */
  async run(signal: AbortSignal): Promise<void> {
    let waitMs = 0;
    while (!signal.aborted) {
      try {
        const version = await this.#read(signal);
        waitMs = 0;
        const patience = AbortSignal.timeout(watchSeconds * 1_000 + watchGraceMs);
        await this.#watch(version, AbortSignal.any([signal, patience]));
      } catch (error) {
        if (signal.aborted) return;
        const why = error instanceof Error ? error.message : String(error);
        // A watch that is cut once is an API server that was replaced: that is not worth a line.
        if (waitMs > 0) this.#complain({}, `${this.#where} cannot be followed: ${why}`);
        waitMs = Math.min(longestWaitMs, Math.max(firstWaitMs, waitMs * 2));
      }
      await pause(waitMs === 0 ? Math.random() * firstWaitMs : waitMs * (0.75 + Math.random() / 2), signal);
    }
  }

  get #where(): string {
    return `${this.#options.path}/${this.#options.name}`;
  }

  get #selector(): { readonly fieldSelector: string } {
    return { fieldSelector: `metadata.name=${this.#options.name}` };
  }

  async #read(signal: AbortSignal): Promise<string> {
    const { client, path, onState } = this.#options;
    const until = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
    const answer = await client.request({ path, query: this.#selector, signal: until });
    const page = answer.status === 200 ? readPage(answer.body) : undefined;
    if (page === undefined) throw refusal(answer.status, answer.body);
    onState(page.items[0]);
    return page.version;
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { client, path, onState } = this.#options;
    const query = { ...this.#selector, watch: true, resourceVersion, timeoutSeconds: watchSeconds };
    const answer = await client.stream({ path, query, signal });
    if (!isStream(answer)) throw refusal(answer.status, answer.body);
    for await (const lines of answer.lines) {
      for (const line of lines) {
        const event = readEvent(line);
        // What cannot be told from the watch, the next read tells.
        if (event === undefined || event.type === 'ERROR') return;
        if (event.type !== 'BOOKMARK') onState(event.type === 'DELETED' ? undefined : event.object);
      }
    }
  }
}

const isStream = (answer: object): answer is KubeStream => 'lines' in answer;

const refusal = (status: number, body: Buffer): GatehouseError => {
  const hint = status === 403 ? '; grant list and watch for this name' : '';
  return new GatehouseError(
    'unavailable',
    `the API server answered ${status}${hint}: ${body.toString().slice(0, 300)}`,
  );
};
