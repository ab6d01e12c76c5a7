import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { aClient, withServer } from '@gatehouse/testing/api-server/client';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import { parse } from 'yaml';
import type { User } from './server-state.ts';

const admin: User = { username: 'admin', groups: ['system:masters'] };

suite('access to the fake API server', () => {
  test('with tokens given, nobody comes in without one, and tokens may rotate', () => {
    const tokens = new Map([['old', admin]]);
    return withServer({ tokens }, async (server) => {
      const ask = async (token?: string) =>
        (
          await aClient({ url: server.url, ...(token === undefined ? {} : { token }) }).request(
            'GET',
            '/api/v1/pods',
          )
        ).code;
      assert.deepEqual([await ask(), await ask('old'), await ask('new')], [401, 200, 401]);
      tokens.clear();
      tokens.set('new', admin);
      assert.deepEqual([await ask('old'), await ask('new')], [401, 200]);
    });
  });

  test('a service account comes in with its own token, and may do what the authorizer says', () => {
    const objects = [
      aWireObject('Namespace', { name: 'demo' }),
      aWireObject('ServiceAccount', { name: 'sa' }),
    ];
    const asked: string[] = [];
    const authorize = ({
      user,
      verb,
      resource,
    }: {
      user: User;
      verb: string;
      resource?: { resource: string };
    }) => {
      asked.push(`${user.username} ${verb} ${resource?.resource}`);
      return resource?.resource === 'pods';
    };
    return withServer({ tokens: new Map(), objects, authorize }, async (server) => {
      const wanted = { namespace: 'demo', serviceAccount: 'sa' };
      const { request } = aClient({ url: server.url, token: await server.mintToken(wanted) });
      assert.equal((await request('GET', '/api/v1/namespaces/demo/pods')).code, 200);
      const refused = await request('GET', '/apis/coordination.k8s.io/v1/namespaces/demo/leases/l');
      assert.deepEqual(
        [refused.code, refused.body.message],
        [
          403,
          'leases.coordination.k8s.io "l" is forbidden: User "system:serviceaccount:demo:sa" cannot get resource "leases" in API group "coordination.k8s.io" in the namespace "demo"',
        ],
      );
      const other = await server.mintToken({ ...wanted, audiences: ['identity.l5d.io'] });
      assert.equal(
        (await aClient({ url: server.url, token: other }).request('GET', '/api/v1/pods')).code,
        401,
      );
      assert.deepEqual(asked, [
        'system:serviceaccount:demo:sa list pods',
        'system:serviceaccount:demo:sa get leases',
      ]);
    });
  });

  test('TLS is served with a certificate that the kubeconfig vouches for', async (context) => {
    const file = join(await temporaryFolder(context), 'kubeconfig');
    await withServer({ tls: true, tokens: new Map([['t', admin]]) }, async (server) => {
      await server.kubeconfig(file, 't');
      const config = parse(await readFile(file, 'utf8'));
      const { server: url, 'certificate-authority-data': authority } = config.clusters[0].cluster;
      const ca = Buffer.from(authority, 'base64').toString();
      const { token } = config.users[0].user;
      assert.equal((await aClient({ url, ca, token }).request('GET', '/api/v1/pods')).code, 200);
      await assert.rejects(aClient({ url, token }).request('GET', '/api/v1/pods'), /certificate/);
    });
  });
});
