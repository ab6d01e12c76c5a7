import { isDeepStrictEqual } from 'node:util';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { type Followed, follow } from '@gatehouse/policy/testing/followed-stream';
import { decodeServer, inboundService } from '@gatehouse/policy/testing/watched-port';
import { normalForm } from './normal-form.ts';
import { type Answer, request, type Side, type TwoControllers, whyNoRow } from './two-controllers.ts';

/** An open WatchPort of each controller on one port. */
export class PortWatch {
  readonly #streams: Readonly<Record<Side, Followed<InboundServer>>>;
  readonly #ends: Partial<Record<Side, string>> = {};

  private constructor(streams: Readonly<Record<Side, Followed<InboundServer>>>) {
    this.#streams = streams;
    for (const side of ['linkerd', 'gatehouse'] as const) {
      void streams[side].ended.then((error) => {
        this.#ends[side] = error?.code ?? 'ok';
      });
    }
  }

  /** Opens both and waits for the first messages. */
  static async open({ clients }: TwoControllers, workload: string, port: number): Promise<PortWatch> {
    const streamOf = (side: Side): Followed<InboundServer> =>
      follow(clients[side], `${inboundService}/WatchPort`, {
        request: request(workload, port),
        decode: decodeServer,
      });
    const watch = new PortWatch({ linkerd: streamOf('linkerd'), gatehouse: streamOf('gatehouse') });
    await Promise.all([watch.#streams.linkerd.message(0), watch.#streams.gatehouse.message(0)]);
    return watch;
  }

  /** What is wrong with a stream, given what the same controller answers now; undefined when nothing is. */
  problem(side: Side, answer: Answer): string | undefined {
    const end = this.#ends[side];
    if (answer.kind === 'none') return end === 'ok' ? undefined : `the stream has not ended with OK: ${end}`;
    if (end !== undefined) return `the stream ended: ${end}`;
    if (answer.kind === 'unreadable') return whyNoRow(answer);
    const last = this.#streams[side].messages.at(-1);
    return last !== undefined && isDeepStrictEqual(normalForm(last), normalForm(answer.server))
      ? undefined
      : 'the last message is not what GetPort answers';
  }

  close(): void {
    for (const stream of Object.values(this.#streams)) stream.cancel();
  }
}
