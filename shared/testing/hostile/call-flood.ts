import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  acknowledged,
  callBytes,
  clientPreface,
  endStream,
  FrameReader,
  frameBytes,
  frameType,
  type RawCall,
} from '../raw-http2.ts';

export interface CallFloodOptions {
  /** Connected: plaintext, or TLS whose handshake is over. */
  readonly socket: Socket;
  readonly calls: number;
  /** Default: a reader. One that is deaf takes nothing off the wire. */
  readonly reads?: boolean;
  readonly call: Omit<RawCall, 'stream'>;
  /** What follows each call on the wire, such as its cancellation. */
  readonly after?: (stream: number) => Uint8Array;
}

/** What came of a flood so far. */
export interface CallFlood {
  readonly sent: number;
  /** Streams on which a message came. */
  readonly messages: number;
  /** Calls that ended with a status. */
  readonly ended: number;
  readonly reset: number;
  /** Whether the server has hung up. */
  readonly closed: boolean;
  stop(): void;
}

/** Makes calls on one connection as fast as the server takes them off it. Resolves when all are sent, or the connection has ended. */
export const callFlood = async ({
  socket,
  calls,
  reads = true,
  call,
  after,
}: CallFloodOptions): Promise<CallFlood> => {
  const flood = { sent: 0, messages: 0, ended: 0, reset: 0, closed: false, stop: () => socket.destroy() };
  const frames = new FrameReader();
  socket.on('error', () => {});
  socket.once('close', () => {
    flood.closed = true;
  });
  if (reads) {
    socket.on('data', (chunk: Buffer) => {
      for (const { type, flags, payload } of frames.push(chunk)) {
        const isAcknowledged = (flags & acknowledged) !== 0;
        if (type === frameType.settings && !isAcknowledged) {
          socket.write(frameBytes(frameType.settings, acknowledged, 0, Buffer.alloc(0)));
        } else if (type === frameType.ping && !isAcknowledged) {
          socket.write(frameBytes(frameType.ping, acknowledged, 0, Buffer.from(payload)));
        } else if (type === frameType.data) flood.messages += 1;
        else if (type === frameType.reset) flood.reset += 1;
        else if (type === frameType.headers && (flags & endStream) !== 0) flood.ended += 1;
      }
    });
  }
  socket.write(clientPreface);
  while (flood.sent < calls && !flood.closed) {
    const stream = 2 * flood.sent + 1;
    const bytes = callBytes({ ...call, stream });
    flood.sent += 1;
    if (!socket.write(after === undefined ? bytes : Buffer.concat([bytes, after(stream)]))) {
      const over = new AbortController();
      await Promise.race([
        once(socket, 'drain', { signal: over.signal }),
        once(socket, 'close', { signal: over.signal }),
      ]).catch(() => {});
      over.abort();
    }
  }
  return flood;
};

/** A plaintext connection for a flood, from any address of 127.0.0.0/8. */
export const connectedTo = async (port: number, from = '127.0.0.1'): Promise<Socket> => {
  const socket = connect({ host: '127.0.0.1', port, localAddress: from });
  await once(socket, 'connect');
  return socket;
};
