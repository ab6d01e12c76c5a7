import { createServer as createStreamServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createWebhookServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { frameMessage } from '@gatehouse/platform/grpc/message-frames';
import { secureContextOptions } from '@gatehouse/platform/tls/material';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { obey } from '../destination/side.ts';
import { clusterObjects, podAt, serverName } from '../policy/cluster-objects.ts';
import { aPolicyWatch } from '../policy/policy-parts.ts';
import { connections, podsOf, podsPerApp } from './one-of-many.ts';

/**
 * What is measured beside it: node:http2 with as many streams, which writes a row of that size to those that a change is for,
 * and node:https, which reads the JSON of a review and allows it.
 */
const abort = new AbortController();
const watch = aPolicyWatch();
void watch.run(new FakeSource(...clusterObjects(connections, podsPerApp)), abort.signal);
const answer = await watch.look({ ...podAt(0), port: 8080 });
if (answer === undefined) throw new Error('the pod is not in the cluster');
const frame = frameMessage(answer.encoded.bytes);
abort.abort();

/** The streams for port 8080, by the pod's name. */
const streams = new Map<string, ServerHttp2Stream>();
const server = createStreamServer();
server.on('stream', (stream: ServerHttp2Stream) => {
  stream.on('error', () => {});
  stream.once('data', (chunk: Buffer) => {
    const { workload, port } = PortSpec.decode(chunk.subarray(5));
    if (port === 8080) streams.set((JSON.parse(workload) as { readonly pod: string }).pod, stream);
    stream.write(frame);
  });
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
});
const authority = anAuthority();
const { trustAnchors, ...certificate } = aTlsMaterial(authority, { name: serverName });
const context = secureContextOptions(trustAnchors, certificate);
const tls = createTlsServer(context, (socket) => {
  socket.setNoDelay(true);
  server.emit('connection', Object.assign(socket, { alpnProtocol: 'h2' }));
});
const webhook = createWebhookServer(context, async (incoming, response) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const { request } = JSON.parse(Buffer.concat(chunks).toString()) as {
    readonly request: { readonly uid: string };
  };
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: request.uid, allowed: true },
  };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(review));
});
const portOf = (listening: { address(): unknown }): number => (listening.address() as AddressInfo).port;
for (const listener of [tls, webhook]) {
  const { promise, resolve } = Promise.withResolvers<void>();
  listener.listen(0, '127.0.0.1', resolve);
  await promise;
}
let changes = 0;
obey(
  {
    port: portOf(tls),
    trustAnchors: authority.pem,
    reviews: `https://127.0.0.1:${portOf(webhook)}/validate`,
  },
  () => {
    for (const pod of podsOf(changes)) streams.get(podAt(pod).pod)?.write(frame);
    changes += 1;
  },
);
