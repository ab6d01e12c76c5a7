import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { TestContext } from 'node:test';
import type { HostPort } from '@gatehouse/core/host-port';

export interface StallingNetwork {
  /** Where clients connect instead. */
  readonly address: HostPort;
  /** From now on nothing that the server sends comes through. */
  stall(): void;
  /** It does again, all of it. */
  goOn(): void;
}

/** A network between clients and a server that the test can stop, in one direction. `from` is the address that the server sees. */
export const aStallingNetwork = async (
  t: TestContext,
  { to, from }: { readonly to: HostPort; readonly from?: string },
): Promise<StallingNetwork> => {
  const lines = new Set<{ readonly stall: () => void; readonly goOn: () => void }>();
  let isStalled = false;
  const server = createServer((near) => {
    const far = connect({ ...to, ...(from === undefined ? {} : { localAddress: from }) });
    const line = { stall: () => void far.unpipe(near).pause(), goOn: () => void far.pipe(near) };
    lines.add(line);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => {});
      socket.on('close', () => {
        lines.delete(line);
        other.destroy();
      });
    }
    near.pipe(far);
    if (isStalled) line.stall();
    else line.goOn();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    stall: () => {
      isStalled = true;
      for (const line of lines) line.stall();
    },
    goOn: () => {
      isStalled = false;
      for (const line of lines) line.goOn();
    },
  };
};
