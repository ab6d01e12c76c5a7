import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { parseHostPort } from '@gatehouse/core/host-port';
import { silentLog } from '@gatehouse/platform/log/log';
import { mintDevToken } from '@gatehouse/platform/state/dev-tokens';
import { makeStateDir } from '@gatehouse/platform/state/state-dir';
import { aPod, aServiceAccount } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { aGrpcClient } from '@gatehouse/testing/grpc';
import { callFlood } from '@gatehouse/testing/hostile/call-flood';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { CertifyRequest, CertifyResponse } from '@gatehouse/wire/gen/io/linkerd/proxy/identity';
import { aCsr, aName } from '../../testing/csr-builder.ts';
import { readIdentityConfig } from '../config.ts';
import { startIdentity } from '../service.ts';

const certifyPath = '/io.linkerd.proxy.identity.Identity/Certify';

/** Identity over TLS, and a request that it grants: the attacker is a pod like any other. */
const anIdentity = async (t: TestContext) => {
  const state = await makeStateDir(await temporaryFolder(t));
  const pod = aPod({ name: 'frontend-0' });
  const config = readIdentityConfig({
    GATEHOUSE_SOURCE: 'directory:/nowhere',
    GATEHOUSE_STATE_DIR: state.root,
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_GRPC_TLS: 'always',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
  });
  const service = await startIdentity(config, {
    source: new FakeSource(pod, aServiceAccount()),
    log: silentLog,
  });
  t.after(() => service.stop('the test is over'));
  const { namespace } = pod.meta;
  const token = await mintDevToken({
    state,
    namespace,
    pod: pod.meta,
    serviceAccount: aServiceAccount().meta,
    now: Date.now(),
  });
  const trustAnchors = await readFile(state.trustAnchors, 'utf8');
  const message = CertifyRequest.encode({
    identity: aName,
    token: Buffer.from(token),
    certificateSigningRequest: Buffer.from(aCsr()),
  }).finish();
  return { service, trustAnchors, message };
};

for (const [where, from] of [
  ['another address', '127.0.7.7'],
  ['the same address', '127.0.0.1'],
] as const) {
  test(`one connection that asks for thousands of certificates, from ${where}, takes them from nobody`, async (t) => {
    const { service, trustAnchors, message } = await anIdentity(t);
    const address = parseHostPort(service.grpc);
    assert.ok(address.ok);
    const { port } = address.value;
    const over = new AbortController();
    let sent = 0;
    const attack = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const socket = connectTls({
          socket: connect({ host: '127.0.0.1', port, localAddress: from }),
          servername: service.name,
          ca: trustAnchors,
          checkServerIdentity: () => undefined,
        });
        over.signal.addEventListener('abort', () => socket.destroy());
        // A socket that is destroyed before its handshake is done emits no error.
        await once(socket, 'secureConnect', { signal: over.signal });
        const flood = await callFlood({ socket, calls: 12_000, call: { path: certifyPath, message } });
        sent += flood.sent;
      }
    };
    // A flood whose connection is cut ends the attack; what counts is that nobody else was refused meanwhile.
    let isOver = false;
    const attacking = attack()
      .catch(() => {})
      .finally(() => {
        isOver = true;
      });
    const outcomes: Record<string, number> = {};
    // Each on a connection of its own, as proxies have it.
    for (let count = 0; count < 20 || (sent < 12_000 && !isOver); count += 1) {
      const client = aGrpcClient(t, { address: service.grpc }, { serverName: service.name, trustAnchors });
      const outcome = await client.unary(certifyPath, message).then(
        (bytes) => (CertifyResponse.decode(bytes).leafCertificate.length > 0 ? 'issued' : 'empty'),
        (error: Error & { readonly code?: string }) => `${error.code}: ${error.message}`,
      );
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      await client.close();
    }
    over.abort();
    await attacking;
    assert.deepEqual(Object.keys(outcomes), ['issued'], JSON.stringify(outcomes));
  });
}
