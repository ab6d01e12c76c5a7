import { connect, type Socket } from 'node:net';

export interface SilentConnections {
  /** How many have been opened so far. */
  readonly opened: number;
  /** Of those, how many the server has hung up on. */
  readonly closed: number;
  stop(): void;
}

export interface SilentOptions {
  readonly port: number;
  readonly perSecond: number;
  /** The address that they come from: any of 127.0.0.0/8 on Linux. */
  readonly from?: string;
  /** What each says before it falls silent: part of a ClientHello, or a whole one. Default: nothing. */
  readonly bytes?: Uint8Array;
}

/** Opens connections at a steady rate, and keeps each for as long as the server does. */
export const silentConnections = ({
  port,
  perSecond,
  from = '127.0.0.1',
  bytes,
}: SilentOptions): SilentConnections => {
  const sockets = new Set<Socket>();
  const start = performance.now();
  let [opened, closed] = [0, 0];
  const open = (): void => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from });
    opened += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      closed += 1;
      sockets.delete(socket);
    });
    socket.resume();
    if (bytes !== undefined) socket.write(bytes);
  };
  // As many as are due by now, so that a machine that is busy elsewhere does not make the attack a mild one.
  const timer = setInterval(() => {
    const due = ((performance.now() - start) / 1_000) * perSecond;
    while (opened < due) open();
  }, 5);
  return {
    get opened() {
      return opened;
    },
    get closed() {
      return closed;
    },
    stop: () => {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    },
  };
};
