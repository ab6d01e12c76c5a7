import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseHostPort } from '@gatehouse/core/host-port';
import { anAuthority, aTlsMaterial, type TestAuthority } from '@gatehouse/dev/certificates';
import { silentLog } from '@gatehouse/platform/log/log';
import { certify } from '@gatehouse/platform/own-leaf/certify-client';
import { identityAudience } from '@gatehouse/platform/state/dev-tokens';
import type { TlsMaterial } from '@gatehouse/platform/tls/material';
import { readDeployedRbac } from '@gatehouse/testing/deployed-rbac';
import { freePort } from '@gatehouse/testing/free-port';
import { eventually } from '@gatehouse/testing/grpc';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { sliceOf } from '@gatehouse/testing/replica-set';
import { ask } from '@gatehouse/testing/started-admin';
import { readIdentityConfig } from '../src/config.ts';
import { startIdentity } from '../src/service.ts';
import {
  askInternal,
  type Item,
  list,
  type Namespace,
  nameOf,
  namespaces,
  placesOf,
  type Replica,
  ready,
  serialOf,
  untilTheyHaveAsked,
} from './asked-replica.ts';

const service = 'gatehouse-identity-admin';
/** Admin may see everything, jane what belongs to the namespace blue. */
const bindings: readonly WireObject[] = (
  [
    ['admin', 'gatehouse-viewer', undefined],
    ['jane', 'gatehouse-caller', undefined],
    ['jane', 'gatehouse-namespace-viewer', 'blue'],
  ] as const
).map(([name, role, namespace]) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
  metadata: { name: `${name}-${role}`, ...(namespace === undefined ? {} : { namespace }) },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{ kind: 'ServiceAccount', namespace: 'blue', name }],
}));

export interface ReplicasContract {
  readonly skip?: string | false;
  /** In RBAC mode. */
  readonly open: () => Promise<RealCluster<ClusterServer>>;
  /** Three addresses of this machine, for the EndpointSlices; a real API server takes none on loopback. */
  readonly hosts: readonly [string, string, string];
  /** Where they listen: on their own address, or everywhere, where nobody else is. */
  readonly listen: 'own address' | 'everywhere';
}

/**
 * Several whole identity services that find each other through an API server, each with the ServiceAccount and the
 * permissions of deploy/rbac; the EndpointSlices are written by hand. Run on the fake API server, and on the real one.
 */
