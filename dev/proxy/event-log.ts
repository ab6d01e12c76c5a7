/** Who a peer is to this proxy. */
export interface EventClient {
  readonly address: string;
  /** `mtls` with an identity, `tls` without one, `none` for plaintext, `opaque` for TLS that is not ours, `skipped` for ports without detection. */
  readonly tls: 'mtls' | 'tls' | 'none' | 'opaque' | 'skipped';
  readonly identity: string | undefined;
}

/** What a row holds, short enough for one line. */
export interface RowSummary {
  readonly server: string;
  readonly protocol: string;
  readonly authorizations: readonly string[];
  readonly routes: readonly string[];
}

/** What is told of a certificate: hex in lower case, an ISO time. */
export interface CertificateFacts {
  readonly serial: string;
  readonly sha256: string;
  readonly validUntil: string;
}

export type Verdict = 'allowed' | 'denied' | 'no-route';

/** What a proxy tells on its standard output, one JSON object a line. Connections are named as in `connection-id.ts`. */
export type ProxyEvent =
  | {
      readonly event: 'started';
      readonly identity: string;
      readonly inbound: readonly string[];
      readonly httpProxy: string | undefined;
      readonly admin: string;
    }
  | ({ readonly event: 'certificate'; readonly identity: string } & CertificateFacts)
  | { readonly event: 'certify-failed'; readonly reason: string; readonly retryMs: number }
  | {
      readonly event: 'row';
      readonly port: number;
      /** The first 16 hex digits of the SHA-256 of the message's bytes. */
      readonly hash: string;
      readonly row: RowSummary;
    }
  | { readonly event: 'row-invalid'; readonly port: number; readonly hash: string; readonly reason: string }
  | {
      readonly event: 'stream-lost';
      readonly call: string;
      readonly target: string;
      readonly reason: string;
      /** Undefined = the answer is final. */
      readonly retryMs: number | undefined;
    }
  | {
      readonly event: 'endpoints';
      readonly target: string;
      readonly endpoints: readonly { readonly address: string; readonly identity: string | undefined }[];
    }
  | {
      readonly event: 'inbound-request';
      readonly connection: string;
      readonly port: number;
      readonly client: EventClient;
      readonly method: string;
      readonly path: string;
      readonly verdict: Verdict;
      readonly status: number;
      readonly server: string;
      readonly route: string | undefined;
      readonly authorization: string | undefined;
    }
  | {
      readonly event: 'inbound-tcp';
      readonly connection: string;
      readonly port: number;
      readonly client: EventClient;
      readonly verdict: 'allowed' | 'denied' | 'terminated';
      readonly server: string;
      readonly authorization: string | undefined;
    }
  | {
      readonly event: 'inbound-refused';
      readonly connection: string;
      readonly port: number;
      readonly reason: string;
    }
  | {
      readonly event: 'outbound-request';
      /** The application's connection to this proxy, and this proxy's onwards. */
      readonly connection: string;
      readonly upstream: string | undefined;
      readonly target: string;
      readonly method: string;
      readonly path: string;
      readonly status: number;
      /** Whom the upstream proved to be; undefined = plaintext. */
      readonly identity: string | undefined;
      readonly reason: string | undefined;
    }
  | {
      readonly event: 'outbound-tcp';
      readonly connection: string;
      readonly upstream: string | undefined;
      readonly target: string;
      readonly identity: string | undefined;
      readonly reason: string | undefined;
    }
  | { readonly event: 'warning'; readonly reason: string };

/** An event with the moment it happened, in milliseconds since the epoch. */
export type LoggedEvent = ProxyEvent & { readonly at: number };

export type EventLog = (event: ProxyEvent) => void;

/** Writes each event as a line of JSON. */
export const eventLog =
  (write: (line: string) => void, now: () => number): EventLog =>
  (event) =>
    write(`${JSON.stringify({ at: now(), ...event })}\n`);

/** Reads a line of a proxy's standard output; undefined for anything that is none of its events. */
export const readEvent = (line: string): LoggedEvent | undefined => {
  try {
    const value: unknown = JSON.parse(line);
    const known = typeof value === 'object' && value !== null && 'at' in value && 'event' in value;
    return known ? (value as LoggedEvent) : undefined;
  } catch {
    return undefined;
  }
};
