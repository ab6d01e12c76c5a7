/** A row as it goes over the wire; it is what the streams of shared/grpc/latest-stream hold. */
export interface EncodedRow {
  readonly bytes: Uint8Array;
  /** A hash of the bytes, equal on all replicas. */
  readonly version: string;
  /** Whether a quiet stream is sent it again (design §6.5); not where requests are limited, as each message empties the buckets. */
  readonly refresh: boolean;
}

/** One encoded row and everybody who watches it; the bytes are shared, a watch holds none. */
export interface WatchedRow<R> {
  encoded: EncodedRow;
  readonly watches: Set<RowWatch<R>>;
}

/** One reader's interest in a row. */
export interface RowWatch<R> {
  readonly reader: R;
}

/** What readers must hear of. By the time anybody sees it, every row in it has been replaced. */
export interface RowUpdate<R> {
  /** Who is to have which bytes; equal bytes are left out, and those come first that may close something. */
  readonly sends: readonly RowSend<R>[];
  /** Readers whose subject is no more. */
  readonly gone: readonly R[];
}

export interface RowSend<R> {
  readonly encoded: EncodedRow;
  readonly watches: Iterable<RowWatch<R>>;
  /** Set where it refuses these watches nothing that the row they have admits, so that it may wait (design §6.5). */
  readonly onlyWidens?: true;
}
