import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request as tlsRequest } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseHostPort } from '@gatehouse/shared/core/host-port';
import { identityAudience } from '@gatehouse/shared/dev/dev-tokens';
import { silentLog } from '@gatehouse/shared/log';
import type { RunningService } from '@gatehouse/shared/service';
import type { AccessAttributes } from '@gatehouse/shared/testing/api-server/access-control';
import { type FakeApiServer, startFakeApiServer } from '@gatehouse/shared/testing/api-server/fake-api-server';
import { anAuthority, aTlsMaterial, type TestAuthority } from '@gatehouse/shared/testing/certificates';
import { freePort } from '@gatehouse/shared/testing/free-port';
import { eventually } from '@gatehouse/shared/testing/grpc';
import { sliceOf } from '@gatehouse/shared/testing/replica-set';
import { ask } from '@gatehouse/shared/testing/started-admin';
import { temporaryFolder } from '@gatehouse/shared/testing/temporary-folder';
import { aWireObject } from '@gatehouse/shared/testing/wire-objects';
import { type Certified, certify } from '@gatehouse/shared/tls/certify-client';
import { secureContextOptions, type TlsMaterial } from '@gatehouse/shared/tls/material';
import { readIdentityConfig } from './config.ts';
import { startIdentity } from './service.ts';

const service = 'gatehouse-identity-headless';
const nameOf = (namespace: string): string =>
  `default.${namespace}.serviceaccount.identity.gatehouse.cluster.local`;

/** Jane may see what belongs to the namespace blue; everybody else everything. */
const authorize = ({ user, resource }: AccessAttributes): boolean =>
  !user.username.endsWith(':jane') || resource === undefined || resource.namespace === 'blue';

interface Cluster {
  readonly api: FakeApiServer;
  readonly root: TestAuthority;
  readonly issuer: TestAuthority;
  /** The environment of a replica. */
  env(pod: string, host: string, port?: number): NodeJS.ProcessEnv;
  /** A bearer token for the REST API. */
  tokenOf(serviceAccount: string): Promise<string>;
}

