import type { ErrorCode } from '@gatehouse/core/error';
import type { Identity } from '@gatehouse/core/mesh/workload-identity';

/**
 * The port to the streaming transport (design §14): accept a connection, a call with request bytes, `send(bytes)`,
 * `end(status)`. Messages are encoded protobuf; the transport never looks inside, so one encoding serves every stream.
 */
export interface Peer {
  /** The TCP peer address without port, IPv4-mapped IPv6 as IPv4. */
  readonly address: string;
  readonly port: number;
  /** The first DNS SAN of a client certificate that verified to the trust anchors; undefined for anonymous clients. */
  readonly identity: Identity | undefined;
}

export interface UnaryCall {
  readonly request: Uint8Array;
  readonly peer: Peer;
  /** Aborts when the client cancelled or its deadline passed. */
  readonly signal: AbortSignal;
}

export interface StreamCall {
  readonly request: Uint8Array;
  readonly peer: Peer;
  /** Aborts when the stream is over, no matter who ended it; its reason is `serverDrained` if the server was told to drain. */
  readonly signal: AbortSignal;
  /** Hands bytes over. False = the transport is holding them: keep only the latest and wait for `onWritable`. */
  send(message: Uint8Array): boolean;
  /** Has `listener` called each time that everything handed over has left the process. One listener per call. */
  onWritable(listener: () => void): void;
  /**
   * Has `listener` called once the client's side of the connection has answered something that is sent after now, so that it has read
   * whatever has left the process by now. Never called when the connection ends before.
   */
  onAnswered(listener: () => void): void;
  /**
   * Ends the stream; undefined = OK, once everything handed over has left. A failure does not wait: what the transport still
   * holds is dropped. The status is final: nothing can be sent afterwards.
   */
  end(status?: Status): void;
}

/** Why a stream ended without fault of client or handler. */
export const serverDrained = 'the server drained';

export interface Status {
  readonly code: ErrorCode;
  readonly message: string;
}

/** By full method path, such as `/io.linkerd.proxy.identity.Identity/Certify`. */
export type Methods = Readonly<Record<string, Method>>;

export type Method = {
  /** A status by which this method answers healthy clients all the time: counted, and in the log for `debug` only. */
  readonly usual?: ErrorCode;
} & (
  | {
      /** A thrown GatehouseError becomes its gRPC status. */
      readonly kind: 'unary';
      handle(call: UnaryCall): Promise<Uint8Array> | Uint8Array;
    }
  /** `open` returns once the stream is set up; a throw ends the stream with that status. */
  | { readonly kind: 'server-stream'; open(call: StreamCall): void }
);

export interface GrpcServer {
  /** `host:port` as bound (port 0 resolved). */
  readonly address: string;
  /** Connections and streams open now. */
  readonly connections: number;
  readonly streams: number;
  /** Stops accepting, ends streams with Unavailable-free OK at a bounded pace, and resolves when all is closed. */
  drain(deadlineMs: number): Promise<void>;
}
