import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { defaultUid } from '@gatehouse/platform/kube/directory/default-uid';
import { silentLog } from '@gatehouse/platform/log/log';
import { mintDevToken } from '@gatehouse/platform/state/dev-tokens';
import { makeStateDir } from '@gatehouse/platform/state/state-dir';
import { chainFlaw } from '@gatehouse/platform/tls/chain';
import { makeCsr } from '@gatehouse/platform/tls/csr';
import { aPod, aServiceAccount } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { aGrpcClient } from '@gatehouse/testing/grpc';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { CertifyRequest, CertifyResponse } from '@gatehouse/wire/gen/io/linkerd/proxy/identity';
import { aCa, type TestCa } from '../../../testing/ca-builder.ts';
import { aName } from '../../../testing/csr-builder.ts';
import { readIdentityConfig } from '../../config.ts';
import { startIdentity } from '../../service.ts';

const certifyPath = '/io.linkerd.proxy.identity.Identity/Certify';

/** Two hundred a second, as long as the service keeps up; then as fast as it does. */
const everyMs = 5;
const mostAtOnce = 40;

/** As kubelet swaps a mounted Secret. */
const project = async (mount: string, at: number, files: Readonly<Record<string, string>>): Promise<void> => {
  const folder = `..${at}`;
  await mkdir(join(mount, folder), { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(mount, folder, name), content);
    await symlink(join('..data', name), join(mount, name)).catch(() => {});
  }
  await symlink(folder, join(mount, '..data_tmp'));
  await rename(join(mount, '..data_tmp'), join(mount, '..data'));
};

/** Calls Certify all the time, for one workload, and keeps what comes. */
const calling = async (test: TestContext, mount: string) => {
  const state = await makeStateDir(await temporaryFolder(test));
  const pod = aPod({ name: 'frontend-0' });
  const config = readIdentityConfig({
    GATEHOUSE_SOURCE: 'directory:/nowhere',
    GATEHOUSE_STATE_DIR: state.root,
    GATEHOUSE_ISSUER_DIR: mount,
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
  });
  const service = await startIdentity(config, {
    source: new FakeSource(pod, aServiceAccount()),
    log: silentLog,
  });
  test.after(() => service.stop('the test is over'));
  const token = await mintDevToken({
    state,
    namespace: 'demo',
    serviceAccount: { name: 'default', uid: defaultUid('ServiceAccount', 'demo', 'default') },
    pod: { name: 'frontend-0', uid: pod.meta.uid },
    now: Date.now(),
  });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const request = CertifyRequest.encode({
    identity: aName,
    token: Buffer.from(token),
    certificateSigningRequest: makeCsr(privateKey, aName),
  }).finish();
  const client = aGrpcClient(test, { address: service.grpc });
  const chains: (readonly Uint8Array[])[] = [];
  const failures: unknown[] = [];
  let asked = 0;
  let news = Promise.withResolvers<void>();
  const call = async (): Promise<void> => {
    asked += 1;
    try {
      const { leafCertificate, intermediateCertificates } = CertifyResponse.decode(
        await client.unary(certifyPath, request),
      );
      chains.push([leafCertificate, ...intermediateCertificates]);
    } catch (error) {
      failures.push(error);
    }
    news.resolve();
    news = Promise.withResolvers<void>();
  };
  const running = new Set<Promise<void>>();
  const timer = setInterval(() => {
    if (running.size >= mostAtOnce) return;
    const one = call().finally(() => running.delete(one));
    running.add(one);
  }, everyMs);
  test.after(() => clearInterval(timer));
  return {
    chains,
    failures,
    asked: () => asked,
    /** Until something was signed by this issuer, and so many calls more were answered. */
    until: async ({ der }: TestCa, more: number): Promise<void> => {
      const isSigned = () => chains.some(([, issuer]) => Buffer.from(issuer ?? []).equals(der));
      while (!isSigned() && failures.length === 0) await news.promise;
      const enough = chains.length + more;
      while (chains.length < enough && failures.length === 0) await news.promise;
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(running);
    },
  };
};

describe('an issuer that is rotated while certificates are asked for', () => {
  it('fails no call and signs nothing that a proxy would refuse, under one root and from one root to another', async (test) => {
    const mount = await temporaryFolder(test);
    const [old, fresh] = [await aCa({ name: 'old root' }), await aCa({ name: 'new root', key: 'P-384' })];
    const first = await aCa({ name: 'a1', parent: old });
    const rotations: readonly (readonly [TestCa, readonly TestCa[]])[] = [
      [await aCa({ name: 'a2', parent: old }), [old]],
      [await aCa({ name: 'a3', parent: old, key: 'P-384' }), [old]],
      // The new root first beside the old one, then an issuer below it, then back, and for good.
      [await aCa({ name: 'a4', parent: old }), [old, fresh]],
      [await aCa({ name: 'b1', parent: fresh, key: 'RSA' }), [old, fresh]],
      [await aCa({ name: 'a5', parent: old }), [old, fresh]],
      [await aCa({ name: 'b2', parent: fresh }), [old, fresh]],
      [await aCa({ name: 'b3', parent: fresh }), [fresh]],
    ];
    const secret = (issuer: TestCa, roots: readonly TestCa[]) => ({
      'tls.crt': issuer.pem,
      'tls.key': issuer.keyPem,
      'ca.crt': roots.map(({ pem }) => pem).join(''),
    });
    await project(mount, 0, secret(first, [old]));
    const load = await calling(test, mount);
    await load.until(first, 80);
    for (const [at, [issuer, roots]] of rotations.entries()) {
      await project(mount, at + 1, secret(issuer, roots));
      await load.until(issuer, 80);
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.equal(load.chains.length, load.asked());
    // What every proxy trusts while the root is rotated.
    const anchors = [old.der, fresh.der];
    const flaws = load.chains.map((chain) => chainFlaw(chain, anchors, Date.now()));
    assert.deepEqual(
      flaws.filter((flaw) => flaw !== undefined),
      [],
    );
    const signers = new Set(load.chains.map(([, issuer]) => Buffer.from(issuer ?? []).toString('hex')));
    assert.equal(signers.size, 1 + rotations.length);
  });
});
