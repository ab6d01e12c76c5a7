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
  initialWindow,
  type RawCall,
  type RawFrame,
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
  /** Frames with messages. */
  readonly messages: number;
  /** Calls that ended with a status. */
  readonly ended: number;
  readonly reset: number;
  /** Whether the server has hung up. */
  readonly closed: boolean;
  stop(): void;
}

/**
 * Makes calls on one connection as fast as the server takes them off it, and keeps to the connection's window, so that
 * nobody hangs up on it for a lesser fault (RFC 9113 §6.9.1). Resolves when all are sent, or the connection has ended.
 */
export const callFlood = async ({
  socket,
  calls,
  reads = true,
  call,
  after,
}: CallFloodOptions): Promise<CallFlood> => {
  const flood = {
    sent: 0,
    messages: 0,
    ended: 0,
    reset: 0,
    closed: socket.destroyed,
    stop: () => socket.destroy(),
  };
  const frames = new FrameReader();
  const dataBytes = call.message === undefined ? 0 : call.message.length + 5;
  let window = initialWindow;
  let wake = Promise.withResolvers<void>();
  const hear = ({ type, flags, stream, payload }: RawFrame): void => {
    const isAcknowledged = (flags & acknowledged) !== 0;
    switch (type) {
      case frameType.settings:
        if (!isAcknowledged) socket.write(frameBytes(type, acknowledged, 0, Buffer.alloc(0)));
        return;
      case frameType.ping:
        if (!isAcknowledged) socket.write(frameBytes(type, acknowledged, 0, payload));
        return;
      case frameType.windowUpdate:
        if (stream === 0) window += payload.readUInt32BE(0);
        return;
      case frameType.data:
        flood.messages += 1;
        return;
      case frameType.reset:
        flood.reset += 1;
        return;
      case frameType.headers:
        if ((flags & endStream) !== 0) flood.ended += 1;
    }
  };
  socket.on('error', () => {});
  socket.on('drain', () => wake.resolve());
  socket.once('close', () => {
    flood.closed = true;
    wake.resolve();
  });
  if (reads) {
    socket.on('data', (chunk: Buffer) => {
      for (const frame of frames.push(chunk)) hear(frame);
      wake.resolve();
    });
  }
  socket.write(clientPreface);
  while (flood.sent < calls && !flood.closed) {
    if (window < dataBytes || socket.writableNeedDrain) {
      wake = Promise.withResolvers();
      await wake.promise;
      continue;
    }
    const stream = 2 * flood.sent + 1;
    const bytes = callBytes({ ...call, stream });
    flood.sent += 1;
    window -= dataBytes;
    socket.write(after === undefined ? bytes : Buffer.concat([bytes, after(stream)]));
  }
  return flood;
};

/** A plaintext connection for a flood, from any address of 127.0.0.0/8. */
export const connectedTo = async (port: number, from = '127.0.0.1'): Promise<Socket> => {
  const socket = connect({ host: '127.0.0.1', port, localAddress: from });
  await once(socket, 'connect');
  return socket;
};
