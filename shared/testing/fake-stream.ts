import type { TestContext } from 'node:test';
import type { Status, StreamCall } from '@gatehouse/platform/grpc/transport';

/** A stream whose reader the test plays: it reads at once, or holds everything until told to. */
export interface FakeStream extends StreamCall {
  /** What was handed over, as text, in order. */
  readonly sent: readonly string[];
  /** How it was ended by the handler; undefined while it was not. */
  readonly endedWith: { readonly status: Status | undefined } | undefined;
  /** From now on nothing leaves. */
  stall(): void;
  /** What is held leaves, and everything after it. */
  read(): void;
  /** From now on the connection does not answer. */
  mute(): void;
  /** The connection answers, also what it was asked in between. */
  answer(): void;
  /** The client cancels. */
  cancel(): void;
}

export const aStream = (request = ''): FakeStream => {
  const abort = new AbortController();
  const sent: string[] = [];
  let stalled = false;
  let held = 0;
  let isMute = false;
  let endedWith: { readonly status: Status | undefined } | undefined;
  let writable = (): void => {};
  let answered: (() => void)[] = [];
  return {
    request: Buffer.from(request),
    peer: { address: '127.0.0.9', port: 50_000, identity: undefined },
    signal: abort.signal,
    sent,
    get endedWith() {
      return endedWith;
    },
    send: (message) => {
      if (abort.signal.aborted) return false;
      sent.push(Buffer.from(message).toString());
      held += stalled ? 1 : 0;
      return !stalled;
    },
    onWritable: (listener) => {
      writable = listener;
    },
    onAnswered: (listener) => {
      if (isMute) answered.push(listener);
      else listener();
    },
    mute: () => {
      isMute = true;
    },
    answer: () => {
      isMute = false;
      const listeners = answered;
      answered = [];
      for (const listener of listeners) listener();
    },
    end: (status) => {
      endedWith ??= { status };
      abort.abort();
    },
    stall: () => {
      stalled = true;
    },
    read: () => {
      stalled = false;
      if (held > 0) {
        held = 0;
        writable();
      }
    },
    cancel: () => abort.abort(),
  };
};

/** The same, cancelled when the test is over, however it ends: what serves an open stream keeps timers, and so the process. */
export const aStreamOf = (t: Pick<TestContext, 'after'>, request?: string): FakeStream => {
  const stream = aStream(request);
  t.after(() => stream.cancel());
  return stream;
};
