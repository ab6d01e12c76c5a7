import { createServer as createTlsServer, type Server } from 'node:https';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net';
import { forwardPort } from '@gatehouse/dev/api-server/forward-port';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { pemOf } from '@gatehouse/platform/tls/material';

/** A test, or a suite's own hooks. */
interface Ending {
  after(end: () => void): void;
}

/** Listens on a free loopback port until the test is over; answers the port. */
const listening = async (test: Ending, server: TcpServer | Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => server.close());
  return (server.address() as AddressInfo).port;
};

/** A process in a pod: what it does with each connection. */
export const aPodProcess = (test: Ending, serve: (socket: Socket) => void): Promise<number> =>
  listening(
    test,
    createTcpServer((socket) => {
      socket.on('error', () => socket.destroy());
      serve(socket);
    }),
  );

/** The part of a kubelet that forwards ports: to loopback, as inside a pod. Returns its port. */
export const aKubelet = (test: Ending): Promise<number> => {
  const { key, chain } = aTlsMaterial(anAuthority({ name: 'kubelet' }), { name: 'localhost' });
  const server = createTlsServer({
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    cert: chain.map(pemOf).join(''),
  });
  server.on('upgrade', (incoming, socket, head) => {
    const port = Number(new URL(incoming.url ?? '', 'https://kubelet').searchParams.get('port'));
    forwardPort({ incoming, socket, head }, { host: '127.0.0.1', port });
    test.after(() => socket.destroy());
  });
  return listening(test, server);
};
