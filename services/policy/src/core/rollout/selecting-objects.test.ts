import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import {
  aMeshTlsAuthentication,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  anHttpRoute,
  aRateLimit,
  aRejected,
  aServer,
  aServerAuthorization,
  labelled,
} from '@gatehouse/testing/builders';
import { JudgedMesh } from '../../../testing/judged-mesh.ts';
import type { Judged } from '../judgement/judgement.ts';
import { selectingObjects } from './selecting-objects.ts';

const web = aServer({ name: 'web', labels: { tier: 'front' } });
const api = aServer({ name: 'api' });
const elsewhere = aServer({ name: 'web', namespace: 'other' });
const route = anHttpRoute({ name: 'routes', servers: ['web'] });
const authentication = aMeshTlsAuthentication({ name: 'clients' });
const byAuthentication = anAuthorizationPolicy({
  name: 'from-elsewhere',
  namespace: 'other',
  target: { kind: 'Server', name: 'web' },
  authentications: [{ kind: 'MeshTLSAuthentication', namespace: 'demo', name: 'clients' }],
});
const place = [web, api, elsewhere, route, byAuthentication];

const rejection = {
  rejected: [{ field: 'spec', found: 'broken', fix: 'correct it' }],
  closes: { selector: labelled({ app: 'backend' }), ports: 'all' as const },
};
const ofTarget = (kind: 'Namespace' | 'Server' | 'HTTPRoute', name = '') =>
  anAuthorizationPolicy({ target: kind === 'Namespace' ? { kind } : { kind, name } });

/** An object, and the objects by which it reaches proxies. */
const cases: readonly (readonly [string, KubeObject, readonly string[]])[] = [
  ['a NetworkAuthenticationPolicy', aNetworkAuthenticationPolicy({ name: 'own' }), ['demo/own']],
  ['one that is rejected', aRejected('NetworkAuthenticationPolicy', rejection), ['demo/a']],
  ['a Server', web, ['demo/web']],
  ['an AuthorizationPolicy for a Server', ofTarget('Server', 'web'), ['demo/web']],
  ['for a Server that does not exist', ofTarget('Server', 'none'), []],
  ['for the namespace', ofTarget('Namespace'), ['demo/api', 'demo/web']],
  ['for a route', ofTarget('HTTPRoute', 'routes'), ['demo/web']],
  ['for a route that does not exist', ofTarget('HTTPRoute', 'none'), []],
  ['a rejected AuthorizationPolicy', aRejected('AuthorizationPolicy', rejection), ['demo/api', 'demo/web']],
  [
    'a ServerAuthorization by name',
    aServerAuthorization({ server: { kind: 'name', name: 'api' } }),
    ['demo/api'],
  ],
  [
    'a ServerAuthorization by labels',
    aServerAuthorization({ server: { kind: 'labels', selector: labelled({ tier: 'front' }) } }),
    ['demo/web'],
  ],
  ['a route', route, ['demo/web']],
  ['a rate limit', aRateLimit({ server: 'api' }), ['demo/api']],
  ['an authentication that another namespace refers to', authentication, ['other/web']],
  ['an authentication to which nothing refers', aMeshTlsAuthentication({ name: 'nobody' }), []],
];

suite('a policy object reaches proxies by', () => {
  for (const [name, object, expected] of cases) {
    test(`${name}: ${expected.join(', ') || 'nothing'}`, () => {
      const { index } = new JudgedMesh().put(...place, object);
      const found = selectingObjects(index, object as Judged).map(
        ({ meta }) => `${meta.namespace}/${meta.name}`,
      );
      assert.deepEqual(found.toSorted(), expected);
    });
  }
  test('there are 15 cases', () => assert.equal(cases.length, 15));
});
