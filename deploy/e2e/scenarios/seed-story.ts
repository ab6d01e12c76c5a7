import assert from 'node:assert/strict';
import { makeForeignCertificate } from '@gatehouse/cli/dev/demo/foreign-certificate';
import type { Call, Outcome } from '../hand/messages.ts';
import { eventually } from '../rig/eventually.ts';
import type { Pod } from '../rig/pod.ts';
import type { RealMesh } from '../rig/real-mesh.ts';
import { expectOutcome, growthOf, wordOf } from './expectations.ts';
import { allow, app, service } from './policies.ts';
import type { Scenario } from './scenario.ts';

const namespace = 'demo';
const clusterIP = '10.96.0.50';

interface Cast {
  readonly frontend: Pod;
  readonly backend: Pod;
  readonly intruder: Pod;
}

/** One call of the story, for whoever watches. */
export interface ToldCall {
  readonly what: string;
  readonly outcome: Outcome;
  readonly expected: string;
}

/** The seed's story with the real proxy: the same eight steps that `npm run demo` plays with ours. */
export const seedStory = (tell: (call: ToldCall) => void = () => undefined): readonly Scenario[] => {
  let cast: Cast | undefined;
  const onStage = (): Cast => {
    assert.ok(cast, 'the pods are not there');
    return cast;
  };
  const toBackend = (port: number, rest: Partial<Call> = {}): Call => ({
    host: clusterIP,
    port,
    speaks: 'http1',
    authority: `backend.${namespace}:${port}`,
    ...rest,
  });
  const kept = { connection: 'seed' };
  const get = async (pod: Pod, call: Call, expected: string, what: string): Promise<void> => {
    const outcome = await pod.call(call);
    const { speaks, method = 'GET', path = '/', port } = call;
    const said = speaks === 'tcp' ? 'raw TCP' : `${method} ${path}`;
    const why = said.includes(what) || pod.name.startsWith(what) ? '' : ` (${what})`;
    tell({ what: `${pod.name} > ${port} ${said}${why}`, outcome, expected });
    expectOutcome(outcome, expected, what);
  };
  const until = async (call: Call, expected: string): Promise<number> => {
    const since = performance.now();
    const outcome = await eventually(`${expected} at ${call.port}${call.path ?? '/'}`, async () => {
      const latest = await onStage().frontend.call(call);
      return wordOf(latest) === expected ? latest : undefined;
    });
    const { method = 'GET', path = '/', port } = call;
    tell({ what: `frontend-0 > ${port} ${method} ${path}`, outcome, expected });
    return performance.now() - since;
  };
  const step = (title: string, run: (mesh: RealMesh) => Promise<string | undefined>): Scenario => ({
    part: 'seed',
    title,
    run,
  });
  return [
    step('three pods with one identity are certified and ready', async (mesh) => {
      const started = performance.now();
      await mesh.namespace(namespace, { 'config.linkerd.io/default-inbound-policy': 'deny' });
      // Before anybody calls it: what a proxy was told of an unknown address it believes while it is used (docs/proxy-contract.md).
      await mesh.manifests.put(
        'service-backend',
        service(namespace, 'backend', { clusterIP, ports: { http: 8080, api: 9000 } }),
      );
      const pod = (name: string, ports: Readonly<Record<string, number>>) =>
        mesh.pod({ namespace, name: `${name}-0`, labels: { app: name }, ports });
      cast = {
        backend: await pod('backend', { http: 8080, api: 9000 }),
        frontend: await pod('frontend', { http: 8080 }),
        intruder: await pod('intruder', { http: 8080 }),
      };
      const identities = new Set(
        [cast.backend, cast.frontend, cast.intruder].map(({ identity }) => identity),
      );
      assert.equal(identities.size, 1);
      return `${Math.round(performance.now() - started)} ms`;
    }),
    step('frontend is denied by default, seen with its identity', async () => {
      const { frontend, backend } = onStage();
      const denials = await growthOf(
        backend,
        'inbound_http_authz_deny_total',
        {
          target_port: '8080',
          srv_kind: 'default',
          srv_name: 'deny',
          tls: 'true',
          client_id: frontend.identity,
        },
        async () => {
          await get(frontend, toBackend(8080, kept), '403', 'by the Service address');
          await get(frontend, { ...toBackend(8080), host: backend.address }, '403', "by the pod's address");
        },
      );
      assert.equal(denials, 2);
      assert.deepEqual(await backend.seen(), [], 'the application saw a denied request');
      return undefined;
    }),
    step('a policy admits frontend, over the connection that is already there', async (mesh) => {
      const { frontend, backend } = onStage();
      await mesh.manifests.put('seed', allow(namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      const ms = await until(toBackend(8080, kept), '200');
      const allowed = await growthOf(
        backend,
        'inbound_http_authz_allow_total',
        {
          target_port: '8080',
          authz_kind: 'networkauthenticationpolicy',
          authz_name: 'frontend-to-backend-8080',
          client_id: frontend.identity,
        },
        async () => {
          const outcome = await frontend.call(toBackend(8080, kept));
          tell({ what: 'frontend-0 > 8080 GET / (the same connection)', outcome, expected: '200' });
          expectOutcome(outcome, '200', 'over the kept connection');
          assert.ok(outcome.kind === 'answered' && outcome.opened === 1, 'the connection was opened again');
        },
      );
      assert.equal(allowed, 1);
      const seen = (await backend.seen()).at(-1);
      assert.equal(seen?.headers['l5d-client-id'], frontend.identity);
      return `${Math.round(ms)} ms after the file`;
    }),
    step("frontend's HTTP/2 calls and calls to the pod's own address are admitted, too", async () => {
      const { frontend, backend } = onStage();
      await get(frontend, toBackend(8080, { speaks: 'http2' }), '200', 'HTTP/2');
      await get(frontend, { ...toBackend(8080), host: backend.address }, '200', "the pod's address");
      await get(frontend, { ...toBackend(8080), host: backend.address, speaks: 'tcp' }, 'echoed', 'raw TCP');
      return undefined;
    }),
    step('nothing else opened: other port, intruder, no certificate, foreign certificate', async (mesh) => {
      const { frontend, backend, intruder } = onStage();
      await backend.seen();
      await get(frontend, toBackend(9000), '403', 'the other port');
      await get(intruder, toBackend(8080), '403', 'intruder');
      await get(intruder, { ...toBackend(8080), host: backend.address, speaks: 'tcp' }, 'closed', 'raw TCP');
      // With its proxy gone, frontend's address belongs to somebody who can only be told by certificate.
      const outsider = await mesh.pod({
        namespace,
        name: 'outsider-0',
        labels: { app: 'frontend' },
        meshed: false,
      });
      const direct: Call = { host: backend.address, port: 8080, speaks: 'http1' };
      await get(outsider, direct, '403', 'no TLS');
      await get(
        outsider,
        { ...direct, tls: { serverName: backend.identity } },
        '403',
        'TLS without certificate',
      );
      const foreign = makeForeignCertificate(frontend.identity);
      await get(
        outsider,
        { ...direct, tls: { serverName: backend.identity, ...foreign } },
        'closed',
        'certificate of another root',
      );
      await mesh.deletePod(outsider);
      assert.deepEqual(await backend.seen(), []);
      return undefined;
    }),
    step('rules narrow 9000 to GET /api, and unnormalised paths do not slip through', async (mesh) => {
      const { frontend, intruder } = onStage();
      const rules = [{ methods: ['GET'], paths: [{ type: 'PathPrefix', value: '/api' }] }];
      await mesh.manifests.put(
        'rules',
        allow(namespace, { from: 'frontend', to: 'backend', ports: [9000], rules }),
      );
      const ms = await until(toBackend(9000, { path: '/api/x' }), '200');
      await get(frontend, toBackend(9000, { path: '/api/x', method: 'POST' }), '403', 'POST');
      for (const path of ['/admin', '/api/../admin', '/api//x', '/api/%2e%2e/admin', '/apix']) {
        await get(frontend, toBackend(9000, { path }), '403', path);
      }
      await get(intruder, toBackend(9000, { path: '/api/x' }), '403', 'intruder');
      await mesh.manifests.remove('rules');
      await until(toBackend(9000, { path: '/api/x' }), '403');
      return `${Math.round(ms)} ms after the file`;
    }),
    step(
      "Linkerd's own Server, HTTPRoute and AuthorizationPolicy do the same: 200, 404, 403",
      async (mesh) => {
        const { frontend, intruder, backend } = onStage();
        await mesh.manifests.put('linkerd', ...linkerdPolicy(frontend.address));
        const blue = [['x-tenant', 'blue']] as const;
        const ms = await until(toBackend(9000, { path: '/api/x', headers: blue }), '200');
        const missed = await growthOf(
          backend,
          'inbound_http_route_not_found_total',
          { target_port: '9000', srv_kind: 'server', srv_name: 'backend-api' },
          async () => {
            await get(frontend, toBackend(9000, { path: '/api/x' }), '404', 'no header');
            await get(
              frontend,
              toBackend(9000, { path: '/api/x', method: 'POST', headers: blue }),
              '404',
              'POST',
            );
            await get(frontend, toBackend(9000, { path: '/admin', headers: blue }), '404', '/admin');
          },
        );
        assert.equal(missed, 3);
        await get(intruder, toBackend(9000, { path: '/api/x', headers: blue }), '403', 'intruder');
        return `${Math.round(ms)} ms after the file`;
      },
    ),
    step('the policy is deleted: the next request on the open connection is denied', async (mesh) => {
      const { frontend } = onStage();
      await mesh.manifests.remove('seed');
      const ms = await until(toBackend(8080, kept), '403');
      const outcome = await frontend.call(toBackend(8080, kept));
      tell({ what: 'frontend-0 > 8080 GET / (the same connection)', outcome, expected: '403' });
      assert.ok(outcome.kind === 'answered' && outcome.opened === 1, 'the connection was opened again');
      return `${Math.round(ms)} ms after the file`;
    }),
  ];
};

const linkerdPolicy = (frontend: string) => {
  const policy = (kind: string, version: string, name: string, spec: unknown) => ({
    apiVersion: `policy.linkerd.io/${version}`,
    kind,
    metadata: { namespace, name },
    spec,
  });
  const group = 'policy.linkerd.io';
  return [
    policy('Server', 'v1beta3', 'backend-api', { podSelector: app('backend'), port: 'api' }),
    policy('HTTPRoute', 'v1beta3', 'blue-tenant-api', {
      parentRefs: [{ group, kind: 'Server', name: 'backend-api' }],
      rules: [
        {
          matches: [
            {
              method: 'GET',
              path: { type: 'PathPrefix', value: '/api' },
              headers: [{ name: 'x-tenant', value: 'blue' }],
            },
          ],
        },
      ],
    }),
    policy('AuthorizationPolicy', 'v1alpha1', 'frontend-can-use-blue-tenant-api', {
      targetRef: { group, kind: 'HTTPRoute', name: 'blue-tenant-api' },
      requiredAuthenticationRefs: [
        { group, kind: 'MeshTLSAuthentication', name: 'shared-identity' },
        { group, kind: 'NetworkAuthentication', name: 'frontend-address' },
      ],
    }),
    policy('MeshTLSAuthentication', 'v1alpha1', 'shared-identity', {
      identityRefs: [{ kind: 'ServiceAccount', name: 'default' }],
    }),
    policy('NetworkAuthentication', 'v1alpha1', 'frontend-address', { networks: [{ cidr: frontend }] }),
  ];
};
