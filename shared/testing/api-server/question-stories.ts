import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOf, listOf, metaOf } from '@gatehouse/dev/api-server/object-meta';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { aPod, merge, said, type TellStory } from './contract-story.ts';

/** What a server answers besides objects: discovery, tokens, permissions. */
export const questionStories = (story: TellStory): void => {
  test('a kind nobody serves is plainly not there, an unknown one of a built-in group by a Status', () =>
    story(async ({ request }) => {
      for (const path of ['/apis/nope.io/v1/foos', '/apis/ex.io/v1/nopes']) {
        const { code, body } = await request('GET', path);
        assert.deepEqual([code, `${body.text}`.trim()], [404, '404 page not found']);
      }
      const unknown = await request('GET', '/api/v1/foos');
      assert.deepEqual(said(unknown), [404, 'NotFound', 'the server could not find the requested resource']);
    }));

  test('discovery lists groups, versions and resources', () =>
    story(async ({ request }) => {
      assert.deepEqual((await request('GET', '/api')).body.versions, ['v1']);
      const groups = listOf((await request('GET', '/apis')).body.groups).map((group) => fieldsOf(group).name);
      for (const group of ['ex.io', 'authentication.k8s.io', 'coordination.k8s.io'])
        assert.equal(groups.includes(group), true, group);
      const { body } = await request('GET', '/apis/ex.io/v1');
      const resources = listOf(body.resources)
        .map(fieldsOf)
        .map(({ name: plural, kind, namespaced }) => [plural, kind, namespaced]);
      assert.deepEqual(resources, [
        ['tops', 'Top', true],
        ['tops/status', 'Top', true],
      ]);
      assert.equal(typeof (await request('GET', '/version')).body.gitVersion, 'string');
    }));

  test('a token is reviewed for its audience, and ends with the pod it is bound to', () =>
    story(async ({ request, pods }) => {
      const accounts = pods.replace(/pods$/, 'serviceaccounts');
      await request('POST', accounts, {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'sa' },
      });
      const pod = await request('POST', pods, aPod('p', { serviceAccountName: 'sa' }));
      const mint = () =>
        request('POST', `${accounts}/sa/token`, {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: {
            audiences: ['identity.l5d.io'],
            expirationSeconds: 600,
            boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: metaOf(pod.body).uid },
          },
        });
      const made = await mint();
      // Reviewed only after its pod is gone: the real server believes its own good answers for ten seconds.
      const unseen = fieldsOf((await mint()).body.status).token;
      assert.equal(made.code, 201);
      const { token } = fieldsOf(made.body.status);
      const review = async (audience: string, of: unknown = token) => {
        const { code, body } = await request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token: of, audiences: [audience] },
        });
        assert.equal(code, 201);
        return fieldsOf(body.status);
      };
      const good = await review('identity.l5d.io');
      const { username, groups, extra } = fieldsOf(good.user);
      const namespace = metaOf(pod.body).namespace;
      assert.deepEqual(
        [good.authenticated, good.audiences, username],
        [true, ['identity.l5d.io'], `system:serviceaccount:${namespace}:sa`],
      );
      assert.deepEqual(groups, [
        'system:serviceaccounts',
        `system:serviceaccounts:${namespace}`,
        'system:authenticated',
      ]);
      assert.deepEqual(fieldsOf(extra)['authentication.kubernetes.io/pod-name'], ['p']);
      for (const refused of [await review('other'), await review('identity.l5d.io', 'no-token')]) {
        assert.equal(refused.authenticated ?? false, false);
        assert.equal(typeof refused.error, 'string');
      }
      await request('DELETE', `${pods}/p`, { gracePeriodSeconds: 0 });
      assert.equal((await review('identity.l5d.io', unseen)).authenticated ?? false, false);
    }));

  test('anyone who may can read who signs tokens, and with which keys', () =>
    story(async ({ request, pods }) => {
      const about = await request('GET', '/.well-known/openid-configuration');
      assert.deepEqual([about.code, about.body.issuer], [200, 'https://kubernetes.default.svc']);
      assert.match(`${about.body.jwks_uri}`, /^https:.*\/openid\/v1\/jwks$/);
      const set = await request('GET', '/openid/v1/jwks');
      assert.equal(set.code, 200);
      const plain = await request('GET', '/openid/v1/jwks', undefined, { accept: 'application/json' });
      assert.equal(plain.code, 406);
      const either = { accept: 'application/jwk-set+json, application/json' };
      assert.equal((await request('GET', '/openid/v1/jwks', undefined, either)).code, 200);
      const keys = listOf(set.body.keys).map(fieldsOf);
      assert.equal(keys.length, 1);
      const accounts = pods.replace(/pods$/, 'serviceaccounts');
      await request('POST', accounts, {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'signed' },
      });
      const made = await request('POST', `${accounts}/signed/token`, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { audiences: ['identity.l5d.io'], expirationSeconds: 600 },
      });
      const [head = '', claims = ''] = `${fieldsOf(made.body.status).token}`
        .split('.')
        .map((part) => Buffer.from(part, 'base64url').toString());
      const { alg, kid } = JSON.parse(head);
      assert.deepEqual([keys[0]?.kid, keys[0]?.alg, keys[0]?.use], [kid, alg, 'sig']);
      assert.equal(JSON.parse(claims).iss, about.body.issuer);
    }));

  test('access reviews answer about oneself and about others', () =>
    story(async ({ request }) => {
      const ask = async (kind: string, spec: WireObject) => {
        const path = `/apis/authorization.k8s.io/v1/${kind.toLowerCase()}s`;
        const { code, body } = await request('POST', path, {
          apiVersion: 'authorization.k8s.io/v1',
          kind,
          spec,
        });
        return [code, fieldsOf(body.status).allowed];
      };
      const resourceAttributes = { verb: 'list', resource: 'pods', namespace: 'default' };
      assert.deepEqual(await ask('SelfSubjectAccessReview', { resourceAttributes }), [201, true]);
      const nonResourceAttributes = { verb: 'get', path: '/v1/policies' };
      assert.deepEqual(await ask('SubjectAccessReview', { user: 'u', nonResourceAttributes }), [201, true]);
    }));

  test('a port-forward needs a pod on a node, and leaves HTTP', () =>
    story(async ({ request, pods }) => {
      const forward = async (name: string) =>
        said(await request('GET', `${pods}/${name}/portforward?ports=80`));
      assert.deepEqual(await forward('nobody'), [404, 'NotFound', 'pods "nobody" not found']);
      await request('POST', pods, aPod('homeless'));
      assert.deepEqual(await forward('homeless'), [
        400,
        'BadRequest',
        'pod homeless does not have a host assigned',
      ]);
      const name = `node-of-${pods.split('/')[4]}`;
      await request('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name } });
      const status = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }] };
      await request('PATCH', `/api/v1/nodes/${name}/status`, { status }, merge);
      await request('POST', pods, aPod('p', { nodeName: name }));
      assert.deepEqual(await forward('p'), [400, 'BadRequest', 'Upgrade request required']);
    }));
};