/** A cluster that is its API server, with pods in two namespaces, and an issuer in files. */
const aCluster = async (t: TestContext): Promise<Cluster> => {
  const api = await startFakeApiServer({ authorize });
  t.after(() => api.stop());
  for (const namespace of ['blue', 'red', 'gatehouse']) {
    api.put(aWireObject('Namespace', { name: namespace }));
    for (const name of ['default', 'admin', 'jane'])
      api.put(aWireObject('ServiceAccount', { namespace, name }));
    api.put(aWireObject('Pod', { namespace, name: 'web-0', spec: { serviceAccountName: 'default' } }));
  }
  const folder = await temporaryFolder(t);
  const kubeconfig = join(folder, 'kubeconfig');
  await api.kubeconfig(kubeconfig);
  const root = anAuthority({ name: 'root' });
  const issuer = anAuthority({ name: 'issuer', issuedBy: root });
  await writeFile(join(folder, 'tls.crt'), issuer.pem);
  await writeFile(join(folder, 'tls.key'), issuer.key.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(join(folder, 'ca.crt'), root.pem);
  return {
    api,
    root,
    issuer,
    env: (pod, host, port = 0) => ({
      KUBECONFIG: kubeconfig,
      GATEHOUSE_POD_NAME: pod,
      GATEHOUSE_GRPC_ADDR: `${host}:0`,
      GATEHOUSE_GRPC_TLS: 'always',
      GATEHOUSE_ADMIN_ADDR: `${host}:${port}`,
      GATEHOUSE_ISSUER_DIR: folder,
      GATEHOUSE_TRUST_ANCHORS: join(folder, 'ca.crt'),
    }),
    tokenOf: (serviceAccount) =>
      api.mintToken({ namespace: 'gatehouse', serviceAccount, audiences: ['gatehouse'] }),
  };
};

interface Replica {
  readonly pod: string;
  readonly running: RunningService;
  /** Host and port of its admin address. */
  readonly admin: { readonly host: string; readonly port: number };
  certify(namespace: string): Promise<Certified>;
}

/** One identity service, and the EndpointSlice that a controller would write of it. */
const aReplica = async (t: TestContext, { api, root, env }: Cluster, index: number): Promise<Replica> => {
  const [pod, host] = [`gatehouse-identity-${index}`, `127.0.0.${index + 1}`];
  const running = await startIdentity(readIdentityConfig(env(pod, host)), { log: silentLog });
  t.after(() => running.stop('the test is over'));
  const port = Number(new URL(running.admin).port);
  api.put(sliceOf(pod, { service, address: host, ports: { admin: port } }));
  await ready(running.admin);
  const grpc = parseHostPort(running.grpc);
  assert.ok(grpc.ok);
  const server = {
    address: grpc.value,
    security: { serverName: running.name, trustAnchors: root.pem },
  };
  return {
    pod,
    running,
    admin: { host, port },
    certify: async (namespace) => {
      const wanted = { namespace, serviceAccount: 'default', pod: 'web-0', audiences: [identityAudience] };
      return certify({
        name: nameOf(namespace),
        trustAnchors: root.pem,
        key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
        token: Buffer.from(await api.mintToken(wanted)),
        server,
      });
    },
  };
};

const ready = (admin: string): Promise<void> =>
  eventually(() =>
    fetch(`${admin}/ready`).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );

interface World extends Cluster {
  readonly replicas: readonly [Replica, Replica, Replica];
  readonly admin: string;
  readonly jane: string;
}

/** Three identity services on addresses of their own. */
const threeReplicas = async (t: TestContext): Promise<World> => {
  const cluster = await aCluster(t);
  const start = (index: number): Promise<Replica> => aReplica(t, cluster, index);
  return {
    ...cluster,
    replicas: await Promise.all([start(0), start(1), start(2)]),
    admin: await cluster.tokenOf('admin'),
    jane: await cluster.tokenOf('jane'),
  };
};

const serialOf = ({ chain }: Certified): string =>
  new X509Certificate(chain[0] ?? new Uint8Array()).serialNumber.toLowerCase();

interface Item {
  readonly serial: string;
  readonly replica: string;
  readonly issuedAt: string;
}

const list = async ({ running }: Replica, token: string, query: string) =>
  (await ask(`${running.admin}/v1/certificates${query}`, { token })).json as {
    readonly items: readonly Item[];
    readonly continue?: string;
    readonly partial: readonly { readonly replica: string; readonly reason: string }[];
  };

const placesOf = (items: readonly Item[]): readonly string[] =>
  items.map(({ replica, serial }) => `${replica} ${serial}`);

test('every replica tells what any of them has issued, newest first, page by page, and finds any serial', async (t) => {
  const { replicas, admin } = await threeReplicas(t);
  const issued: string[] = [];
  for (const index of [0, 1, 2, 2, 1, 0, 1] as const) {
    issued.unshift(`${replicas[index].pod} ${serialOf(await replicas[index].certify('red'))}`);
  }
  const ofRed = `identity=${nameOf('red')}`;
  for (const replica of replicas) {
    const whole = await list(replica, admin, `?${ofRed}`);
    assert.deepEqual(whole.partial, []);
    // What two replicas issued in the same millisecond is ordered by serial.
    assert.deepEqual(placesOf(whole.items).toSorted(), issued.toSorted());
    const times = whole.items.map(({ issuedAt }) => issuedAt);
    assert.deepEqual(times, times.toSorted().toReversed());

    const first = await list(replica, admin, `?${ofRed}&limit=4`);
    const second = await list(replica, admin, `?${ofRed}&limit=4&continue=${first.continue}`);
    assert.deepEqual([first.items.length, second.items.length, second.continue], [4, 3, undefined]);
    assert.deepEqual([...first.items, ...second.items], whole.items);

    for (const place of issued) {
      const { items } = await list(replica, admin, `?serial=${place.split(' ')[1]}`);
      assert.deepEqual(placesOf(items), [place]);
    }
  }
  const own = await list(replicas[0], admin, `?identity=${replicas[0].running.name}`);
  assert.deepEqual(
    own.items.map(({ replica }) => replica).toSorted(),
    replicas.map(({ pod }) => pod),
  );
});

test('a caller who may see one namespace sees it on all replicas, and nothing of the others', async (t) => {
  const { replicas, jane } = await threeReplicas(t);
  const blue: string[] = [];
  for (const replica of replicas) {
    await replica.certify('red');
    blue.push(serialOf(await replica.certify('blue')));
    await replica.certify('red');
  }
  const pages: Item[] = [];
  let query = '?limit=2';
  for (;;) {
    const page = await list(replicas[1], jane, query);
    pages.push(...page.items);
    if (page.continue === undefined) break;
    assert.equal(page.items.length, 2);
    query = `?limit=2&continue=${page.continue}`;
  }
  assert.deepEqual(pages.map(({ serial }) => serial).toSorted(), blue.toSorted());
  const refused = await ask(`${replicas[1].running.admin}/v1/certificates?namespace=red`, { token: jane });
  assert.equal(refused.status, 403);
});

test('a replica that ended is named, the others answer for themselves and stay ready', async (t) => {
  const { api, replicas, admin } = await threeReplicas(t);
  const [first, second, third] = replicas;
  for (const replica of replicas) await replica.certify('red');
  const ofRed = `?identity=${nameOf('red')}`;
  assert.equal((await list(first, admin, ofRed)).items.length, 3);
  await third.running.stop('killed');
  for (const replica of [first, second]) {
    const { items, partial } = await list(replica, admin, ofRed);
    assert.deepEqual(items.map((item) => item.replica).toSorted(), [first.pod, second.pod]);
    assert.deepEqual(
      partial.map((one) => one.replica),
      [third.pod],
    );
    assert.match(partial[0]?.reason ?? '', /^127\.0\.0\.3:\d+: .*ECONNREFUSED/);
    assert.equal((await fetch(`${replica.running.admin}/ready`)).status, 200);
  }
  // The controller takes its endpoint away.
  api.remove(sliceOf(third.pod, { service, address: '127.0.0.3', ports: {} }));
  for (;;) if ((await list(first, admin, ofRed)).partial.length === 0) break;
});

/** The same as a process of its own; killed at the end, if it was not before. */
const aReplicaProcess = async (t: TestContext, { api, env }: Cluster, index: number) => {
  const [pod, host, port] = [`gatehouse-identity-${index}`, `127.0.0.${index + 1}`, await freePort()];
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const child = spawn(process.execPath, [main], { env: env(pod, host, port), stdio: 'ignore' });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  api.put(sliceOf(pod, { service, address: host, ports: { admin: port } }));
  await ready(`http://${host}:${port}`);
  return { pod, child, ended };
};

test('a replica that was killed and one that hangs are named, and cost no more than their time', async (t) => {
  const cluster = await aCluster(t);
  const [killed, hung] = await Promise.all([aReplicaProcess(t, cluster, 1), aReplicaProcess(t, cluster, 2)]);
  const asked = await aReplica(t, cluster, 0);
  const admin = await cluster.tokenOf('admin');
  const before = await list(asked, admin, '');
  assert.deepEqual(before.partial, []);
  // Each has recorded the leaf that it serves with.
  assert.deepEqual(before.items.map(({ replica }) => replica).toSorted(), [asked.pod, killed.pod, hung.pod]);

  killed.child.kill('SIGKILL');
  hung.child.kill('SIGSTOP');
  await killed.ended;
  const { items, partial } = await list(asked, admin, '');
  assert.deepEqual(
    items.map(({ replica }) => replica),
    [asked.pod],
  );
  assert.deepEqual(
    partial.map(({ replica }) => replica),
    [killed.pod, hung.pod],
  );
  assert.match(partial[0]?.reason ?? '', /ECONNREFUSED|ECONNRESET|hang up/);
  assert.match(partial[1]?.reason ?? '', /no answer from 127\.0\.0\.3:\d+ within 2000 ms/);
});

test('health tells each replica who the others are', async (t) => {
  const { replicas, admin } = await threeReplicas(t);
  const pods = replicas.map(({ pod }) => pod);
  for (const { running, pod } of replicas) {
    const known = async () => (await ask(`${running.admin}/v1/health`, { token: admin })).json.replicas;
    assert.deepEqual(await known(), {
      self: pod,
      others: pods.filter((other) => other !== pod),
      problem: null,
    });
  }
});

/** What a replica answers to somebody who shows `material` and says `token`. */
const askInternal = async (
  { admin, running }: Replica,
  root: TestAuthority,
  { material, token }: { readonly material?: TlsMaterial | undefined; readonly token?: string },
): Promise<{ readonly status: number; readonly detail: string }> => {
  const request = tlsRequest({
    ...secureContextOptions(root.pem, material),
    ...admin,
    path: '/internal/v1/certificates',
    servername: running.name,
    agent: false,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  request.end();
  const [response] = await once(request, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, detail: JSON.parse(Buffer.concat(chunks).toString()).detail ?? '' };
};

test('what replicas tell each other is told to nobody else', async (t) => {
  const { replicas, root, issuer, admin } = await threeReplicas(t);
  const [replica] = replicas;
  const { name } = replica.running;
  const anHourAgo = Date.now() - 3_600_000;
  const own = aTlsMaterial(issuer, { name, roots: [root] });
  assert.equal((await askInternal(replica, root, { material: own })).status, 200);

  const strangers: readonly (readonly [string, TlsMaterial | undefined, RegExp])[] = [
    // Issued by this very identity to a workload that proved itself.
    ['a workload of the mesh', await replica.certify('red'), /`default\.red/],
    [
      'another service of the control plane',
      aTlsMaterial(issuer, { name: name.replace('-identity.', '-policy.'), roots: [root] }),
      /`gatehouse-policy\./,
    ],
    [
      'one that has expired',
      aTlsMaterial(issuer, { name, roots: [root], notBefore: anHourAgo - 1_000, notAfter: anHourAgo }),
      /CERT_HAS_EXPIRED/,
    ],
    [
      'a foreign authority',
      aTlsMaterial(anAuthority({ name: 'root' }), { name, roots: [root] }),
      /not accepted/,
    ],
    ['nobody', undefined, /no client certificate/],
  ];
  assert.equal(strangers.length, 5);
  for (const [who, material, why] of strangers) {
    for (const token of [{}, { token: admin }]) {
      const { status, detail } = await askInternal(replica, root, { material, ...token });
      assert.equal(status, 403, who);
      assert.match(detail, why);
    }
  }
  const plain = await ask(`${replica.running.admin}/internal/v1/certificates`, { token: admin });
  assert.deepEqual([plain.status, plain.json.code], [403, 'permission-denied']);
});
