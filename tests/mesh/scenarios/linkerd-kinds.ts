import assert from 'node:assert/strict';
import type { Call } from '../agent/messages.ts';
import type { Pod } from '../rig/pod.ts';
import { total } from '../rig/proxy-metrics.ts';
import { type Expected, refused, routeless, served, wordOf } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { app } from './policies.ts';
import type { Scenario } from './scenario.ts';

const what = (title: string, play: Parameters<typeof Fixture.play>[1]): Scenario => ({
  part: 'what',
  title,
  run: (mesh, observer) => Fixture.play({ mesh, observer, ports: { http: 8080 } }, play),
});

const policy = (namespace: string, kind: string, version: string, name: string, spec: unknown) => ({
  apiVersion: `policy.linkerd.io/${version}`,
  kind,
  metadata: { namespace, name },
  spec,
});

const server = (namespace: string, proxyProtocol: string, fields: object = {}) =>
  policy(namespace, 'Server', 'v1beta3', 'backend-http', {
    podSelector: app('backend'),
    port: 'http',
    proxyProtocol,
    ...fields,
  });

const toServer = { group: 'policy.linkerd.io', kind: 'Server', name: 'backend-http' };

export const linkerdKinds = (): readonly Scenario[] => [
  what('a ServerAuthorization admits whom it names, at the Servers that it selects', async (fixture) => {
    const { namespace } = fixture;
    const backend = await fixture.pod('backend', { ports: { http: 8080 } });
    const frontend = await fixture.pod('frontend', { serviceAccount: 'web' });
    const intruder = await fixture.pod('intruder');
    const legacy = await fixture.pod('legacy', { meshed: false });
    const authorization = (name: string, client: object) =>
      policy(namespace, 'ServerAuthorization', 'v1beta1', name, { server: { name: 'backend-http' }, client });
    await fixture.put(
      server(namespace, 'HTTP/1'),
      authorization('web', { meshTLS: { serviceAccounts: [{ name: 'web' }] } }),
    );
    await fixture.until(frontend, fixture.toService(8080), '200');
    const by = { authz_kind: 'serverauthorization', authz_name: 'web' };
    await fixture.expect(frontend, fixture.toService(8080), served(by));
    await fixture.expect(intruder, fixture.toService(8080), refused());
    const directly: Call = { host: backend.address, port: 8080, speaks: 'http1' };
    await fixture.expect(legacy, directly, refused());
    await fixture.put(
      server(namespace, 'HTTP/1'),
      authorization('legacy', { networks: [{ cidr: legacy.address }], unauthenticated: true }),
    );
    await fixture.until(legacy, directly, '200');
    await fixture.expect(legacy, directly, served({ authz_name: 'legacy' }));
    await fixture.expect(frontend, fixture.toService(8080), refused());
    return undefined;
  }),

  what('an HTTPLocalRateLimitPolicy gives each identity its share, an override its own', async (fixture) => {
    const { namespace } = fixture;
    const backend = await fixture.pod('backend', { ports: { http: 8080 } });
    const frontend = await fixture.pod('frontend', { serviceAccount: 'web' });
    const other = await fixture.pod('other');
    await fixture.put(
      server(namespace, 'HTTP/1', { accessPolicy: 'all-authenticated' }),
      policy(namespace, 'HTTPLocalRateLimitPolicy', 'v1alpha1', 'limit', {
        targetRef: toServer,
        identity: { requestsPerSecond: 1 },
        overrides: [
          { requestsPerSecond: 1_000, clientRefs: [{ kind: 'ServiceAccount', namespace, name: 'web' }] },
        ],
      }),
    );
    await fixture.until(frontend, fixture.toService(8080), '200');
    await backend.seen();
    const limitedBy = async (): Promise<number> =>
      total(await backend.metrics(), 'inbound_http_local_ratelimit_total', {
        ratelimit_kind: 'HTTPLocalRateLimitPolicy',
        ratelimit_name: 'limit',
        ratelimit_scope: 'identity',
      });
    const before = await limitedBy();
    const atOnce = async (from: Pod): Promise<readonly string[]> => {
      const calls = Array.from({ length: 10 }, () => from.call(fixture.toService(8080)));
      return (await Promise.all(calls)).map(wordOf);
    };
    const ofFrontend = await atOnce(frontend);
    fixture.observer.check('client', () => assert.deepEqual(new Set(ofFrontend), new Set(['200'])));
    const ofOther = await atOnce(other);
    const [admitted, limited] = ['200', '429'].map((word) => ofOther.filter((one) => one === word).length);
    fixture.observer.check('client', () => {
      assert.equal((admitted ?? 0) + (limited ?? 0), ofOther.length, `${ofOther}`);
      assert.ok((admitted ?? 0) > 0 && (limited ?? 0) > 0, `${ofOther}`);
    });
    const seen = await backend.seen();
    fixture.observer.check('application', () => assert.equal(seen.length, 10 + (admitted ?? 0)));
    const counted = (await limitedBy()) - before;
    fixture.observer.check('proxy', () => assert.equal(counted, limited));
    return `${limited} of ${ofOther.length} at once over a limit of 1 a second`;
  }),

  what('a GRPCRoute admits to one method; another is 403, and what has no route is 404', async (fixture) => {
    const { namespace } = fixture;
    const backend = await fixture.pod('backend', { ports: { http: 8080 } });
    const frontend = await fixture.pod('frontend');
    const route = (name: string, method: string) => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GRPCRoute',
      metadata: { namespace, name },
      spec: {
        parentRefs: [toServer],
        rules: [{ matches: [{ method: { service: 'shop.Orders', method } }] }],
      },
    });
    await fixture.put(
      server(namespace, 'gRPC'),
      route('list', 'List'),
      route('delete', 'Delete'),
      policy(namespace, 'MeshTLSAuthentication', 'v1alpha1', 'frontend', { identities: [frontend.identity] }),
      policy(namespace, 'AuthorizationPolicy', 'v1alpha1', 'frontend-lists', {
        targetRef: { group: 'gateway.networking.k8s.io', kind: 'GRPCRoute', name: 'list' },
        requiredAuthenticationRefs: [
          { group: 'policy.linkerd.io', kind: 'MeshTLSAuthentication', name: 'frontend' },
        ],
      }),
    );
    const post = (path: string): Call => fixture.toService(8080, { path, speaks: 'http2', method: 'POST' });
    const rpc = (path: string): Call => ({
      ...post(path),
      headers: [
        ['content-type', 'application/grpc'],
        ['te', 'trailers'],
      ],
    });
    // A gRPC client is answered 200 in any case, others are not.
    await fixture.until(frontend, post('/shop.Orders/List'), '200');
    await backend.seen();
    const kind = { route_group: 'gateway.networking.k8s.io', route_kind: 'GRPCRoute' };
    const answers: readonly (readonly [path: string, Expected, status: string | undefined])[] = [
      ['/shop.Orders/List', served({ ...kind, route_name: 'list', authz_name: 'frontend-lists' }), undefined],
      ['/shop.Orders/Delete', refused({ ...kind, route_name: 'delete' }), '7'],
      ['/shop.Orders/Other', routeless(), '5'],
      ['/shop.Carts/List', routeless(), '5'],
    ];
    for (const [path, expected, status] of answers) {
      const outcome = await fixture.expect(frontend, rpc(path), { ...expected, client: '200' });
      const told = outcome.kind === 'answered' ? outcome.headers['grpc-status'] : undefined;
      fixture.observer.check('client', () => assert.equal(told, status, path));
    }
    return undefined;
  }),
];