export const replicasContract = (
  name: string,
  { skip = false, open, hosts, listen }: ReplicasContract,
): void => {
  suite(`several replicas of identity on ${name}`, { skip, timeout: 300_000 }, () => {
    const root: TestAuthority = anAuthority({ name: 'root' });
    const issuer: TestAuthority = anAuthority({ name: 'issuer', issuedBy: root });
    const pods = new Map<Namespace, WireObject>();
    let cluster: RealCluster<ClusterServer>;
    let folder: string;
    let admin: string;
    let jane: string;

    before(async () => {
      cluster = await open();
      folder = await mkdtemp(join(tmpdir(), 'gatehouse-replicas-'));
      const all = [...namespaces, 'gatehouse'];
      for (const each of all) {
        await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: each } });
      }
      for (const object of await readDeployedRbac()) await cluster.apply(object);
      for (const object of bindings) await cluster.apply(object);
      const account = (namespace: string, accountName: string): Promise<WireObject> =>
        cluster.apply({
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { namespace, name: accountName },
        });
      for (const caller of ['admin', 'jane']) await account('blue', caller);
      for (const namespace of namespaces) {
        await account(namespace, 'default');
        const pod = {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { namespace, name: 'web-0' },
          spec: { serviceAccountName: 'default', containers: [{ name: 'web', image: 'web' }] },
        };
        pods.set(namespace, await cluster.apply(pod));
      }
      admin = await cluster.accountToken({ namespace: 'blue', name: 'admin' }, 'gatehouse');
      jane = await cluster.accountToken({ namespace: 'blue', name: 'jane' }, 'gatehouse');
      const own = await cluster.accountToken({ namespace: 'gatehouse', name: 'gatehouse-identity' });
      await writeFile(join(folder, 'kubeconfig'), await cluster.kubeconfigWith(own));
      await writeFile(join(folder, 'tls.crt'), issuer.pem);
      await writeFile(join(folder, 'tls.key'), issuer.key.export({ type: 'pkcs8', format: 'pem' }));
      await writeFile(join(folder, 'ca.crt'), root.pem);
    });

    after(async () => {
      await cluster[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    const env = (pod: string, host: string, port = 0): NodeJS.ProcessEnv => ({
      KUBECONFIG: join(folder, 'kubeconfig'),
      GATEHOUSE_POD_NAME: pod,
      GATEHOUSE_GRPC_ADDR: `${host}:0`,
      GATEHOUSE_GRPC_TLS: 'always',
      GATEHOUSE_ADMIN_ADDR: `${host}:${port}`,
      GATEHOUSE_ISSUER_DIR: folder,
      GATEHOUSE_TRUST_ANCHORS: join(folder, 'ca.crt'),
    });

    /** What the controller does for a pod of the Service, until the test is over. */
    const writeSlice = async (t: TestContext, pod: string, admins: Replica['admin']): Promise<void> => {
      const slice = sliceOf(pod, { service, address: admins.host, ports: { admin: admins.port } });
      await cluster.apply(slice);
      t.after(() => cluster.remove(slice));
    };

    const placeOf = (index: 0 | 1 | 2) => {
      const host = hosts[index];
      // People ask on loopback, where plain HTTP is answered.
      const [listenOn, near] = listen === 'everywhere' ? ['0.0.0.0', '127.0.0.1'] : [host, host];
      return { pod: `gatehouse-identity-${index}`, host, listenOn, near };
    };

    const aReplica = async (t: TestContext, index: 0 | 1 | 2): Promise<Replica> => {
      const { pod, host, listenOn, near } = placeOf(index);
      const running = await startIdentity(readIdentityConfig(env(pod, listenOn)), { log: silentLog });
      t.after(() => running.stop('the test is over'));
      const place = { host, port: Number(new URL(running.admin).port) };
      const url = `http://${near}:${place.port}`;
      await writeSlice(t, pod, place);
      await ready(url);
      const grpc = parseHostPort(running.grpc);
      assert.ok(grpc.ok);
      const address = { host, port: grpc.value.port };
      const security = { serverName: running.name, trustAnchors: root.pem };
      return {
        pod,
        running,
        url,
        admin: place,
        certify: async (namespace) =>
          certify({
            name: nameOf(namespace),
            trustAnchors: root.pem,
            key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
            token: Buffer.from(await cluster.token(pods.get(namespace) ?? {}, identityAudience)),
            server: { address, security },
          }),
      };
    };

    const threeReplicas = async (t: TestContext): Promise<[Replica, Replica, Replica]> => {
      const starting = [aReplica(t, 0), aReplica(t, 1), aReplica(t, 2)] as const;
      // When one fails, what the others start is still known to the test, which stops it.
      await Promise.allSettled(starting);
      return Promise.all(starting);
    };

    /** The same as a process of its own; killed at the end, if it was not before. */
    const aReplicaProcess = async (t: TestContext, index: 0 | 1 | 2) => {
      const { pod, host, listenOn, near } = placeOf(index);
      const port = await freePort();
      const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
      const child = spawn(process.execPath, [main], { env: env(pod, listenOn, port), stdio: 'ignore' });
      const ended = once(child, 'exit');
      t.after(async () => {
        child.kill('SIGKILL');
        await ended;
      });
      await writeSlice(t, pod, { host, port });
      await ready(`http://${near}:${port}`);
      return { pod, child, ended };
    };

    test('every one tells what any of them has issued, newest first, page by page, and finds any serial', async (t) => {
      const replicas = await threeReplicas(t);
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
        own.items.map((item) => item.replica).toSorted(),
        replicas.map(({ pod }) => pod),
      );
    });

    test('a caller who may see one namespace sees it on all of them, and nothing of the others', async (t) => {
      const replicas = await threeReplicas(t);
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
      const refused = await ask(`${replicas[1].url}/v1/certificates?namespace=red`, { token: jane });
      assert.equal(refused.status, 403);
    });

    test('one that ended is named, the others tell what it issued and stay ready', async (t) => {
      const [first, second, third] = await threeReplicas(t);
      for (const replica of [first, second, third]) await replica.certify('red');
      const ofRed = `?identity=${nameOf('red')}`;
      assert.equal((await list(first, admin, ofRed)).items.length, 3);
      for (const replica of [first, second]) await untilTheyHaveAsked(replica.url);
      await third.running.stop('killed');
      for (const replica of [first, second]) {
        const { items, partial } = await list(replica, admin, ofRed);
        assert.deepEqual(items.map((item) => item.replica).toSorted(), [first.pod, second.pod, third.pod]);
        assert.deepEqual(
          partial.map((one) => one.replica),
          [third.pod],
        );
        assert.match(partial[0]?.reason ?? '', /^[\d.]+:\d+: .*ECONNREFUSED/);
        assert.equal((await fetch(`${replica.url}/ready`)).status, 200);
      }
      await cluster.remove(sliceOf(third.pod, { service, address: third.admin.host, ports: {} }));
      await eventually(async () => (await list(first, admin, ofRed)).partial.length === 0);
    });

    test('one that was killed and one that hangs are named, and cost no more than their time', async (t) => {
      const [killed, hung] = await Promise.all([aReplicaProcess(t, 1), aReplicaProcess(t, 2)]);
      const asked = await aReplica(t, 0);
      const whole = await list(asked, admin, '');
      assert.deepEqual(whole.partial, []);
      // Each has recorded the leaf that it serves with.
      const all = [asked.pod, killed.pod, hung.pod];
      assert.deepEqual(whole.items.map(({ replica }) => replica).toSorted(), all);

      killed.child.kill('SIGKILL');
      hung.child.kill('SIGSTOP');
      await killed.ended;
      const { items, partial } = await list(asked, admin, '');
      const own = items.filter(({ learnedFrom }) => learnedFrom === undefined);
      assert.deepEqual(
        own.map(({ replica }) => replica),
        [asked.pod],
      );
      assert.deepEqual(
        partial.map(({ replica }) => replica),
        [killed.pod, hung.pod],
      );
      assert.match(partial[0]?.reason ?? '', /ECONNREFUSED|ECONNRESET|hang up/);
      assert.match(partial[1]?.reason ?? '', /no answer from [\d.]+:\d+ within 2000 ms/);
    });

    test('health tells each who the others are', async (t) => {
      const replicas = await threeReplicas(t);
      const names = replicas.map(({ pod }) => pod);
      for (const { url, pod } of replicas) {
        const { json } = await ask(`${url}/v1/health`, { token: admin });
        const others = names.filter((other) => other !== pod);
        assert.deepEqual(json.replicas, { self: pod, others, problem: null });
      }
    });

    test('what they tell each other is told to nobody else', async (t) => {
      const replica = await aReplica(t, 0);
      const { name: own } = replica.running;
      const roots = [root];
      const anHourAgo = Date.now() - 3_600_000;
      const good = await askInternal(replica, root, {
        material: aTlsMaterial(issuer, { name: own, roots }),
      });
      assert.equal(good.status, 200);

      const strangers: readonly (readonly [string, TlsMaterial | undefined, RegExp])[] = [
        // Issued by this very identity to a workload that proved itself.
        ['a workload of the mesh', await replica.certify('red'), /`default\.red/],
        [
          'another service of the control plane',
          aTlsMaterial(issuer, { name: own.replace('-identity.', '-policy.'), roots }),
          /`gatehouse-policy\./,
        ],
        [
          'one that has expired',
          aTlsMaterial(issuer, { name: own, roots, notBefore: anHourAgo - 1_000, notAfter: anHourAgo }),
          /CERT_HAS_EXPIRED/,
        ],
        [
          'a foreign authority',
          aTlsMaterial(anAuthority({ name: 'root' }), { name: own, roots }),
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
      const plain = await ask(`${replica.url}/internal/v1/certificates`, { token: admin });
      assert.deepEqual([plain.status, plain.json.code], [403, 'permission-denied']);
    });
  });
};
