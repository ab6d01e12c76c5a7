import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** What kubelet speaks, the first that the client offers. */
const spoken: ReadonlySet<string> = new Set(['v4.channel.k8s.io']);

const dataChannel = 0;
const errorChannel = 1;

export interface Forwarding {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Where a pod's port is for this test; undefined = nobody listens there. */
export interface PodAddress {
  readonly host: string;
  readonly port: number;
}

/** Forwards as kubelet does over WebSocket: each message begins with its channel, each channel with the port. */
export const forwardPort = ({ incoming, socket, head }: Forwarding, { host, port }: PodAddress): void => {
  const server = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => [...offered].find((each) => spoken.has(each)) ?? false,
  });
  server.handleUpgrade(incoming, socket, head, (client) => splice(client, { host, port }));
};

const splice = (client: WebSocket, { host, port }: PodAddress): void => {
  const say = (channel: number, bytes: Uint8Array): void =>
    client.send(Buffer.concat([Uint8Array.of(channel), bytes]));
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16LE(port);
  for (const channel of [dataChannel, errorChannel]) say(channel, portBytes);
  const pod = connect({ host, port });
  pod.on('data', (bytes: Buffer) => say(dataChannel, bytes));
  pod.once('error', (error) => {
    say(errorChannel, Buffer.from(`error forwarding port ${port} to pod: ${error.message}`));
    client.close();
  });
  pod.once('end', () => client.close());
  client.on('message', (message: Buffer) => {
    if (message[0] === dataChannel) pod.write(message.subarray(1));
  });
  client.once('close', () => pod.destroy());
  client.on('error', () => pod.destroy());
};
