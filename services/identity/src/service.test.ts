import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { parseHostPort } from '@gatehouse/core/host-port';
import { defaultUid } from '@gatehouse/platform/kube/directory/default-uid';
import { silentLog } from '@gatehouse/platform/log/log';
import { type Certified, certify } from '@gatehouse/platform/own-leaf/certify-client';
import type { RunningService } from '@gatehouse/platform/service/service';
import { type DevTokenRequest, mintDevToken } from '@gatehouse/platform/state/dev-tokens';
import { makeStateDir, type StateDir } from '@gatehouse/platform/state/state-dir';
import { aPod, aServiceAccount } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { aGrpcClient } from '@gatehouse/testing/grpc';
import { ask } from '@gatehouse/testing/started-admin';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { aCa } from '../testing/ca-builder.ts';
import { aName } from '../testing/csr-builder.ts';
import { aKeyModule } from '../testing/key-module.ts';
import { readIdentityConfig } from './config.ts';
import { sha256 } from './ports/issuer/x509.ts';
import { type IdentityParts, startIdentity } from './service.ts';

const certifyPath = '/io.linkerd.proxy.identity.Identity/Certify';
const pod = aPod({ name: 'frontend-0' });

interface Started {
  readonly service: RunningService;
  readonly state: StateDir;
  readonly source: FakeSource;
  readonly adminToken: string;
  /** As the proxy of a pod would. */
  certify(request?: Partial<Asked>): Promise<Certified>;
}

interface Asked {
  readonly name: string;
  readonly key: KeyObject;
  readonly csr: Uint8Array;
  readonly token: string;
  readonly tokenFor: Partial<DevTokenRequest>;
}

/** Identity on a fake source with the pod demo/frontend-0, over TLS with its mesh name. */
const started = async (
  test: TestContext,
  env: NodeJS.ProcessEnv = {},
  parts: Pick<IdentityParts, 'issuerKey'> = {},
): Promise<Started> => {
  const state = await makeStateDir(env.GATEHOUSE_STATE_DIR ?? (await temporaryFolder(test)));
  const source = new FakeSource(pod, aServiceAccount());
  const config = readIdentityConfig({
    GATEHOUSE_SOURCE: 'directory:/nowhere',
    GATEHOUSE_STATE_DIR: state.root,
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_GRPC_TLS: 'always',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    ...env,
  });
  const service = await startIdentity(config, { ...parts, source, log: silentLog });
  test.after(() => service.stop('the test is over'));
  return {
    service,
    state,
    source,
    adminToken: (await readFile(state.adminToken, 'utf8')).trim(),
    certify: async ({ name = aName, key, csr, token, tokenFor } = {}) => {
      const address = parseHostPort(service.grpc);
      assert.ok(address.ok);
      const trustAnchors = await readFile(state.trustAnchors, 'utf8');
      const isTls = config.grpcTls === 'always';
      const bearer = token ?? (await mintDevToken({ ...frontend, ...tokenFor, state, now: Date.now() }));
      return certify({
        name,
        trustAnchors,
        key: key ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
        token: Buffer.from(bearer),
        server: {
          address: address.value,
          security: isTls ? { serverName: service.name, trustAnchors } : 'plaintext',
        },
        ...(csr === undefined ? {} : { csr }),
      });
    },
  };
};

const frontend = {
  namespace: 'demo',
  serviceAccount: { name: 'default', uid: defaultUid('ServiceAccount', 'demo', 'default') },
  pod: { name: 'frontend-0', uid: pod.meta.uid },
};

/** Certify works once the own leaf is there, a moment after the start. */
const ready = async ({ service }: Started): Promise<void> => {
  for (;;) if ((await fetch(`${service.admin}/ready`)).status === 200) return;
};

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

