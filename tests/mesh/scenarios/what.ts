import assert from 'node:assert/strict';
import type { Call } from '../agent/messages.ts';
import { closed, type Expected, echoed, refused, routeless, served } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { applicationTls } from './own-certificate.ts';
import { allow, app, networkAuthenticationPolicy } from './policies.ts';
import type { Scenario } from './scenario.ts';

const what = (
  title: string,
  ports: Readonly<Record<string, number>>,
  play: Parameters<typeof Fixture.play>[1],
): Scenario => ({
  part: 'what',
  title,
  run: (mesh, observer) => Fixture.play({ mesh, observer, ports }, play),
});

/**
 * HTTP on a port that the server's proxy does not look into: raw bytes to it. The client's proxy, which was called by the
 * Service's address, does look, and keeps its connections for the next request: the verdict is on the connection.
 */
const unlooked: Expected = { ...served(), proxy: { counts: 'TCP allowed' } };
const unlookedAgain: Expected = { ...served(), proxy: 'no verdict' };
/** Its proxy may try the connection again before it gives up. */
const unlookedRefused: Expected = {
  client: '502',
  application: 0,
  proxy: { counts: 'TCP denied', times: 'at least once' },
};

/** What meshed clients see of each protocol that a Server can declare: one that is authorized, and one that is not. */
const protocols: Readonly<Record<string, Partial<Record<Call['speaks'], readonly [Expected, Expected]>>>> = {
  unknown: {
    http1: [served(), refused()],
    http2: [served(), refused()],
    tcp: [echoed(), closed()],
  },
  'HTTP/1': {
    http1: [served(), refused()],
    http2: [served(), refused()],
    // Nobody is authorized for what is not HTTP there.
    tcp: [closed(), closed()],
  },
  'HTTP/2': { http1: [served(), refused()], http2: [served(), refused()] },
  gRPC: { http1: [served(), refused()], http2: [served(), refused()] },
  opaque: {
    // `until` has opened the connection that is used again here.
    http1: [unlookedAgain, unlookedRefused],
    http2: [unlooked, unlookedRefused],
    tcp: [echoed(), closed()],
  },
  // What a client's proxy recognises as HTTP it announces in the transport header; a TLS port has no routes for it.
  TLS: { tcp: [echoed(), closed()], http1: [routeless(), routeless()], http2: [routeless(), routeless()] },
};

/** What a proxy's answer says to HTTP and to gRPC clients of the same path. */
const answers: Readonly<Record<string, { readonly http: Expected; readonly grpcStatus?: string }>> = {
  '/api/read': { http: served({ route_name: 'api' }) },
  '/closed/read': { http: refused({ route_name: 'closed' }), grpcStatus: '7' },
  '/nothing': { http: routeless(), grpcStatus: '5' },
};

const linkerd = (namespace: string, kind: string, version: string, name: string, spec: unknown) => ({
  apiVersion: `policy.linkerd.io/${version}`,
  kind,
  metadata: { namespace, name },
  spec,
});

const withLabels = (expected: Expected, labels: Readonly<Record<string, string>>): Expected => {
  const { proxy } = expected;
  return proxy === 'no verdict' || 'clientCounts' in proxy
    ? expected
    : { ...expected, proxy: { ...proxy, labels: { ...proxy.labels, ...labels } } };
};

