import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { parseHostPort } from '@gatehouse/core/host-port';
import { silentLog } from '@gatehouse/platform/log/log';
import { type Certified, certify } from '@gatehouse/platform/own-leaf/certify-client';
import { mintDevToken } from '@gatehouse/platform/state/dev-tokens';
import { makeStateDir } from '@gatehouse/platform/state/state-dir';
import { aPod } from '@gatehouse/testing/builders';
import { aGrpcClient } from '@gatehouse/testing/grpc';
import { ask } from '@gatehouse/testing/started-admin';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { aCa } from '../testing/ca-builder.ts';
import { aName } from '../testing/csr-builder.ts';
import { aKeyModule } from '../testing/key-module.ts';
import { frontend, pod, ready, started } from '../testing/started-identity.ts';
import { readIdentityConfig } from './config.ts';
import { startIdentity } from './service.ts';

const certifyPath = '/io.linkerd.proxy.identity.Identity/Certify';

describe('the identity service', () => {
  it('certifies a pod over TLS with mesh names', async (test) => {
    const identity = await started(test);
    await ready(identity);
    const { chain, validUntil } = await identity.certify();
    const [leaf, issuer, ...more] = chain.map((der) => new X509Certificate(der));
    assert.ok(leaf && issuer);
    assert.equal(leaf.subjectAltName, `DNS:${aName}`);
    assert.equal(leaf.verify(issuer.publicKey), true);
    assert.equal(more.length, 0, 'the root is left out');
    const root = new X509Certificate(await readFile(identity.state.trustAnchors));
    assert.equal(issuer.verify(root.publicKey), true);
    assert.equal(validUntil, leaf.validToDate.getTime());
  });

  it('certifies the pods of a folder of manifests', async (test) => {
    const folder = await temporaryFolder(test);
    const workload = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'frontend', namespace: 'demo' },
      spec: {
        template: {
          metadata: { labels: { app: 'frontend' } },
          spec: { containers: [{ name: 'app', image: 'app' }] },
        },
      },
    };
    await writeFile(join(folder, 'frontend.json'), JSON.stringify(workload));
    const state = await makeStateDir(await temporaryFolder(test));
    const config = readIdentityConfig({
      GATEHOUSE_SOURCE: `directory:${folder}`,
      GATEHOUSE_STATE_DIR: state.root,
      GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
      GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    });
    const service = await startIdentity(config, { log: silentLog });
    test.after(() => service.stop('the test is over'));
    const address = parseHostPort(service.grpc);
    assert.ok(address.ok);
    const { chain } = await certify({
      name: aName,
      trustAnchors: await readFile(state.trustAnchors, 'utf8'),
      key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
      token: Buffer.from(await mintDevToken({ ...frontend, state, now: Date.now() })),
      server: { address: address.value, security: 'plaintext' },
    });
    assert.equal(chain.length, 2);
  });

  it('certifies over plaintext on loopback, where proxies insist on it', async (test) => {
    const identity = await started(test, { GATEHOUSE_GRPC_TLS: 'auto' });
    assert.equal((await identity.certify()).chain.length, 2);
  });

  it('shows a leaf for its own mesh name that chains to the anchors', async (test) => {
    const identity = await started(test);
    await ready(identity);
    const { port } = new URL(`http://${identity.service.grpc}`);
    const socket = connectTls({
      host: '127.0.0.1',
      port: Number(port),
      servername: identity.service.name,
      ca: await readFile(identity.state.trustAnchors, 'utf8'),
      minVersion: 'TLSv1.3',
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('secureConnect', resolve).once('error', reject);
    await promise;
    assert.equal(socket.authorized, true);
    assert.equal(socket.getPeerCertificate().subjectaltname, `DNS:${identity.service.name}`);
    assert.equal(
      identity.service.name,
      'gatehouse-identity.gatehouse.serviceaccount.identity.gatehouse.cluster.local',
    );
    socket.destroy();
  });

  it('certifies a pod that the watch shows only after its token has come', async (test) => {
    const identity = await started(test);
    await ready(identity);
    const late = aPod({ name: 'frontend-1' });
    const answer = identity.certify({ tokenFor: { pod: { name: 'frontend-1', uid: late.meta.uid } } });
    while (!/pods_awaited\{.*\} 1$/m.test((await ask(`${identity.service.admin}/metrics`)).text));
    identity.source.put(late);
    assert.equal((await answer).chain.length, 2);
  });

  it('certifies a pod that was deleted just now, and not one that lives under another uid', async (test) => {
    const identity = await started(test);
    await ready(identity);
    identity.source.remove(pod);
    assert.equal((await identity.certify()).chain.length, 2);
    const other = identity.certify({ tokenFor: { pod: { name: 'frontend-0', uid: 'another-uid' } } });
    await assert.rejects(other, { code: 'failed-precondition', message: /there is no pod demo\/frontend-0/ });
  });

  it('refuses who is not what he wants to be', async (test) => {
    const identity = await started(test);
    await ready(identity);
    const admin = 'admin.demo.serviceaccount.identity.gatehouse.cluster.local';
    await assert.rejects(identity.certify({ name: admin }), {
      code: 'failed-precondition',
      message: /another identity/,
    });
    await assert.rejects(identity.certify({ token: 'garbage' }), { code: 'invalid-argument' });
    await assert.rejects(identity.certify({ tokenFor: { audience: 'vault' } }), {
      code: 'failed-precondition',
    });
    await assert.rejects(identity.certify({ tokenFor: { lifetimeMs: -1000 } }), {
      code: 'failed-precondition',
    });
    await assert.rejects(identity.certify({ csr: Buffer.from('fake-data') }), { code: 'invalid-argument' });
  });

  it('answers garbage with the right code and goes on', async (test) => {
    const identity = await started(test, { GATEHOUSE_GRPC_TLS: 'auto' });
    const client = aGrpcClient(test, { address: identity.service.grpc });
    await assert.rejects(client.unary(certifyPath, Buffer.from('garbage')), { code: 'invalid-argument' });
    await assert.rejects(client.unary(certifyPath, Buffer.alloc(0)), { code: 'invalid-argument' });
    await assert.rejects(client.unary(certifyPath, Buffer.alloc(64 * 1024)), { code: 'resource-exhausted' });
    await assert.rejects(client.unary('/io.linkerd.proxy.identity.Identity/Other', Buffer.alloc(0)), {
      code: 'unimplemented',
    });
    const { port } = new URL(`http://${identity.service.grpc}`);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {}).resume();
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.once('close', () => resolve());
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await promise;
    assert.equal((await identity.certify()).chain.length, 2);
  });

  it('serves dozens of new connections at once', async (test) => {
    const identity = await started(test);
    await ready(identity);
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const token = await mintDevToken({ ...frontend, state: identity.state, now: Date.now() });
    // Handshakes that had to wait are given up and tried again, as a proxy would.
    const persist = async (): Promise<Certified> => {
      for (;;) {
        try {
          return await identity.certify({ key, token });
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'unavailable');
        }
      }
    };
    const all = await Promise.all(Array.from({ length: 50 }, persist));
    assert.equal(new Set(all.map(({ chain }) => Buffer.from(chain[0] ?? []).toString('hex'))).size, 50);
  });

  it('keeps its CA over a restart, and refuses a second instance meanwhile', async (test) => {
    const first = await started(test);
    await ready(first);
    await assert.rejects(started(test, { GATEHOUSE_STATE_DIR: first.state.root }), {
      code: 'already-exists',
    });
    const before = await readFile(first.state.trustAnchors, 'utf8');
    await first.service.stop('restart');
    const second = await started(test, { GATEHOUSE_STATE_DIR: first.state.root });
    await ready(second);
    assert.equal(await readFile(second.state.trustAnchors, 'utf8'), before);
    assert.equal((await second.certify()).chain.length, 2);
  });

  it('does not start where it cannot work, says why, and leaves nothing open', async (test) => {
    const folder = await temporaryFolder(test);
    const missing = readIdentityConfig({
      GATEHOUSE_SOURCE: 'directory:/nowhere',
      GATEHOUSE_STATE_DIR: join(folder, 'missing'),
    });
    await assert.rejects(startIdentity(missing, { log: silentLog }), {
      code: 'failed-precondition',
      message: /GATEHOUSE_STATE_DIR/,
    });
    const running = await started(test);
    for (const [variable, address] of [
      ['GATEHOUSE_GRPC_ADDR', running.service.grpc],
      ['GATEHOUSE_ADMIN_ADDR', running.service.admin.replace('http://', '')],
    ] as const) {
      const state = join(folder, variable);
      await assert.rejects(started(test, { [variable]: address, GATEHOUSE_STATE_DIR: state }), {
        code: 'failed-precondition',
        message: new RegExp(variable),
      });
      const after = await started(test, { GATEHOUSE_STATE_DIR: state });
      await after.service.stop('it could be started');
    }
  });

  it('is not ready without a usable issuer, and says why', async (test) => {
    const issuerDir = await temporaryFolder(test);
    const identity = await started(test, { GATEHOUSE_ISSUER_DIR: issuerDir, GATEHOUSE_GRPC_TLS: 'auto' });
    await writeFile(identity.state.trustAnchors, (await aCa()).pem);
    const answer = await fetch(`${identity.service.admin}/ready`);
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /no usable issuer: .* holds neither tls\.crt nor crt\.pem/);
    await assert.rejects(identity.certify(), { code: 'unavailable', message: /no usable issuer/ });
  });

  it('signs with a brought issuer, and tells the others what its roots are', async (test) => {
    const issuerDir = await temporaryFolder(test);
    const root = await aCa({ key: 'P-384' });
    const issuer = await aCa({ key: 'RSA', parent: root });
    await writeFile(join(issuerDir, 'tls.crt'), issuer.pem);
    await writeFile(join(issuerDir, 'tls.key'), issuer.keyPem);
    await writeFile(join(issuerDir, 'ca.crt'), root.pem);
    const identity = await started(test, { GATEHOUSE_ISSUER_DIR: issuerDir });
    await ready(identity);
    assert.equal(await readFile(identity.state.trustAnchors, 'utf8'), root.pem);
    const { chain } = await identity.certify();
    assert.deepEqual(Buffer.from(chain[1] ?? []), Buffer.from(issuer.der));
  });

  it('signs with a key that lies in no file, and says so when its holder is away', async (test) => {
    const issuerDir = await temporaryFolder(test);
    const root = await aCa();
    const issuer = await aCa({ parent: root });
    await writeFile(join(issuerDir, 'tls.crt'), issuer.pem);
    await writeFile(join(issuerDir, 'ca.crt'), root.pem);
    const module = aKeyModule(issuer.keys.privateKey);
    const identity = await started(test, { GATEHOUSE_ISSUER_DIR: issuerDir }, { issuerKey: module.key });
    await ready(identity);
    const before = module.signatures;
    const { chain } = await identity.certify();
    assert.ok(module.signatures > before);
    const [leaf] = chain.map((der) => new X509Certificate(der));
    assert.equal(leaf?.verify(new X509Certificate(issuer.der).publicKey), true);
    module.answer(() => Promise.reject(new Error('CKR_DEVICE_REMOVED')));
    await assert.rejects(identity.certify(), {
      code: 'unavailable',
      message: 'the issuer cannot sign now: try again',
    });
  });

  it("does not sign with a key from elsewhere that is not its certificate's", async (test) => {
    const issuerDir = await temporaryFolder(test);
    const root = await aCa();
    await writeFile(join(issuerDir, 'tls.crt'), (await aCa({ parent: root })).pem);
    await writeFile(join(issuerDir, 'ca.crt'), root.pem);
    const { key: issuerKey } = aKeyModule(root.keys.privateKey);
    const identity = await started(
      test,
      { GATEHOUSE_ISSUER_DIR: issuerDir, GATEHOUSE_GRPC_TLS: 'auto' },
      { issuerKey },
    );
    const answer = await fetch(`${identity.service.admin}/ready`);
    assert.match(await answer.text(), /no usable issuer: the private key belongs to another certificate/);
  });

  it('needs tokens of the keys in its own state directory', async (test) => {
    const identity = await started(test);
    await ready(identity);
    const other = await makeStateDir(await temporaryFolder(test));
    const token = await mintDevToken({ ...frontend, state: other, now: Date.now() });
    await assert.rejects(identity.certify({ token }), {
      code: 'failed-precondition',
      message: /no key of its issuer/,
    });
  });
});