describe('the REST API of identity', () => {
  it('is closed without the token of the state directory', async (test) => {
    const { service } = await started(test);
    for (const path of [
      '/v1/trust-bundle',
      '/v1/issuer',
      '/v1/certificates',
      '/v1/health',
      '/v1/openapi.json',
    ]) {
      assert.equal((await ask(service.admin + path)).status, 401, path);
      assert.equal((await ask(service.admin + path, { token: 'wrong' })).status, 401, path);
    }
  });

  it('tells what was issued, newest first, by identity, pod and serial, page by page', async (test) => {
    const identity = await started(test, { GATEHOUSE_GRPC_TLS: 'auto' });
    const { service, adminToken: token } = identity;
    for (let count = 0; count < 3; count += 1) await identity.certify();
    const list = async (query: string) =>
      (await ask(`${service.admin}/v1/certificates${query}`, { token })).json;
    const { items } = await list('');
    assert.equal(items.length, 3);
    assert.deepEqual(
      items.map((item: { issuedAt: string }) => item.issuedAt),
      items
        .map((item: { issuedAt: string }) => item.issuedAt)
        .toSorted()
        .toReversed(),
    );
    const [newest] = items;
    assert.equal(newest.identity, aName);
    assert.deepEqual(newest.pod, { namespace: 'demo', name: 'frontend-0', uid: pod.meta.uid });
    assert.deepEqual((await list(`?serial=${newest.serial}`)).items, [newest]);
    assert.equal((await list(`?identity=${aName}&pod=demo/frontend-0`)).items.length, 3);
    assert.equal((await list(`?pod=${pod.meta.uid}`)).items.length, 3);
    assert.equal((await list('?namespace=demo&pod=frontend-0&active=true')).items.length, 3);
    assert.deepEqual((await list(`?identity=x${aName}`)).items, []);
    assert.deepEqual((await list('?active=false')).items, []);
    assert.deepEqual((await list(`?since=${newest.issuedAt}`)).items[0], newest);
    assert.deepEqual((await list(`?until=${items.at(-1).issuedAt}`)).items, []);
    assert.deepEqual((await list(`?serial=${newest.serial.toUpperCase()}`)).items, [newest]);
    const first = await list('?limit=2');
    const second = await list(`?limit=2&continue=${first.continue}`);
    assert.deepEqual([...first.items, ...second.items], items);
    assert.equal(second.continue, undefined);
  });

  it('says each certificate once while new ones are issued between the pages', async (test) => {
    const identity = await started(test, { GATEHOUSE_GRPC_TLS: 'auto' });
    const { service, adminToken: token } = identity;
    const page = async (query: string) =>
      (await ask(`${service.admin}/v1/certificates?limit=2${query}`, { token })).json;
    for (let count = 0; count < 5; count += 1) await identity.certify();
    const before: { items: { serial: string }[] } = (
      await ask(`${service.admin}/v1/certificates?limit=1000`, { token })
    ).json;
    const seen: string[] = [];
    for (let mark: string | undefined = ''; mark !== undefined; ) {
      const { items, continue: next } = await page(mark === '' ? '' : `&continue=${mark}`);
      seen.push(...items.map(({ serial }: { serial: string }) => serial));
      await identity.certify();
      mark = next;
    }
    assert.deepEqual(
      seen,
      before.items.map(({ serial }) => serial),
    );
  });

  it('tells of a pod that goes on with an older key than its newest, and of no other', async (test) => {
    const identity = await started(test, { GATEHOUSE_GRPC_TLS: 'auto' });
    const { service, adminToken: token } = identity;
    const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const [old, fresh] = [newKey(), newKey()];
    for (const key of [old, old, fresh, old, fresh]) await identity.certify({ key });
    const list = async (query: string) =>
      (await ask(`${service.admin}/v1/certificates${query}`, { token })).json.items;
    const keyOf = (key: KeyObject): string =>
      sha256(createPublicKey(key).export({ format: 'der', type: 'spki' })).toHex();
    const [only, ...others] = await list('?suspicious=true');
    assert.deepEqual(others, []);
    assert.equal(only.spkiSha256, keyOf(old));
    const since = (await list('')).filter((item: { spkiSha256: string }) => item.spkiSha256 === keyOf(fresh));
    assert.deepEqual(only.suspicious, { newerSpkiSha256: keyOf(fresh), newerSince: since.at(-1).issuedAt });
    assert.equal((await list('?suspicious=false')).length, 4);
    const { text } = await ask(`${service.admin}/metrics`);
    assert.match(text, /gatehouse_identity_older_keys_total\{service="identity"\} 1/);
  });

  it('tells how the issuance log is, with a file and without', async (test) => {
    const report = async ({ service, adminToken: token }: Started) =>
      (await ask(`${service.admin}/v1/issuance-log`, { token })).json;
    const rest = { writable: true, failure: null, damagedLines: 0, firstDamageAt: null };
    const memory = await started(test);
    const { since, ...told } = await report(memory);
    assert.deepEqual(told, { file: null, bytes: 0, ...rest });
    assert.ok(Date.parse(since) <= Date.now(), 'since when it remembers');
    const file = join(await temporaryFolder(test), 'issuance.log');
    const identity = await started(test, { GATEHOUSE_ISSUANCE_LOG: file });
    await ready(identity);
    assert.equal((await report(identity)).writable, true);
    await identity.service.stop('the file is changed');
    // Its own leaf is in it.
    const text = await readFile(file, 'utf8');
    assert.match(text, /"kind":"intent".*"identity":"gatehouse-identity\./);
    assert.match(text, /"kind":"signed"/);
    await writeFile(file, text.replace('"kind":"intent"', '"kind":"Intent"'));
    const again = await started(test, { GATEHOUSE_ISSUANCE_LOG: file });
    const { damagedLines, firstDamageAt } = await report(again);
    assert.deepEqual([damagedLines, firstDamageAt], [1, text.indexOf('\n') + 1]);
  });

  it('refuses filters that could never match, naming each with what would', async (test) => {
    const { service, adminToken: token } = await started(test);
    const cases: readonly (readonly [string, RegExp])[] = [
      ['?name=x', /query\.name is not a parameter of this path/],
      ['?serial=XYZ', /query\.serial `XYZ` is not hexadecimal/],
      ['?limit=0', /query\.limit/],
      ['?identity=frontend', /query\.identity `frontend` is not a valid identity: use \{serviceaccount\}/],
      ['?pod=a/b/c', /query\.pod `a\/b\/c` names no pod: use namespace\/name/],
      ['?namespace=', /query\.namespace is empty/],
      ['?since=yesterday', /query\.since `yesterday` is not a valid time: use a time such as 2026/],
      ['?until=2026-11-22T10:00:00', /query\.until `2026-11-22T10:00:00` is not a valid time/],
      ['?since=2026-11-22T10:00:00Z&until=2026-11-22T09:00:00Z', /query\.until is not after since/],
      ['?active=yes', /query\.active/],
    ];
    assert.equal(cases.length, 10);
    for (const [query, detail] of cases) {
      const { status, json } = await ask(`${service.admin}/v1/certificates${query}`, { token });
      assert.equal(status, 400, query);
      assert.match(json.detail, detail);
      assert.ok(json.problems.length > 0);
    }
    const { json } = await ask(`${service.admin}/v1/certificates?serial=z&pod=/`, { token });
    assert.deepEqual(
      json.problems.map(({ field }: { field: string }) => field),
      ['query.serial', 'query.pod'],
    );
  });

  it('hands out the trust bundle in PEM, and in JSON where that is asked for', async (test) => {
    const { service, state, adminToken: token } = await started(test);
    const pem = await ask(`${service.admin}/v1/trust-bundle`, { token });
    assert.equal(pem.headers.get('content-type'), 'application/pem-certificate-chain');
    assert.equal(pem.text, await readFile(state.trustAnchors, 'utf8'));
    const { json } = await ask(`${service.admin}/v1/trust-bundle`, {
      token,
      headers: { accept: 'application/json' },
    });
    assert.equal(json.certificates.length, 1);
    assert.equal(json.certificates[0].subject, 'CN=root.cluster.local');
    assert.equal(json.certificates[0].pem, pem.text);
  });

  it('hands out a SPIFFE bundle whose sequence rises with the bundle and survives a restart', async (test) => {
    const issuerDir = await temporaryFolder(test);
    const root = await aCa();
    const issuer = await aCa({ parent: root });
    const next = await aCa({ name: 'next', key: 'RSA' });
    await writeFile(join(issuerDir, 'tls.crt'), issuer.pem);
    await writeFile(join(issuerDir, 'tls.key'), issuer.keyPem);
    await writeFile(join(issuerDir, 'ca.crt'), root.pem);
    const env = { GATEHOUSE_ISSUER_DIR: issuerDir };
    const bundleOf = async ({ service, adminToken: token }: Started, headers = {}) =>
      ask(`${service.admin}/v1/trust-bundle${'accept' in headers ? '' : '?format=spiffe'}`, {
        token,
        headers,
      });
    const first = await bundleOf(await started(test, env), { accept: 'application/jwk-set+json' });
    assert.match(first.headers.get('content-type') ?? '', /^application\/jwk-set\+json/);
    assert.equal(first.headers.get('vary'), 'accept');
    const { keys, spiffe_sequence, spiffe_refresh_hint } = first.json;
    const jwk = new X509Certificate(root.pem).publicKey.export({ format: 'jwk' });
    const x5c = [Buffer.from(root.der).toString('base64')];
    assert.deepEqual(keys, [{ use: 'x509-svid', ...jwk, x5c }]);
    assert.deepEqual([spiffe_sequence, spiffe_refresh_hint].map(Number.isSafeInteger), [true, true]);
    assert.equal((await bundleOf(await started(test, env))).json.spiffe_sequence, spiffe_sequence);
    await writeFile(join(issuerDir, 'ca.crt'), root.pem + next.pem);
    const { json } = await bundleOf(await started(test, env));
    assert.ok(json.spiffe_sequence > spiffe_sequence);
    assert.deepEqual(
      json.keys.map(({ kty }: { kty: string }) => kty),
      ['EC', 'RSA'],
    );
    assert.equal('d' in json.keys[1], false);
  });

  it('gives the trust bundle in the form that a client likes best, and as PEM when it does not say', async (test) => {
    const { service, adminToken: token } = await started(test);
    const [pem, json, jwks] = [
      'application/pem-certificate-chain',
      'application/json',
      'application/jwk-set+json',
    ] as const;
    const cases: readonly (readonly [string, string])[] = [
      ['*/*', pem],
      ['application/*', pem],
      ['application/json', json],
      ['Application/JSON', json],
      ['application/jwk-set+json', jwks],
      ['application/json, application/jwk-set+json;q=0.5', json],
      ['application/json;q=0.4, application/jwk-set+json;q=0.5', jwks],
      ['application/json, */*;q=0.1', json],
      ['application/pem-certificate-chain;q=0, */*', json],
      ['text/html, application/*;q=0.5, application/json;q=0.9', json],
      ['text/html', pem],
      ['application/json;q=nonsense', pem],
      ['', pem],
    ];
    assert.equal(cases.length, 13);
    for (const [accept, expected] of cases) {
      const answer = await ask(`${service.admin}/v1/trust-bundle`, { token, headers: { accept } });
      assert.equal(answer.headers.get('content-type')?.split(';')[0], expected, accept);
    }
  });

  it('tells who signs, for how long, and what was refused', async (test) => {
    const issuerDir = await temporaryFolder(test);
    const root = await aCa();
    const issuer = await aCa({ parent: root });
    await writeFile(join(issuerDir, 'tls.crt'), issuer.pem);
    await writeFile(join(issuerDir, 'tls.key'), root.keyPem);
    await writeFile(join(issuerDir, 'ca.crt'), root.pem);
    const bad = await started(test, { GATEHOUSE_ISSUER_DIR: issuerDir });
    const refused = (await ask(`${bad.service.admin}/v1/issuer`, { token: bad.adminToken })).json;
    assert.equal(refused.usable, false);
    assert.equal(refused.issuer, null);
    assert.match(refused.rejected.problems[0].found, /private key belongs to another/);
    assert.equal((await ask(`${bad.service.admin}/v1/trust-bundle`, { token: bad.adminToken })).status, 503);
    await writeFile(join(issuerDir, 'tls.key'), issuer.keyPem);
    const good = await started(test, { GATEHOUSE_ISSUER_DIR: issuerDir });
    const report = (await ask(`${good.service.admin}/v1/issuer`, { token: good.adminToken })).json;
    assert.equal(report.usable, true);
    assert.equal(report.rejected, null);
    assert.equal(report.issuer.subject, 'CN=issuer');
    assert.equal(report.issuer.key, 'P-256');
    assert.equal(report.issuer.algorithm, 'ecdsa-with-SHA256');
    assert.equal(report.issuer.anchor.subject, 'CN=root');
    assert.ok(report.issuer.lifeLeft > 0.9 && report.issuer.lifeLeft <= 1);
  });

  it('says in time what ends, which end counts, and what to do', async (test) => {
    const issuerDir = await temporaryFolder(test);
    const day = 86_400_000;
    const root = await aCa({ notBefore: Date.now() - 90 * day, notAfter: Date.now() + 10.5 * day });
    const times = { notBefore: Date.now() - 9 * day, notAfter: Date.now() + day / 2 };
    const issuer = await aCa({ parent: root, ...times });
    const old = await aCa({ name: 'old root', notAfter: Date.now() - 1_000 });
    await writeFile(join(issuerDir, 'tls.crt'), issuer.pem);
    await writeFile(join(issuerDir, 'tls.key'), issuer.keyPem);
    await writeFile(join(issuerDir, 'ca.crt'), root.pem + old.pem);
    const { service, adminToken: token } = await started(test, { GATEHOUSE_ISSUER_DIR: issuerDir });
    const report = (await ask(`${service.admin}/v1/issuer`, { token })).json;
    assert.equal(report.usable, true);
    const said = report.warnings.map(({ role, found, fix }: Record<string, string>) =>
      [role, found, fix].join('; ').replace(/20\d\d-\S+Z/g, '…'),
    );
    assert.deepEqual(said, [
      'issuer; issuer CN=issuer ends in 11 hours, at …: certificates are already cut to it; put a new tls.crt and tls.key into the issuer folder or Secret',
      "root; root CN=root ends in 10 days, at …: no issuer below it is accepted from then on, also by an identity that restarts, and the control plane's services cannot renew; rotate the root (docs/identity.md)",
      'other-root; root CN=old root expired at …: the issuer in use does not need it; take it out of the bundle once no certificate below it is left',
    ]);
    const health = (await ask(`${service.admin}/v1/health`, { token })).json;
    assert.equal(health.warnings.length, 3);
    const { text } = await ask(`${service.admin}/metrics`);
    assert.match(text, /gatehouse_identity_expiry_warnings\{[^}]*\} 3/);
    assert.match(text, /ca_life_left_ratio\{role="other-root",subject="CN=old root",[^}]*\} 0\n/);
    assert.match(text, /issuer_changes_total\{result="accepted"[^}]*\} 1/);
  });

  it('counts certificates by outcome and shows expiries among the metrics', async (test) => {
    const identity = await started(test, { GATEHOUSE_GRPC_TLS: 'auto' });
    await identity.certify();
    await assert.rejects(identity.certify({ token: 'garbage' }));
    const { text } = await ask(`${identity.service.admin}/metrics`);
    for (const line of [
      'gatehouse_identity_certificates_total{result="issued",service="identity"} 1',
      'gatehouse_identity_certificates_total{result="invalid-argument",service="identity"} 1',
      'gatehouse_identity_issuer_usable{service="identity"} 1',
      'gatehouse_identity_issuer_rejected{service="identity"} 0',
    ]) {
      assert.ok(text.includes(line), line);
    }
    assert.match(text, /gatehouse_identity_issuer_expiry_timestamp_seconds\{service="identity"\} \d{10}/);
    assert.match(
      text,
      /gatehouse_identity_ca_expiry_timestamp_seconds\{role="root",subject="CN=root\.cluster\.local",fingerprint="[0-9a-f]{16}"/,
    );
  });
});
