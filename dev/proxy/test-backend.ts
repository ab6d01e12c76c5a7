import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import type { TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { everywhere } from '@gatehouse/core/ip-network';
import { callDirect, type DirectCall } from './call.ts';
import { aRow, clientCertificate, podName, TestMesh, type TestPod } from './test-mesh.ts';

export const anybody = {
  networks: everywhere,
  authentication: { kind: 'unauthenticated' },
  meta: { kind: 'default', name: 'all' },
} as const;

/** A mesh with one pod, whose port 8080 has the given row when this resolves. */
export const aBackend = async (t: TestContext, row = aRow()) => {
  const mesh = new TestMesh(t);
  await mesh.start();
  const backend = await mesh.pod('backend', { ports: [8080] });
  mesh.push('backend', 8080, row);
  await backend.seen('row', ({ port }) => port === 8080);
  const push = async (next: ReturnType<typeof aRow>): Promise<void> => {
    const before = backend.events.length;
    mesh.push('backend', 8080, next);
    await backend.seen('row', (event) => event.port === 8080 && backend.events.indexOf(event) >= before);
  };
  return { mesh, backend, push };
};

export const call = async (backend: TestPod, options: Partial<DirectCall> & Pick<DirectCall, 'from'>) => {
  const outcome = await callDirect({
    to: { host: backend.ip, port: 8080 },
    url: 'http://backend.demo:8080/',
    ...options,
  });
  return outcome.kind === 'closed' ? 'closed' : outcome.status;
};

/** An HTTP/2 connection with mutual TLS, as another pod's proxy makes it. */
export const openHttp2 = async (
  mesh: TestMesh,
  { backend, from }: { readonly backend: TestPod; readonly from: string },
): Promise<ClientHttp2Session> => {
  const { certificate: cert, key } = clientCertificate(mesh.issuer);
  const socket = connectTls({
    socket: connectTcp({ host: backend.ip, port: 8080, localAddress: from }),
    servername: podName,
    cert,
    key,
    ca: mesh.root.pem,
    checkServerIdentity: () => undefined,
  });
  await once(socket, 'secureConnect');
  return connectHttp2('http://backend.demo:8080', { createConnection: () => socket });
};

export const request = async (session: ClientHttp2Session, headers: Record<string, string> = {}) => {
  // Another proxy carries an HTTP/1 request; without this header the application would be spoken to in HTTP/2.
  const stream = session.request({ ':path': '/', 'l5d-orig-proto': 'HTTP/1.1', ...headers });
  const [head] = await once(stream, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { status: head[':status'], head, body: Buffer.concat(chunks).toString() };
};
