import type { ServerResponse } from 'node:http';
import { expired } from './api-status.ts';
import type { Fault } from './faults.ts';
import { printTable } from './print-table.ts';
import type { ResourceRequest } from './resource-request.ts';
import type { ServerState } from './server-state.ts';
import { type WatchEvent, type Watching, watchObjects } from './watch-objects.ts';

/** How watches are kept alive and ended. */
export interface WatchTimes {
  /** Milliseconds between bookmarks; the real server takes about a minute. */
  readonly bookmarkEvery: number;
  /** Milliseconds after which a watch without `timeoutSeconds` ends; the real server draws 30 to 60 minutes. */
  readonly longest: number;
}

/** An open watch, for tests that end it or say something in it. */
export interface OpenWatch {
  readonly request: ResourceRequest;
  bookmark(): void;
  /** Ends the answer in order, as at the end of `timeoutSeconds`. */
  end(): void;
  /** Breaks the connection, half a line after the last whole one. */
  cut(): void;
  /** Says nothing more; the connection stays. */
  silence(): void;
}

/** Returns a watch: one JSON object a line until its time is over, the client goes or a fault ends it. */
export const serveWatch = (
  state: ServerState,
  request: ResourceRequest,
  {
    response,
    fault,
    times,
    asTable = false,
  }: {
    readonly response: ServerResponse;
    readonly fault: Fault | undefined;
    readonly times: WatchTimes;
    readonly asTable?: boolean;
  },
): OpenWatch => {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  let silent = fault?.kind === 'silence';
  const cut = fault?.kind === 'cut' ? fault.where : undefined;
  const line = (event: WatchEvent): void => {
    if (silent || response.writableEnded || response.destroyed) return;
    const bytes = Buffer.from(`${JSON.stringify(event)}\n`);
    if (cut !== undefined && event.type !== 'BOOKMARK') breakAfter(bytes.subarray(0, cutAt(bytes, cut)));
    else if (fault?.kind === 'garbage') response.write(bytes.subarray(1));
    else if (fault?.kind === 'dribble') for (const byte of bytes) response.write(Uint8Array.of(byte));
    else response.write(bytes);
  };
  /** Sends what there is and then breaks the connection: without the last chunk, which would be an end in order. */
  const breakAfter = (bytes: Uint8Array): void => {
    silent = true;
    response.write(bytes, () => response.destroy());
  };
  let watching: Watching | undefined;
  const close = (): void => {
    clearInterval(bookmarks);
    clearTimeout(timeout);
    watching?.stop();
  };
  const end = (): void => {
    close();
    if (!silent) response.end();
  };
  const bookmarks = setInterval(() => watching?.bookmark(), times.bookmarkEvery);
  const seconds = Number(request.query.get('timeoutSeconds') ?? 0);
  const timeout = setTimeout(
    () => {
      // The real server says how far it has come shortly before it ends a watch.
      watching?.bookmark();
      end();
    },
    seconds > 0 ? Math.min(seconds * 1000, 2 ** 31 - 1) : times.longest,
  );
  response.once('close', close);
  if (fault?.kind === 'gone') {
    line({
      type: 'ERROR',
      object: expired(
        `too old resource version: ${request.query.get('resourceVersion') ?? ''} (${state.store.revision})`,
      ).toObject(),
    });
    end();
  } else {
    const { type, version } = request;
    const printed = (event: WatchEvent): WatchEvent =>
      asTable && event.type !== 'ERROR' && event.type !== 'BOOKMARK'
        ? { ...event, object: printTable(state, type, { version, body: event.object }) }
        : event;
    watching = watchObjects(state.store, request, { say: (event) => line(printed(event)), end });
  }
  return {
    request,
    bookmark: () => watching?.bookmark(),
    end,
    cut: () => {
      breakAfter(Buffer.from('{"type":"MODIFIED","object":{"kin'));
    },
    silence: () => {
      silent = true;
    },
  };
};

/** In the middle of the first character of several bytes, or of the line when it has none. */
const cutAt = (bytes: Uint8Array, where: 'line' | 'character'): number => {
  const lead = where === 'character' ? bytes.findIndex((byte) => byte >= 0xc0) : -1;
  return lead === -1 ? bytes.length >> 1 : lead + 1;
};
