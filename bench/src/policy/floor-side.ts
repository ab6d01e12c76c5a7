import { createServer, type ServerHttp2Stream } from 'node:http2';
import process from 'node:process';
import { createServer as createTlsServer } from 'node:tls';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { frameMessage } from '@gatehouse/platform/grpc/message-frames';
import { secureContextOptions } from '@gatehouse/platform/tls/material';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { obey } from '../destination/side.ts';
import { clusterObjects, forEverybody, podAt, serverName } from './cluster-objects.ts';
import { aPolicyWatch } from './policy-parts.ts';

/** What is measured beside it: bare node:http2 that writes frames of the same rows, made beforehand, to every stream. */
const [pods = 0, podsPerApp = 1] = process.argv.slice(2).map(Number);
const abort = new AbortController();
const frameOf = async (clients: number): Promise<Buffer> => {
  const watch = aPolicyWatch();
  void watch.run(new FakeSource(...clusterObjects(pods, podsPerApp), forEverybody(clients)), abort.signal);
  const answer = await watch.look({ ...podAt(0), port: 8080 });
  if (answer === undefined) throw new Error('the pod is not in the clusterObjects');
  return frameMessage(answer.encoded.bytes);
};
const frames = [await frameOf(20), await frameOf(19)];
abort.abort();

const streams = new Set<ServerHttp2Stream>();
const server = createServer();
server.on('stream', (stream: ServerHttp2Stream) => {
  streams.add(stream);
  stream.once('close', () => streams.delete(stream));
  stream.on('error', () => streams.delete(stream));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.write(frames[0]);
});
const authority = anAuthority();
const { trustAnchors, ...certificate } = aTlsMaterial(authority, { name: serverName });
const tls = createTlsServer(secureContextOptions(trustAnchors, certificate), (socket) => {
  socket.setNoDelay(true);
  server.emit('connection', Object.assign(socket, { alpnProtocol: 'h2' }));
});
let turn = 0;
tls.listen(0, '127.0.0.1', () => {
  const bound = tls.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  obey({ port, trustAnchors: authority.pem }, () => {
    turn = 1 - turn;
    for (const stream of streams) stream.write(frames[turn]);
  });
});