export const protocolsAndRules = (): readonly Scenario[] => [
  ...Object.entries(protocols).map(([proxyProtocol, expected]) =>
    what(
      `a Server of proxyProtocol ${proxyProtocol} admits whom its policy names`,
      { app: 8080 },
      async (fixture) => {
        const { namespace } = fixture;
        await fixture.pod('backend', { ports: { app: 8080 } });
        const frontend = await fixture.pod('frontend');
        const intruder = await fixture.pod('intruder');
        await fixture.put(
          linkerd(namespace, 'Server', 'v1beta3', 'backend-app', {
            podSelector: app('backend'),
            port: 'app',
            proxyProtocol,
          }),
          allow(namespace, { from: 'frontend', to: 'backend', ports: ['app'] }),
        );
        const [[first]] = Object.entries(expected) as [[Call['speaks'], [Expected, Expected]]];
        await fixture.until(
          frontend,
          fixture.toService(8080, { speaks: first }),
          expected[first]?.[0].client ?? '',
        );
        const server = { srv_kind: 'server', srv_name: 'backend-app' };
        for (const [speaks, [authorized, other]] of Object.entries(expected)) {
          const call = fixture.toService(8080, { speaks: speaks as Call['speaks'] });
          await fixture.expect(frontend, call, withLabels(authorized, server));
          await fixture.expect(intruder, call, withLabels(other, server));
        }
        return undefined;
      },
    ),
  ),

  what(
    'an opaque port keeps the client its identity, by the transport header',
    { tcp: 7000 },
    async (fixture) => {
      const annotations = { 'config.linkerd.io/opaque-ports': '7000' };
      const backend = await fixture.pod('backend', { ports: { tcp: 7000 }, annotations });
      const frontend = await fixture.pod('frontend');
      const intruder = await fixture.pod('intruder');
      await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [7000] }));
      const call: Call = { ...fixture.toService(7000), speaks: 'tcp' };
      await fixture.until(frontend, call, 'echoed');
      const labels = { target_port: '7000', tls: 'true', client_id: frontend.identity };
      await fixture.expect(frontend, call, echoed(labels));
      await fixture.expect(frontend, { ...call, host: backend.address }, echoed(labels));
      await fixture.expect(intruder, call, closed());
      return undefined;
    },
  ),

  what(
    "TLS of the application's own passes a port of proxyProtocol TLS for whom its policy names",
    { tls: 7443 },
    async (fixture) => {
      const { namespace } = fixture;
      const backend = await fixture.pod('backend', { ports: { tls: 7443 }, tls: applicationTls() });
      const frontend = await fixture.pod('frontend');
      const intruder = await fixture.pod('intruder');
      const legacy = await fixture.pod('legacy', { meshed: false });
      const neighbour = await fixture.pod('neighbour', { meshed: false });
      const spec = { podSelector: app('backend'), port: 'tls', proxyProtocol: 'TLS' };
      const call = fixture.toService(7443, { speaks: 'tcp', tls: { serverName: 'app.example.com' } });
      const directly = { ...call, host: backend.address };
      await fixture.put(
        linkerd(namespace, 'Server', 'v1beta3', 'backend-tls', spec),
        allow(namespace, { from: 'frontend', to: 'backend', ports: ['tls'] }),
        networkAuthenticationPolicy(namespace, 'legacy', {
          target: { selector: app('backend') },
          ports: [{ port: 'tls' }],
          sources: [{ networks: [{ cidr: legacy.address }] }],
        }),
      );
      await fixture.until(frontend, call, 'echoed');
      await backend.seen();
      await fixture.expect(frontend, call, echoed({ tls: 'true', client_id: frontend.identity }));
      await fixture.expect(legacy, directly, echoed({ tls: 'opaque', sni: 'app.example.com' }));
      await fixture.expect(intruder, call, closed({ tls: 'true', client_id: intruder.identity }));
      await fixture.expect(neighbour, directly, closed({ tls: 'opaque' }));
      const ended = new Set((await backend.seen()).map(({ speaks }) => speaks));
      assert.deepEqual([...ended], ['tls'], 'the application ended the TLS itself');
      return undefined;
    },
  ),

  what(
    'denied is 403 and no route is 404; a gRPC client is told the same as status 7 and 5',
    { http: 8080 },
    async (fixture) => {
      const { namespace } = fixture;
      const backend = await fixture.pod('backend', { ports: { http: 8080 } });
      const frontend = await fixture.pod('frontend');
      const route = (name: string) =>
        linkerd(namespace, 'HTTPRoute', 'v1beta3', name, {
          parentRefs: [{ group: 'policy.linkerd.io', kind: 'Server', name: 'backend-http' }],
          rules: [{ matches: [{ path: { type: 'PathPrefix', value: `/${name}` } }] }],
        });
      await fixture.put(
        linkerd(namespace, 'Server', 'v1beta3', 'backend-http', {
          podSelector: app('backend'),
          port: 'http',
        }),
        route('api'),
        route('closed'),
        linkerd(namespace, 'MeshTLSAuthentication', 'v1alpha1', 'frontend', {
          identities: [frontend.identity],
        }),
        linkerd(namespace, 'AuthorizationPolicy', 'v1alpha1', 'frontend-to-api', {
          targetRef: { group: 'policy.linkerd.io', kind: 'HTTPRoute', name: 'api' },
          requiredAuthenticationRefs: [
            { group: 'policy.linkerd.io', kind: 'MeshTLSAuthentication', name: 'frontend' },
          ],
        }),
      );
      await fixture.until(frontend, fixture.toService(8080, { path: '/api/read' }), '200');
      await backend.seen();
      for (const [path, { http, grpcStatus }] of Object.entries(answers)) {
        await fixture.expect(frontend, fixture.toService(8080, { path }), http);
        const rpc = fixture.toService(8080, {
          path,
          speaks: 'http2',
          method: 'POST',
          headers: [
            ['content-type', 'application/grpc'],
            ['te', 'trailers'],
          ],
        });
        const outcome = await fixture.expect(frontend, rpc, { ...http, client: '200' });
        const status = outcome.kind === 'answered' ? outcome.headers['grpc-status'] : undefined;
        fixture.observer.check('client', () => assert.equal(status, grpcStatus, path));
      }
      return undefined;
    },
  ),

  what(
    'a Service of both stacks is the same by either address: by both the IPv6 address of its pod is called',
    { http: 8080 },
    async (fixture) => {
      await fixture.declareService({ also: fixture.clusterIP6 });
      const backend = await fixture.pod('backend', { ports: { http: 8080 } });
      const frontend = await fixture.pod('frontend');
      const intruder = await fixture.pod('intruder');
      await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      for (const host of [fixture.clusterIP, fixture.clusterIP6]) {
        await fixture.until(frontend, fixture.toService(8080, { host }), '200');
        for (const speaks of ['http1', 'http2'] as const) {
          await backend.seen();
          await fixture.expect(frontend, fixture.toService(8080, { host, speaks }), served());
          await fixture.expect(intruder, fixture.toService(8080, { host, speaks }), refused());
          const called = (await backend.seen()).map(({ at }) => at);
          fixture.observer.check('application', () =>
            assert.deepEqual(called, [backend.address6], `by ${host}`),
          );
        }
      }
      return undefined;
    },
  ),

  what('a probe path is open to the kubelet, and nothing beside it', { http: 8080 }, async (fixture) => {
    const probe = { port: 8080, path: '/healthz' };
    const probeRoute = { route_kind: 'default', route_name: 'probe' };
    const backend = await fixture.pod('backend', { ports: { http: 8080 }, probe });
    const kubelet = await fixture.pod('kubelet', { meshed: false });
    const get = (path: string, method = 'GET'): Call => ({
      host: backend.address,
      port: 8080,
      speaks: 'http1',
      path,
      method,
    });
    await fixture.expect(kubelet, get('/healthz'), served(probeRoute));
    for (const [path, method] of [
      ['/', 'GET'],
      ['/healthz', 'POST'],
      ['/healthz/x', 'GET'],
      ['/x/../healthz', 'GET'],
    ] as const) {
      await fixture.expect(kubelet, get(path, method), refused());
    }
    const frontend = await fixture.pod('frontend');
    const rules = [{ paths: [{ type: 'PathPrefix', value: '/api' }] }];
    await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080], rules }));
    await fixture.until(frontend, fixture.toService(8080, { path: '/api' }), '200');
    await fixture.expect(kubelet, get('/healthz'), served(probeRoute));
    await fixture.expect(kubelet, get('/api'), refused());
    return undefined;
  }),

  what('paths that some servers would normalise never pass a rule', { http: 8080 }, async (fixture) => {
    await fixture.pod('backend', { ports: { http: 8080 } });
    const frontend = await fixture.pod('frontend');
    const rules = [{ paths: [{ type: 'PathPrefix', value: '/api' }] }];
    await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080], rules }));
    await fixture.until(frontend, fixture.toService(8080, { path: '/api/x' }), '200');
    const paths = [
      '/api/../admin',
      '/api/./x',
      '/api//x',
      '/api/%2e%2e/admin',
      '/api/%2E%2E/admin',
      '/api%2f..%2fadmin',
      '/api/..%2fadmin',
      '/api\\..\\admin',
      '/api/..;/admin',
      '/api/%u002e%u002e/admin',
      '/api/%c0%ae%c0%ae/admin',
      '/api/.%09./admin',
      '/api/.%%32%65/admin',
      '/api/..%ef%bc%8fadmin',
      '//api/x',
      '/API/x',
    ];
    const guarded = refused({ route_name: 'unnormalized-path' });
    for (const speaks of ['http1', 'http2'] as const) {
      for (const path of paths) {
        const expected = path === '/API/x' ? refused({ route_name: 'default' }) : guarded;
        await fixture.expect(frontend, fixture.toService(8080, { path, speaks }), expected);
      }
    }
    return `${2 * paths.length} requests`;
  }),

  what(
    'a policy for a named port follows the name to the number it has in each pod',
    { api: 80 },
    async (fixture) => {
      const first = await fixture.pod('backend', { ports: { api: 9000, http: 8080 } });
      const second = await fixture.pod('backend', { name: 'backend-1', ports: { api: 9100, http: 8080 } });
      const frontend = await fixture.pod('frontend');
      await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: ['api'] }));
      const at = (host: string, port: number): Call => ({ host, port, speaks: 'http1' });
      await fixture.until(frontend, at(first.address, 9000), '200');
      await fixture.until(frontend, at(second.address, 9100), '200');
      await fixture.expect(frontend, at(first.address, 8080), refused({ target_port: '8080' }));
      await fixture.expect(frontend, at(second.address, 8080), refused({ target_port: '8080' }));
      // The Service's port 80 has the same name, and leads to either number.
      await first.seen();
      await second.seen();
      for (let call = 0; call < 6; call += 1) {
        await fixture.expect(
          frontend,
          fixture.toService(80),
          served({ authz_name: 'frontend-to-backend-api' }),
        );
      }
      const called = [...(await first.seen()), ...(await second.seen())].map(
        ({ at, port }) => `${at}:${port}`,
      );
      const right = [`${first.address}:9000`, `${second.address}:9100`];
      fixture.observer.check('application', () =>
        assert.ok(
          called.every((one) => right.includes(one)),
          `${called}`,
        ),
      );
      return undefined;
    },
  ),

  what('IPv6 is governed as IPv4 is', { http: 8080 }, async (fixture) => {
    const backend = await fixture.pod('backend', { ports: { http: 8080 } });
    const frontend = await fixture.pod('frontend');
    const intruder = await fixture.pod('intruder');
    const outsider = await fixture.pod('outsider', { meshed: false });
    await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
    const call: Call = { host: backend.address6, port: 8080, speaks: 'http1' };
    await fixture.until(frontend, call, '200');
    await fixture.expect(frontend, call, served({ target_ip: backend.address6 }));
    await fixture.expect(frontend, { ...call, speaks: 'tcp' }, echoed());
    await fixture.expect(
      frontend,
      { ...call, host: backend.address },
      served({ target_ip: backend.address }),
    );
    await fixture.expect(intruder, call, refused({ target_ip: backend.address6 }));
    await fixture.expect(outsider, call, refused({ target_ip: backend.address6 }));
    return undefined;
  }),
];
