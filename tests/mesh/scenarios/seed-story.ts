import assert from 'node:assert/strict';
import { makeForeignCertificate } from '@gatehouse/dev/demo/foreign-certificate';
import type { Call, Outcome } from '../agent/messages.ts';
import type { Pod } from '../rig/pod.ts';
import { total } from '../rig/proxy-metrics.ts';
import { closed, type Expected, echoed, refused, routeless, served } from './expectations.ts';
import type { Observer } from './observer.ts';
import { allow, app, service } from './policies.ts';
import type { Scenario } from './scenario.ts';

const namespace = 'demo';
const clusterIP = '10.96.0.50';

interface Cast {
  readonly frontend: Pod;
  readonly backend: Pod;
  readonly intruder: Pod;
}

interface Line {
  readonly observer: Observer;
  readonly from: Pod;
  readonly call: Call;
}

/** One call of the story, for its observers. */
export interface ToldCall {
  readonly what: string;
  readonly outcome: Outcome;
  readonly expected: string;
}

/** The seed's story with the real proxy: the same eight steps that `npm run demo` plays with ours. */
export const seedStory = (tell: (call: ToldCall) => void = () => undefined): readonly Scenario[] => {
  let cast: Cast | undefined;
  const onFixture = (): Cast => {
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
  /** One call at backend, told and looked at from all sides. */
  const get = async ({ observer, from, call }: Line, expected: Expected, what: string): Promise<Outcome> => {
    const outcome = await observer.expect({ from, call, at: [onFixture().backend] }, expected);
    const { speaks, method = 'GET', path = '/', port } = call;
    const said = speaks === 'tcp' ? 'raw TCP' : `${method} ${path}`;
    const why = said.includes(what) || from.name.startsWith(what) ? '' : ` (${what})`;
    tell({ what: `${from.name} > ${port} ${said}${why}`, outcome, expected: expected.client });
    return outcome;
  };
  /** Calls until the change is in force, and then once more. */
  const until = async (
    { observer, from, call }: Line,
    expected: Expected,
    what = 'in force',
  ): Promise<number> => {
    const ms = await observer.until({ from, call, at: [onFixture().backend] }, { outcome: expected.client });
    const outcome = await get({ observer, from, call }, expected, what);
    if (call.connection !== undefined) {
      assert.ok(outcome.kind === 'answered' && outcome.opened === 1, 'the connection was opened again');
    }
    return ms;
  };
  const step = (title: string, run: Scenario['run'], without?: Scenario['without']): Scenario => ({
    part: 'seed',
    title,
    run,
    ...(without === undefined ? {} : { without }),
  });
  return [
    step(
      'three pods with one identity are certified and ready',
      async (mesh, observer) => {
        const started = performance.now();
        await mesh.namespace(namespace, { 'config.linkerd.io/default-inbound-policy': 'deny' });
        // Before anybody calls it: what a proxy was told of an unknown address it believes while it is used (docs/proxy-contract.md).
        await mesh.put(
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
        const pods = [cast.backend, cast.frontend, cast.intruder];
        assert.equal(new Set(pods.map(({ identity }) => identity)).size, 1);
        const ms = performance.now() - started;
        for (const pod of pods) {
          const certified = total(await pod.metrics(), 'control_identity_cert_refreshes_total', {
            result: 'ok',
          });
          observer.check('proxy', () => assert.equal(certified, 1, pod.name));
        }
        return `${Math.round(ms)} ms`;
      },
      { client: 'nobody calls yet', application: 'nobody calls yet' },
    ),
    step('frontend is denied by default, seen with its identity', async (_, observer) => {
      const { frontend: from, backend } = onFixture();
      const byDefault = refused({ target_port: '8080', srv_kind: 'default', srv_name: 'deny' });
      await get({ observer, from, call: toBackend(8080, kept) }, byDefault, 'by the Service address');
      const directly = { ...toBackend(8080), host: backend.address };
      await get({ observer, from, call: directly }, byDefault, "by the pod's address");
      return undefined;
    }),
    step('a policy admits frontend, over the connection that is already there', async (mesh, observer) => {
      const { frontend: from, backend } = onFixture();
      await mesh.put('seed', allow(namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      const admitted = served({
        authz_kind: 'networkauthenticationpolicy',
        authz_name: 'frontend-to-backend-8080',
      });
      const ms = await until(
        { observer, from, call: toBackend(8080, kept) },
        admitted,
        'the same connection',
      );
      const seen = (await backend.seen()).at(-1);
      observer.check('application', () => assert.equal(seen?.headers['l5d-client-id'], from.identity));
      return `${Math.round(ms)} ms after the file`;
    }),
    step(
      "frontend's HTTP/2 calls and calls to the pod's own address are admitted, too",
      async (_, observer) => {
        const { frontend: from, backend } = onFixture();
        const directly = { ...toBackend(8080), host: backend.address };
        await get({ observer, from, call: toBackend(8080, { speaks: 'http2' }) }, served(), 'HTTP/2');
        await get({ observer, from, call: directly }, served(), "the pod's address");
        await get({ observer, from, call: { ...directly, speaks: 'tcp' } }, echoed(), 'raw TCP');
        return undefined;
      },
    ),
    step(
      'nothing else opened: other port, intruder, no certificate, foreign certificate',
      async (mesh, observer) => {
        const { frontend, backend, intruder } = onFixture();
        await get({ observer, from: frontend, call: toBackend(9000) }, refused(), 'the other port');
        await get({ observer, from: intruder, call: toBackend(8080) }, refused(), 'intruder');
        const raw: Call = { ...toBackend(8080), host: backend.address, speaks: 'tcp' };
        await get({ observer, from: intruder, call: raw }, closed(), 'raw TCP');
        // With its proxy gone, frontend's address belongs to somebody who can only be told by certificate.
        const from = await mesh.pod({
          namespace,
          name: 'outsider-0',
          labels: { app: 'frontend' },
          meshed: false,
        });
        const direct: Call = { host: backend.address, port: 8080, speaks: 'http1' };
        await get({ observer, from, call: direct }, refused(), 'no TLS');
        const anonymous: Call = { ...direct, tls: { serverName: backend.identity } };
        await get(
          { observer, from, call: anonymous },
          refused({ tls: 'true', client_id: '' }),
          'TLS without certificate',
        );
        const foreign = makeForeignCertificate(frontend.identity);
        await get(
          { observer, from, call: { ...direct, tls: { serverName: backend.identity, ...foreign } } },
          { client: 'closed', application: 0, proxy: 'no verdict' },
          'certificate of another root',
        );
        await mesh.deletePod(from);
        return undefined;
      },
    ),
    step(
      'rules narrow 9000 to GET /api, and unnormalised paths do not slip through',
      async (mesh, observer) => {
        const { frontend: from, intruder } = onFixture();
        const rules = [{ methods: ['GET'], paths: [{ type: 'PathPrefix', value: '/api' }] }];
        await mesh.put('rules', allow(namespace, { from: 'frontend', to: 'backend', ports: [9000], rules }));
        const call = toBackend(9000, { path: '/api/x' });
        const ms = await until({ observer, from, call }, served({ authz_name: 'frontend-to-backend-9000' }));
        await get({ observer, from, call: { ...call, method: 'POST' } }, refused(), 'POST');
        for (const path of ['/admin', '/api/../admin', '/api//x', '/api/%2e%2e/admin', '/apix']) {
          await get({ observer, from, call: toBackend(9000, { path }) }, refused(), path);
        }
        await get({ observer, from: intruder, call }, refused(), 'intruder');
        await mesh.remove('rules');
        await until({ observer, from, call }, refused());
        return `${Math.round(ms)} ms after the file`;
      },
    ),
    step(
      "Linkerd's own Server, HTTPRoute and AuthorizationPolicy do the same: 200, 404, 403",
      async (mesh, observer) => {
        const { frontend: from, intruder } = onFixture();
        await mesh.put('linkerd', ...linkerdPolicy(from.address));
        const headers = [['x-tenant', 'blue']] as const;
        const call = toBackend(9000, { path: '/api/x', headers });
        const server = { srv_kind: 'server', srv_name: 'backend-api' };
        const ms = await until(
          { observer, from, call },
          served({
            ...server,
            route_name: 'blue-tenant-api',
            authz_name: 'frontend-can-use-blue-tenant-api',
          }),
        );
        await get({ observer, from, call: { ...call, headers: [] } }, routeless(server), 'no header');
        await get({ observer, from, call: { ...call, method: 'POST' } }, routeless(server), 'POST');
        await get({ observer, from, call: { ...call, path: '/admin' } }, routeless(server), '/admin');
        await get({ observer, from: intruder, call }, refused(server), 'intruder');
        return `${Math.round(ms)} ms after the file`;
      },
    ),
    step(
      'the policy is deleted: the next request on the open connection is denied',
      async (mesh, observer) => {
        const { frontend: from } = onFixture();
        await mesh.remove('seed');
        const ms = await until(
          { observer, from, call: toBackend(8080, kept) },
          refused(),
          'the same connection',
        );
        return `${Math.round(ms)} ms after the file`;
      },
    ),
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
