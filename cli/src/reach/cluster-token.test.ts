import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeContext } from '@gatehouse/platform/kube/client/client';
import type { KubeRequest } from '@gatehouse/platform/kube/client/http-client';
import { clusterToken } from './cluster-token.ts';

/** A cluster that answers a TokenRequest so, for somebody with this token of his own. */
const aContext = (status: number, own: string | undefined, asked: KubeRequest[] = []): KubeContext => ({
  client: {
    server: 'https://api',
    request: async (request) => {
      asked.push(request);
      const body = Buffer.from(
        JSON.stringify(status === 201 ? { status: { token: 'made' } } : { message: 'no' }),
      );
      return { status, retryAfterMs: undefined, body };
    },
    stream: () => Promise.reject(new Error('not asked')),
    portForward: () => Promise.reject(new Error('not asked')),
    close: () => {},
  },
  namespace: 'default',
  bearerToken: async () => own,
});

const where = { namespace: 'mesh', signal: new AbortController().signal };

test('a token is made for the REST API alone and for ten minutes, and the own one is not shown then', async () => {
  const asked: KubeRequest[] = [];
  const { token, from } = await clusterToken(aContext(201, 'own', asked), where);
  assert.deepEqual([token, from], ['made', 'a token for ServiceAccount mesh/gatehouse-viewer']);
  const [request] = asked;
  assert.equal(request?.path, '/api/v1/namespaces/mesh/serviceaccounts/gatehouse-viewer/token');
  const spec = { audiences: ['gatehouse'], expirationSeconds: 600 };
  assert.deepEqual(request?.body, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });
});

test('where it cannot be made the own one counts, and who has none is told how to get one', async () => {
  for (const status of [403, 404]) {
    assert.equal((await clusterToken(aContext(status, 'own'), where)).token, 'own');
  }
  await assert.rejects(clusterToken(aContext(403, undefined), where), {
    code: 'unauthenticated',
    message:
      /no bearer token that a service could check, and you may not make a token .* \(403\): use --token "\$\(kubectl create token ACCOUNT -n mesh --audience gatehouse\)"/,
  });
  await assert.rejects(clusterToken(aContext(404, undefined), where), {
    code: 'unauthenticated',
    message: /and there is no ServiceAccount gatehouse-viewer in mesh: use --token/,
  });
});
