import assert from 'node:assert/strict';
import type { Call } from '../hand/messages.ts';
import { total } from '../rig/proxy-metrics.ts';
import { expectOutcome, growthOf, wordOf } from './expectations.ts';
import { applicationTls } from './own-certificate.ts';
import { allow, app, networkAuthenticationPolicy, service } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { callUntil, Stage } from './stage.ts';

const what = (
  title: string,
  ports: Readonly<Record<string, number>>,
  play: Parameters<typeof Stage.play>[2],
): Scenario => ({
  part: 'what',
  title,
  run: (mesh) => Stage.play(mesh, ports, play),
});

/** What a meshed client that is authorized sees of each protocol that a Server can declare. */
const protocols = {
  unknown: { http1: '200', http2: '200', tcp: 'echoed' },
  'HTTP/1': { http1: '200', http2: '200', tcp: 'closed' },
  'HTTP/2': { http1: '200', http2: '200' },
  gRPC: { http1: '200', http2: '200' },
  opaque: { http1: '200', http2: '200', tcp: 'echoed' },
  // What a proxy recognises as HTTP it announces in the transport header, and a TLS port has no routes for it.
  TLS: { tcp: 'echoed', http1: '404', http2: '404' },
} as const;

/** What a proxy's answer says to HTTP and to gRPC clients of the same path. */
const answers = {
  '/api/read': ['200', '200'],
  '/closed/read': ['403', '200, grpc-status 7'],
  '/nothing': ['404', '200, grpc-status 5'],
} as const;

const linkerd = (namespace: string, kind: string, version: string, name: string, spec: unknown) => ({
  apiVersion: `policy.linkerd.io/${version}`,
  kind,
  metadata: { namespace, name },
  spec,
});

