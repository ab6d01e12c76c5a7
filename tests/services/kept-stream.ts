import { GrpcClient } from '@gatehouse/platform/grpc/client';

/** The wait before attempt n after a stream was lost: bounded, as that of linkerd2-proxy is. */
const backOffMs = (attempt: number): number => Math.min(50 * 2 ** attempt, 1_000);

export interface Question {
  readonly path: string;
  readonly request: Uint8Array;
  /** The ports of loopback on which replicas serve it, as DNS would say now. */
  readonly ports: () => readonly number[];
}

/** A stream as a proxy keeps it: lost with its replica, it is opened again at the next one. */
export class KeptStream {
  /** What was told, hex; the same again is not repeated. */
  readonly answers: string[] = [];
  /** How often the stream was lost after an answer. */
  lost = 0;
  /** Of the replica that is asked now. */
  port = 0;
  /** The most attempts in a row that brought no answer, from the loss of the stream on. */
  mostFailures = 0;
  readonly #question: Question;
  #turn: number;
  #failures = 0;
  #isOpen = false;
  #client: GrpcClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `turn` spreads clients over replicas. */
  constructor(question: Question, turn: number) {
    this.#question = question;
    this.#turn = turn;
    this.#open();
  }

  /** Whether there is an answer that nothing has taken back. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#client?.close();
  }

  #open(): void {
    const { path, request, ports } = this.#question;
    const known = ports();
    this.port = known[this.#turn % known.length] ?? 0;
    this.#turn += 1;
    const client = new GrpcClient({ address: { host: '127.0.0.1', port: this.port }, security: 'plaintext' });
    this.#client = client;
    client.serverStream(path, request, {
      onMessage: (bytes) => {
        this.#isOpen = true;
        this.#failures = 0;
        const answer = Buffer.from(bytes).toString('hex');
        if (this.answers.at(-1) !== answer) this.answers.push(answer);
      },
      onEnd: () => {
        void client.close();
        if (this.#closed) return;
        if (this.#isOpen) this.lost += 1;
        else this.#failures += 1;
        this.#isOpen = false;
        this.mostFailures = Math.max(this.mostFailures, this.#failures);
        this.#timer = setTimeout(() => this.#open(), backOffMs(this.#failures));
      },
    });
  }
}
