import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type AdminServer, startAdmin } from '@gatehouse/platform/admin/admin-server';
import type { StreamFacts } from '@gatehouse/platform/admin/streams';
import { ClusterAuthenticator } from '@gatehouse/platform/http/cluster-authenticator';
import { type KubeClient, openKubeClient } from '@gatehouse/platform/kube/client/client';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { alone } from '@gatehouse/platform/replicas/replicas';
import { readDeployedRbac } from './deployed-rbac.ts';
import type { AccountName, ClusterServer, RealCluster, WireObject } from './real-cluster.ts';
import { ask } from './started-admin.ts';
import { someStreamFacts } from './stream-facts.ts';

export interface AccessFixture {
  /** In RBAC mode. */
  readonly cluster: RealCluster<ClusterServer>;
  /** A token that its API server has issued, and that has expired since. */
  readonly expiredToken: (account: AccountName) => Promise<string>;
  /** Does something while the API server cannot be reached. */
  readonly whileAway: (meanwhile: () => Promise<void>) => Promise<void>;
  /** The static token of a person who is in the group system:masters. */
  readonly masterToken: string;
}

/** Anyone who calls: ServiceAccounts of the namespace `people`. */
const people = {
  viewer: { namespace: 'people', name: 'viewer' },
  team: { namespace: 'people', name: 'team' },
  bare: { namespace: 'people', name: 'bare' },
  narrow: { namespace: 'people', name: 'narrow' },
} as const;

const bound = (who: keyof typeof people, role: string, namespace?: string): WireObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
  metadata: { name: `${who}-${role}`, ...(namespace === undefined ? {} : { namespace }) },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{ kind: 'ServiceAccount', ...people[who] }],
});

const stream = (id: number, claimedNamespace: string | undefined): StreamFacts =>
  someStreamFacts({ id: `${id}`, claimedNamespace });

