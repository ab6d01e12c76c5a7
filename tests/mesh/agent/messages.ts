/** What the rig asks of its hand inside a namespace, and what it is told. Everything is JSON. */
export type Ask =
  /** Starts an application on these ports that answers HTTP/1, HTTP/2 and raw TCP alike, on every address. */
  | {
      readonly kind: 'listen';
      readonly name: string;
      readonly ports: readonly number[];
      /** With it the application also ends TLS of its own on every port. */
      readonly tls?: ServedTls;
      /** The ports whose HTTP/2 is gRPC: `/e2e.Echo/Say` and `/e2e.Echo/Talk`. */
      readonly grpc?: readonly number[];
    }
  /** What the application saw since it was last asked. */
  | { readonly kind: 'seen' }
  /** How much the application has seen since it started, by port, own address, protocol and client. */
  | { readonly kind: 'sightings' }
  | { readonly kind: 'call'; readonly call: Call }
  /** Whether a kept connection is still open, after what came for it was read. */
  | { readonly kind: 'state'; readonly connection: string }
  | { readonly kind: 'hang-up'; readonly connection: string }
  /** Opens an HTTP/2 stream over the call's kept connection and leaves it open; the application's `/stream` never ends. */
  | { readonly kind: 'open-stream'; readonly name: string; readonly call: Call }
  /** How that stream fares. */
  | { readonly kind: 'stream'; readonly name: string }
  /** Repeats a call until `end-load`, one every `everyMs`, though up to ten earlier ones were not answered yet. */
  | { readonly kind: 'load'; readonly name: string; readonly call: Call; readonly everyMs: number }
  | { readonly kind: 'end-load'; readonly name: string }
  /** One unary RPC, over the channel of this name. */
  | { readonly kind: 'grpc-call'; readonly rpc: Rpc; readonly text: string }
  /** Opens a bidirectional stream over the channel: what is said comes back, and the server ticks by itself. */
  | { readonly kind: 'open-talk'; readonly name: string; readonly rpc: Rpc }
  | { readonly kind: 'say'; readonly name: string; readonly text: string }
  /** How the stream fares. */
  | { readonly kind: 'talk'; readonly name: string }
  | { readonly kind: 'end-talk'; readonly name: string }
  /** Reads a page inside the namespace: a proxy's or a service's own. `bearer` is the token to show. */
  | { readonly kind: 'read'; readonly url: string; readonly bearer?: string }
  /** The certificate that a server shows to a client of this name. */
  | {
      readonly kind: 'certificate';
      readonly host: string;
      readonly port: number;
      readonly serverName: string;
    };

export interface Answers {
  readonly listen: null;
  readonly seen: readonly Seen[];
  readonly sightings: readonly Sighting[];
  readonly call: Outcome;
  readonly state: 'open' | 'closed';
  readonly 'hang-up': null;
  readonly 'open-stream': null;
  readonly stream: { readonly status: number; readonly chunks: number; readonly ended: boolean };
  readonly load: null;
  readonly 'end-load': LoadTally;
  readonly 'grpc-call': RpcStatus & { readonly text: string };
  readonly 'open-talk': null;
  readonly say: null;
  readonly talk: Talk;
  readonly 'end-talk': null;
  readonly read: { readonly status: number; readonly text: string };
  readonly certificate: { readonly issuer: string; readonly serial: string };
}

export interface Rpc {
  /** Channels of the same name are one connection of the client's. */
  readonly channel: string;
  readonly host: string;
  readonly port: number;
  readonly authority: string;
  /** Without it an RPC has no deadline. */
  readonly deadlineMs?: number;
}

/** How an RPC ended, as a gRPC client sees it; code 0 is OK. */
export interface RpcStatus {
  readonly code: number;
  readonly details: string;
}

export interface Talk {
  /** What was said and came back, and what the server said unasked. */
  readonly echoes: number;
  readonly ticks: number;
  /** Undefined while the stream is open. */
  readonly status?: RpcStatus;
}

export interface Call {
  readonly host: string;
  readonly port: number;
  readonly speaks: 'http1' | 'http2' | 'tcp';
  /** The address to call from, where the namespace has several. */
  readonly from?: string;
  /** Keeps the connection under this name, and uses it again; without it each call has its own. */
  readonly connection?: string;
  /** TLS of the client's own, as somebody without a proxy would do it. The server's certificate is not looked at. */
  readonly tls?: OwnTls;
  readonly method?: string;
  /** Sent as written. */
  readonly path?: string;
  /** Null sends none. */
  readonly authority?: string | null;
  readonly headers?: readonly (readonly [string, string])[];
  /** What raw TCP sends. */
  readonly text?: string;
  readonly timeoutMs?: number;
}

/** What a server of TLS shows; PEM. */
export interface ServedTls {
  readonly certificate: string;
  readonly key: string;
}

export interface OwnTls {
  readonly serverName: string;
  /** PEM; without both the client stays anonymous. */
  readonly certificate?: string;
  readonly key?: string;
  /** Announces this port in a transport header (contract/proxy.md §1.3) before anything else. */
  readonly transportHeaderPort?: number;
}

export type Outcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      /** How many connections have been opened under this call's connection name. */
      readonly opened: number;
    }
  | { readonly kind: 'echoed'; readonly text: string; readonly opened: number }
  /** Closed, reset or never opened before an answer came. */
  | { readonly kind: 'closed'; readonly reason: string }
  | { readonly kind: 'silent'; readonly afterMs: number };

export interface Seen {
  readonly port: number;
  /** The address of the application's that was called. */
  readonly at: string;
  /** `tls`: raw bytes inside TLS that the application itself ended. `grpc` is an RPC, `grpc-message` what is said in one. */
  readonly speaks: 'http1' | 'http2' | 'tcp' | 'tls' | 'grpc' | 'grpc-message';
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Sighting extends Pick<Seen, 'port' | 'at' | 'speaks'> {
  /** Who it was, as the proxy says (`l5d-client-id`); empty where it says nobody. */
  readonly client: string;
  readonly count: number;
}

/** How often each outcome came: `200`, `403`, `closed`, `silent`; and the first time after the start of each but 200. */
export interface LoadTally {
  readonly outcomes: Readonly<Record<string, number>>;
  /** From the first call to the last; milliseconds. */
  readonly ms: number;
  readonly reasons: readonly string[];
}

export type Question = { readonly id: number; readonly ask: Ask };
export type Reply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string };