export const protocolsAndRules = (): readonly Scenario[] => [
  ...Object.entries(protocols).map(([proxyProtocol, expected]) =>
    what(
      `a Server of proxyProtocol ${proxyProtocol} admits whom its policy names`,
      { app: 8080 },
      async (stage) => {
        const { namespace } = stage;
        const backend = await stage.pod('backend', { ports: { app: 8080 } });
        const frontend = await stage.pod('frontend');
        const intruder = await stage.pod('intruder');
        await stage.put(
          linkerd(namespace, 'Server', 'v1beta3', 'backend-app', {
            podSelector: app('backend'),
            port: 'app',
            proxyProtocol,
          }),
          allow(namespace, { from: 'frontend', to: 'backend', ports: ['app'] }),
        );
        const [[first, outcome] = ['http1', '200']] = Object.entries(expected);
        await callUntil(frontend, stage.toService(8080, { speaks: first as keyof typeof expected }), outcome);
        const saw: Record<string, string> = {};
        for (const speaks of Object.keys(expected) as (keyof typeof expected)[]) {
          await backend.seen();
          saw[speaks] = wordOf(await frontend.call(stage.toService(8080, { speaks })));
          const denied = wordOf(await intruder.call(stage.toService(8080, { speaks })));
          assert.ok(['403', '404', 'closed', '502'].includes(denied), `intruder by ${speaks}: ${denied}`);
          const got = ['200', 'echoed'].includes(saw[speaks]) ? 1 : 0;
          assert.equal((await backend.seen()).length, got, `requests that got through by ${speaks}`);
        }
        assert.deepEqual(saw, expected);
        const samples = await backend.metrics();
        const labels = {
          target_port: '8080',
          srv_kind: 'server',
          srv_name: 'backend-app',
          client_id: frontend.identity,
        };
        const allowed =
          total(samples, 'inbound_http_authz_allow_total', labels) +
          total(samples, 'inbound_tcp_authz_allow_total', labels);
        assert.ok(allowed >= 2, `allowed with an identity: ${allowed}`);
        return undefined;
      },
    ),
  ),

  what(
    'an opaque port keeps the client its identity, by the transport header',
    { tcp: 7000 },
    async (stage) => {
      const annotations = { 'config.linkerd.io/opaque-ports': '7000' };
      const backend = await stage.pod('backend', { ports: { tcp: 7000 }, annotations });
      const frontend = await stage.pod('frontend');
      const intruder = await stage.pod('intruder');
      await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [7000] }));
      const call: Call = { ...stage.toService(7000), speaks: 'tcp' };
      await callUntil(frontend, call, 'echoed');
      const labels = { target_port: '7000', tls: 'true', client_id: frontend.identity };
      const grew = await growthOf(backend, 'inbound_tcp_authz_allow_total', labels, () =>
        frontend.call(call),
      );
      assert.equal(grew, 1);
      expectOutcome(
        await frontend.call({ ...call, host: backend.address }),
        'echoed',
        "the pod's own address",
      );
      expectOutcome(await intruder.call(call), 'closed', 'intruder');
      return undefined;
    },
  ),

  what(
    "TLS of the application's own passes a port of proxyProtocol TLS for whom its policy names",
    { tls: 7443 },
    async (stage) => {
      const { namespace } = stage;
      const backend = await stage.pod('backend', { ports: { tls: 7443 }, tls: applicationTls() });
      const frontend = await stage.pod('frontend');
      const intruder = await stage.pod('intruder');
      const legacy = await stage.pod('legacy', { meshed: false });
      const neighbour = await stage.pod('neighbour', { meshed: false });
      const spec = { podSelector: app('backend'), port: 'tls', proxyProtocol: 'TLS' };
      const call = stage.toService(7443, { speaks: 'tcp', tls: { serverName: 'app.example.com' } });
      const directly = { ...call, host: backend.address };
      await stage.put(
        linkerd(namespace, 'Server', 'v1beta3', 'backend-tls', spec),
        allow(namespace, { from: 'frontend', to: 'backend', ports: ['tls'] }),
        networkAuthenticationPolicy(namespace, 'legacy', {
          target: { selector: app('backend') },
          ports: [{ port: 'tls' }],
          sources: [{ networks: [{ cidr: legacy.address }] }],
        }),
      );
      await callUntil(frontend, call, 'echoed');
      await backend.seen();
      const meshed = { target_port: '7443', tls: 'true', client_id: frontend.identity };
      const grew = await growthOf(backend, 'inbound_tcp_authz_allow_total', meshed, () =>
        frontend.call(call),
      );
      assert.equal(grew, 1, 'with the identity of its proxy');
      expectOutcome(await legacy.call(directly), 'echoed', 'outside the mesh, by its address');
      const denials = await growthOf(
        backend,
        'inbound_tcp_authz_deny_total',
        { target_port: '7443' },
        async () => {
          expectOutcome(await intruder.call(call), 'closed', 'intruder');
          expectOutcome(await neighbour.call(directly), 'closed', 'neighbour outside the mesh');
        },
      );
      assert.equal(denials, 2);
      assert.deepEqual(
        (await backend.seen()).map(({ speaks }) => speaks),
        ['tls', 'tls'],
      );
      return undefined;
    },
  ),

  what(
    'denied is 403 and no route is 404; a gRPC client is told the same as status 7 and 5',
    { http: 8080 },
    async (stage) => {
      const { namespace } = stage;
      const backend = await stage.pod('backend', { ports: { http: 8080 } });
      const frontend = await stage.pod('frontend');
      const route = (name: string) =>
        linkerd(namespace, 'HTTPRoute', 'v1beta3', name, {
          parentRefs: [{ group: 'policy.linkerd.io', kind: 'Server', name: 'backend-http' }],
          rules: [{ matches: [{ path: { type: 'PathPrefix', value: `/${name}` } }] }],
        });
      await stage.put(
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
      await callUntil(frontend, stage.toService(8080, { path: '/api/read' }), '200');
      await backend.seen();
      for (const [path, expected] of Object.entries(answers)) {
        const http = await frontend.call(stage.toService(8080, { path }));
        const grpc = await frontend.call(
          stage.toService(8080, {
            path,
            speaks: 'http2',
            method: 'POST',
            headers: [
              ['content-type', 'application/grpc'],
              ['te', 'trailers'],
            ],
          }),
        );
        const status = grpc.kind === 'answered' ? grpc.headers['grpc-status'] : undefined;
        const told = [
          wordOf(http),
          `${wordOf(grpc)}${status === undefined ? '' : `, grpc-status ${status}`}`,
        ];
        assert.deepEqual(told, [...expected], path);
      }
      assert.equal((await backend.seen()).length, 2, 'only what was admitted got through');
      return undefined;
    },
  ),

  what('a Service of both stacks is the same by either address', { http: 8080 }, async (stage) => {
    const also = stage.clusterIP6;
    await stage.mesh.manifests.put(
      `service-${stage.namespace}`,
      service(stage.namespace, 'backend', { clusterIP: stage.clusterIP, also, ports: { http: 8080 } }),
    );
    const backend = await stage.pod('backend', { ports: { http: 8080 } });
    const frontend = await stage.pod('frontend');
    const intruder = await stage.pod('intruder');
    await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
    for (const host of [stage.clusterIP, also]) {
      await callUntil(frontend, stage.toService(8080, { host }), '200');
      await backend.seen();
      for (const speaks of ['http1', 'http2'] as const) {
        expectOutcome(
          await frontend.call(stage.toService(8080, { host, speaks })),
          '200',
          `${speaks} to ${host}`,
        );
        expectOutcome(
          await intruder.call(stage.toService(8080, { host, speaks })),
          '403',
          `intruder to ${host}`,
        );
      }
      const clients = (await backend.seen()).map(({ headers }) => headers['l5d-client-id']);
      assert.deepEqual(clients, [frontend.identity, frontend.identity], `who called ${host}`);
    }
    return undefined;
  }),

  what('a probe path is open to the kubelet, and nothing beside it', { http: 8080 }, async (stage) => {
    const probe = { port: 8080, path: '/healthz' };
    const backend = await stage.pod('backend', { ports: { http: 8080 }, probe });
    const kubelet = await stage.pod('kubelet', { meshed: false });
    const get = (path: string, method = 'GET'): Call => ({
      host: backend.address,
      port: 8080,
      speaks: 'http1',
      path,
      method,
    });
    expectOutcome(await kubelet.call(get('/healthz')), '200', 'the probe');
    for (const [path, method] of [
      ['/', 'GET'],
      ['/healthz', 'POST'],
      ['/healthz/x', 'GET'],
      ['/x/../healthz', 'GET'],
    ] as const) {
      expectOutcome(await kubelet.call(get(path, method)), '403', `${method} ${path}`);
    }
    const frontend = await stage.pod('frontend');
    const rules = [{ paths: [{ type: 'PathPrefix', value: '/api' }] }];
    await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080], rules }));
    await callUntil(frontend, stage.toService(8080, { path: '/api' }), '200');
    expectOutcome(await kubelet.call(get('/healthz')), '200', 'the probe beside rules');
    expectOutcome(await kubelet.call(get('/api')), '403', 'the rule for the kubelet');
    return undefined;
  }),

  what('paths that some servers would normalise never pass a rule', { http: 8080 }, async (stage) => {
    const backend = await stage.pod('backend', { ports: { http: 8080 } });
    const frontend = await stage.pod('frontend');
    const rules = [{ paths: [{ type: 'PathPrefix', value: '/api' }] }];
    await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080], rules }));
    await callUntil(frontend, stage.toService(8080, { path: '/api/x' }), '200');
    await backend.seen();
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
      '//api/x',
      '/API/x',
    ];
    const admitted: string[] = [];
    for (const speaks of ['http1', 'http2'] as const) {
      for (const path of paths) {
        const word = wordOf(await frontend.call(stage.toService(8080, { path, speaks })));
        if (word === '200') admitted.push(`${speaks} ${path}`);
      }
    }
    assert.deepEqual(admitted, []);
    assert.deepEqual(await backend.seen(), []);
    return `${2 * paths.length} requests`;
  }),

  what(
    'a policy for a named port follows the name to the number it has in each pod',
    { api: 80 },
    async (stage) => {
      const first = await stage.pod('backend', { ports: { api: 9000, http: 8080 } });
      const second = await stage.pod('backend', { name: 'backend-1', ports: { api: 9100, http: 8080 } });
      const frontend = await stage.pod('frontend');
      await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: ['api'] }));
      const at = (host: string, port: number): Call => ({ host, port, speaks: 'http1' });
      await callUntil(frontend, at(first.address, 9000), '200');
      await callUntil(frontend, at(second.address, 9100), '200');
      expectOutcome(await frontend.call(at(first.address, 8080)), '403', 'another port of the first');
      expectOutcome(await frontend.call(at(second.address, 8080)), '403', 'another port of the second');
      // The Service's port 80 has the same name, and leads to either number.
      for (let call = 0; call < 6; call += 1)
        expectOutcome(await frontend.call(stage.toService(80)), '200', 'by the Service');
      return undefined;
    },
  ),

  what('IPv6 is governed as IPv4 is', { http: 8080 }, async (stage) => {
    const backend = await stage.pod('backend', { ports: { http: 8080 } });
    const frontend = await stage.pod('frontend');
    const intruder = await stage.pod('intruder');
    const outsider = await stage.pod('outsider', { meshed: false });
    await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
    const call: Call = { host: backend.address6, port: 8080, speaks: 'http1' };
    await callUntil(frontend, call, '200');
    expectOutcome(await frontend.call({ ...call, speaks: 'tcp' }), 'echoed', 'raw TCP');
    expectOutcome(await frontend.call({ ...call, host: backend.address }), '200', 'IPv4 of the same pod');
    expectOutcome(await intruder.call(call), '403', 'intruder');
    expectOutcome(await outsider.call(call), '403', 'no certificate');
    return undefined;
  }),
];