/** Who may ask what of the REST API in a cluster, with the roles of deploy/rbac: run on the fake API server, and on the real one. */
export const adminAccessContract = (
  name: string,
  { skip = false, open }: { readonly skip?: string | false; readonly open: () => Promise<AccessFixture> },
): void => {
  suite(`the REST API asks ${name}`, { skip, timeout: 300_000 }, () => {
    let fixture: AccessFixture;
    let folder: string;
    const opened: { readonly admin: AdminServer; readonly client: KubeClient }[] = [];
    let url: string;

    /** The admin port of a service that reaches the API server as this ServiceAccount. */
    const serveAs = async (account: AccountName): Promise<string> => {
      const { cluster } = fixture;
      const kubeconfig = join(folder, `${account.name}.kubeconfig`);
      await writeFile(kubeconfig, await cluster.kubeconfigWith(await cluster.accountToken(account)));
      const client = await openKubeClient({ kubeconfig });
      const admin = await startAdmin({
        service: 'policy',
        address: { host: '127.0.0.1', port: 0 },
        authenticator: new ClusterAuthenticator({ client }),
        log: silentLog,
        metrics: new Metrics('policy'),
        source: 'watches nothing',
        reasons: () => [],
        streams: () =>
          ['demo', 'other', undefined, 'other', 'demo', 'demo'].map((one, id) => stream(id, one)),
        replicas: alone({ name: 'policy-0', instance: 'the only one' }),
      });
      opened.push({ admin, client });
      return admin.url;
    };

    before(async () => {
      fixture = await open();
      folder = await mkdtemp(join(tmpdir(), 'gatehouse-access-'));
      const { cluster } = fixture;
      for (const namespace of ['gatehouse', 'people', 'demo', 'other']) {
        await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      }
      const accounts = Object.values(people).map((metadata) => ({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata,
      }));
      const narrow = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'narrow' },
        rules: [{ nonResourceURLs: ['/v1/health'], verbs: ['get'] }],
      };
      for (const object of [
        ...(await readDeployedRbac()),
        ...accounts,
        narrow,
        bound('viewer', 'gatehouse-viewer'),
        bound('team', 'gatehouse-caller'),
        bound('team', 'gatehouse-namespace-viewer', 'demo'),
        bound('narrow', 'narrow'),
        // Of no use: a path is of no namespace.
        bound('bare', 'gatehouse-viewer', 'demo'),
      ]) {
        await cluster.apply(object);
      }
      url = await serveAs({ namespace: 'gatehouse', name: 'gatehouse-policy' });
    });
    after(async () => {
      for (const { admin, client } of opened) {
        await admin.close();
        client.close();
      }
      await fixture.cluster[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    const tokenOf = (who: keyof typeof people, ...audiences: readonly string[]): Promise<string> =>
      fixture.cluster.accountToken(people[who], ...audiences);

    const statusOf = async (path: string, token: string | undefined): Promise<number> =>
      (await ask(`${url}${path}`, token === undefined ? {} : { token })).status;

    const streamsOf = async (path: string, token: string): Promise<readonly unknown[]> => {
      const { json, status } = await ask(`${url}${path}`, { token });
      assert.equal(status, 200, JSON.stringify(json));
      return [json.items.map(({ id }: { id: string }) => id), json.continue !== undefined];
    };

    test('a viewer may see everything, with a token for `gatehouse` or for the API server', async () => {
      for (const audiences of [[], ['gatehouse'], ['somebody.else', 'gatehouse']]) {
        const token = await tokenOf('viewer', ...audiences);
        assert.equal(await statusOf('/v1/health', token), 200);
        assert.deepEqual(await streamsOf('/v1/streams', token), [['0', '1', '2', '3', '4', '5'], false]);
        assert.deepEqual(await streamsOf('/v1/streams?namespace=other', token), [['1', '3'], false]);
        assert.equal(await statusOf('/v1/nothing', token), 404);
      }
    });

    test('a person whom the API server knows by another token may see what RBAC says', async () => {
      assert.deepEqual(await streamsOf('/v1/streams?limit=2', fixture.masterToken), [['0', '1'], true]);
    });

    test('no token, nonsense, a forged signature, another audience and an expired token are all 401', async () => {
      const good = await tokenOf('viewer');
      const forged = `${good.slice(0, good.lastIndexOf('.'))}.${'A'.repeat(86)}`;
      const foreign = await tokenOf('viewer', 'identity.l5d.io');
      const expired = await fixture.expiredToken(people.viewer);
      for (const token of [undefined, 'nonsense', forged, foreign, expired]) {
        assert.equal(await statusOf('/v1/health', token), 401, `${token}`);
      }
    });

    test('anyone who is known but has no role is 403 everywhere, and is told what is missing', async () => {
      const token = await tokenOf('bare');
      for (const path of ['/v1/health', '/v1/streams', '/v1/streams?namespace=demo', '/v1/nothing']) {
        assert.equal(await statusOf(path, token), 403, path);
      }
      const { json } = await ask(`${url}/v1/streams`, { token });
      assert.equal(json.detail, 'system:serviceaccount:people:bare may not get /v1/streams');
    });

    test('a team sees its namespace, in full pages, and nothing of the others', async () => {
      const token = await tokenOf('team');
      assert.equal(await statusOf('/v1/health', token), 200);
      assert.deepEqual(await streamsOf('/v1/streams', token), [['0', '4', '5'], false]);
      assert.deepEqual(await streamsOf('/v1/streams?namespace=demo', token), [['0', '4', '5'], false]);
      const first = await ask(`${url}/v1/streams?limit=2`, { token });
      assert.deepEqual(await streamsOf('/v1/streams?limit=2', token), [['0', '4'], true]);
      assert.deepEqual(await streamsOf(`/v1/streams?limit=2&continue=${first.json.continue}`, token), [
        ['5'],
        false,
      ]);
      const other = await ask(`${url}/v1/streams?namespace=other`, { token });
      assert.deepEqual(
        [other.status, other.json.detail],
        [403, 'system:serviceaccount:people:team may not get streams.gatehouse.dev in the namespace other'],
      );
    });

    test('a role for one path gives that path in whatever spelling, and no other spelling gives another path', async () => {
      const token = await tokenOf('narrow');
      const statuses: Record<string, number> = {};
      for (const path of [
        '/v1/health',
        '/v1/%68ealth',
        '/%76%31/health',
        '/v1/streams',
        '/v1/%73treams',
        '/v1/health/../streams',
        '/v1/health/%2e%2e/streams',
        '/v1/streams/../health',
        '//v1/health',
        '/v1//health',
        '/v1/health/',
        '/v1/health;/streams',
        '/v1/HEALTH',
      ]) {
        statuses[path] = await rawStatus(url, { path, token });
      }
      assert.deepEqual(statuses, {
        '/v1/health': 200,
        '/v1/%68ealth': 200,
        '/%76%31/health': 200,
        '/v1/streams': 403,
        '/v1/%73treams': 403,
        '/v1/health/../streams': 403,
        '/v1/health/%2e%2e/streams': 403,
        '/v1/streams/../health': 403,
        '//v1/health': 403,
        '/v1//health': 403,
        '/v1/health/': 403,
        '/v1/health;/streams': 403,
        '/v1/HEALTH': 403,
      });
    });

    test('while the API server is away nobody new comes in, and afterwards everything is as before', async () => {
      const token = await tokenOf('viewer', 'gatehouse');
      await fixture.whileAway(async () => {
        const { status, json } = await ask(`${url}/v1/health`, { token });
        assert.deepEqual([status, json.code], [503, 'unavailable']);
      });
      assert.equal(await statusOf('/v1/health', token), 200);
    });

    test('a service that may not ask says so, and lets nobody in', async () => {
      const mute = await serveAs(people.bare);
      const { status, json } = await ask(`${mute}/v1/health`, { token: await tokenOf('viewer') });
      assert.deepEqual(
        [status, json.detail],
        [
          503,
          'the API server does not let us review tokens: grant create on tokenreviews of authentication.k8s.io',
        ],
      );
    });
  });
};

/** `fetch` would tidy up the path. */
const rawStatus = (
  url: string,
  { path, token }: { readonly path: string; readonly token: string },
): Promise<number> => {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = { authorization: `Bearer ${token}` };
  request({ hostname, port, path, headers, agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  })
    .on('error', reject)
    .end();
  return promise;
};
