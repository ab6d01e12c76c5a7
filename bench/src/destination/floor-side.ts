import { createServer, type ServerHttp2Stream } from 'node:http2';
import process from 'node:process';
import { createServer as createTlsServer } from 'node:tls';
import { AddressIndex } from '@gatehouse/core/mesh/address-index';
import { noPorts } from '@gatehouse/core/port-set';
import type { Change } from '@gatehouse/core/resources/changes';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { compileEndpointSet } from '@gatehouse/destination/core/endpoints/endpoint-set';
import { Snapshots } from '@gatehouse/destination/core/snapshot';
import { Updates } from '@gatehouse/destination/ports/updates';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { frameMessage } from '@gatehouse/platform/grpc/message-frames';
import { secureContextOptions } from '@gatehouse/platform/tls/material';
import { clusterObjects, oneMore, serverName } from './cluster-objects.ts';
import { obey } from './side.ts';

/** What is measured beside it: bare node:http2 that writes the same frames, made beforehand, to every stream. */
const endpoints = Number(process.argv[2]);
const target = {
  kind: 'service',
  namespace: 'demo',
  name: 'backend',
  port: 80,
  instance: undefined,
} as const;
const index = new ResourceIndex();
const settings = {
  mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
  clusterDomain: 'cluster.local',
  defaultOpaquePorts: noPorts,
  ipv6: false,
  slices: 'derived' as const,
};
const apply = (objects: ReturnType<typeof clusterObjects>): void => {
  index.apply(objects.map((object) => ({ type: 'apply', kind: object.kind, object }) as Change));
};
const updates = new Updates();
const snapshots = new Snapshots();
const labels = { service: 'backend', namespace: 'demo' };
const cluster = { index, addresses: new AddressIndex(), settings };
apply(clusterObjects(endpoints));
const nowhere = { nodeName: '', zone: '' };
const set = compileEndpointSet(cluster, target).value;
const first = updates.next('nothing', snapshots.of(set, nowhere), labels);
apply([oneMore(endpoints)]);
const grown = compileEndpointSet(cluster, target, set).value;
const second = updates.next(first?.reached ?? 'nothing', snapshots.of(grown, nowhere), labels);
if (first === undefined || second === undefined) throw new Error('there is nothing to send');
const frames = { first: frameMessage(first.bytes), second: frameMessage(second.bytes) };

const streams = new Set<ServerHttp2Stream>();
const server = createServer();
server.on('stream', (stream: ServerHttp2Stream) => {
  streams.add(stream);
  stream.once('close', () => streams.delete(stream));
  stream.on('error', () => streams.delete(stream));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.write(frames.first);
});
const authority = anAuthority();
const { trustAnchors, ...certificate } = aTlsMaterial(authority, { name: serverName });
const tls = createTlsServer(secureContextOptions(trustAnchors, certificate), (socket) => {
  socket.setNoDelay(true);
  server.emit('connection', Object.assign(socket, { alpnProtocol: 'h2' }));
});
tls.listen(0, '127.0.0.1', () => {
  const bound = tls.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  obey({ port, trustAnchors: authority.pem }, () => {
    for (const stream of streams) stream.write(frames.second);
  });
});
