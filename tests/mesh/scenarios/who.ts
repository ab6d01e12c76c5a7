import assert from 'node:assert/strict';
import type { Call } from '../agent/messages.ts';
import { eventually } from '../rig/eventually.ts';
import type { Pod } from '../rig/pod.ts';
import { closed, type Expected, echoed, refused, served } from './expectations.ts';
import { applicationTls, ownTls } from './own-certificate.ts';
import { allow, app, networkAuthenticationPolicy } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { Stage } from './stage.ts';

const who = (title: string, play: Parameters<typeof Stage.play>[1]): Scenario => ({
  part: 'who',
  title,
  run: (mesh, witness) => Stage.play({ mesh, witness, ports: { http: 8080 } }, play),
});

const direct = (pod: Pod, port: number, call: Partial<Call> = {}): Call => ({
  host: pod.address,
  port,
  speaks: 'http1',
  ...call,
});

/** A handshake that fails never comes to a verdict. */
const noHandshake: Expected = { client: 'closed', application: 0, proxy: 'no verdict' };

/** What each default policy says to a client in the mesh and to one outside it: by HTTP, raw TCP, the application's own TLS. */
const defaults = {
  deny: { meshed: 'denied', unmeshed: 'denied' },
  'all-unauthenticated': { meshed: 'allowed', unmeshed: 'allowed' },
  'all-authenticated': { meshed: 'allowed', unmeshed: 'denied' },
  'cluster-unauthenticated': { meshed: 'allowed', unmeshed: 'allowed' },
  'cluster-authenticated': { meshed: 'allowed', unmeshed: 'denied' },
  audit: { meshed: 'allowed', unmeshed: 'allowed' },
} as const;

export const clients = (): readonly Scenario[] => [
  who('the right address needs the certificate too: valid, expired, of another name, none', async (stage) => {
    const backend = await stage.pod('backend', { ports: { http: 8080 } });
    // Its object says that it is meshed and labelled frontend; its certificates are what each case says.
    const outsider = await stage.pod('frontend', {
      host: 201,
      labels: { app: 'frontend' },
      meshed: false,
      annotations: { 'linkerd.io/inject': 'enabled' },
    });
    await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
    const certified = async (
      name: string,
      validity: { notBefore?: number; notAfter?: number } = {},
    ): Promise<Call> =>
      direct(backend, 8080, {
        tls: await ownTls(stage.mesh, { name, serverName: backend.identity, ...validity }),
      });
    const name = outsider.identity;
    await stage.until(outsider, await certified(name), '200');
    await stage.expect(outsider, await certified(name), served({ tls: 'true', client_id: name }));
    const hour = 3_600_000;
    const expired = await certified(name, { notBefore: Date.now() - 2 * hour, notAfter: Date.now() - hour });
    await stage.expect(outsider, expired, noHandshake);
    await stage.expect(outsider, await certified(name, { notBefore: Date.now() + hour }), noHandshake);
    const other = name.replace('default.', 'other.');
    await stage.expect(outsider, await certified(other), refused({ tls: 'true', client_id: other }));
    await stage.expect(outsider, direct(backend, 8080), refused());
    return undefined;
  }),

  who('an unmeshed client is admitted by its address alone, where a policy says so', async (stage) => {
    const backend = await stage.pod('backend', { ports: { http: 8080 } });
    const legacy = await stage.pod('legacy', { meshed: false });
    const neighbour = await stage.pod('neighbour', { meshed: false });
    await stage.put(
      networkAuthenticationPolicy(stage.namespace, 'legacy-by-address', {
        target: { selector: app('backend') },
        ports: [{ port: 8080 }],
        sources: [{ networks: [{ cidr: legacy.address }] }],
      }),
    );
    const call = direct(backend, 8080);
    const unmeshed = { tls: 'no_identity', no_tls_reason: 'no_tls_from_remote' };
    await stage.until(legacy, call, '200');
    await stage.expect(legacy, call, served({ ...unmeshed, authz_name: 'legacy-by-address' }));
    await stage.expect(neighbour, call, refused(unmeshed));
    return undefined;
  }),

  who('a meshed client reaches an unmeshed server in plaintext', async (stage) => {
    const legacy = await stage.pod('backend', { ports: { http: 8080 }, meshed: false });
    const frontend = await stage.pod('frontend');
    const inPlaintext: Expected = {
      client: '200',
      application: 1,
      proxy: {
        clientCounts: 'response_total',
        labels: { direction: 'outbound', target_ip: legacy.address, tls: 'no_identity', status_code: '200' },
      },
    };
    await stage.until(frontend, stage.toService(8080), '200');
    await stage.expect(frontend, stage.toService(8080), inPlaintext);
    await stage.expect(frontend, direct(legacy, 8080), inPlaintext);
    for (const { headers } of await legacy.seen()) assert.equal(headers['l5d-client-id'], undefined);
    return undefined;
  }),

  who(
    "every default policy, by HTTP, raw TCP and the application's own TLS, from inside and outside the mesh",
    async (stage) => {
      const ports = { http: 8080, tcp: 7000, tls: 7443 };
      const backend = await stage.pod('backend', { ports, tls: applicationTls() });
      const meshed = await stage.pod('frontend');
      const unmeshed = await stage.pod('legacy', { meshed: false });
      const secure = direct(backend, 7443, { speaks: 'tcp', tls: { serverName: 'app.example.com' } });
      let calls = 0;
      for (const [policy, expected] of Object.entries(defaults)) {
        await stage.declare({ 'config.linkerd.io/default-inbound-policy': policy });
        // Not before the row is there: the outcomes of the policy before it may be the same in part.
        await eventually(`${policy} to be in force`, async () => {
          await unmeshed.call(direct(backend, 8080));
          return (await backend.metrics()).some(({ labels }) => labels.srv_name === policy)
            ? true
            : undefined;
        });
        const labels = { srv_kind: 'default', srv_name: policy };
        for (const [from, verdict] of [
          [meshed, expected.meshed],
          [unmeshed, expected.unmeshed],
        ] as const) {
          const [http, tcp] = verdict === 'allowed' ? [served, echoed] : [refused, closed];
          await stage.expect(from, direct(backend, 8080), http(labels));
          await stage.expect(from, direct(backend, 7000, { speaks: 'tcp' }), tcp(labels));
          // The application's TLS is wrapped by the proxy of a meshed client, and passes unopened from any other.
          const opaque = from === meshed ? {} : { tls: 'opaque', sni: 'app.example.com' };
          await stage.expect(from, secure, tcp({ ...labels, ...opaque }));
          calls += 3;
        }
      }
      assert.equal(calls, 36);
      return `${Object.keys(defaults).length} policies, ${calls} calls`;
    },
  ),

  who('a source that is a ServiceAccount admits its pods and no others', async (stage) => {
    await stage.pod('backend', { ports: { http: 8080 } });
    const web = await stage.pod('web', { serviceAccount: 'web' });
    const other = await stage.pod('other');
    await stage.put(
      networkAuthenticationPolicy(stage.namespace, 'web', {
        target: { selector: app('backend') },
        ports: [{ port: 8080 }],
        sources: [{ serviceAccounts: [{ name: 'web' }] }],
      }),
    );
    await stage.until(web, stage.toService(8080), '200');
    await stage.expect(web, stage.toService(8080), served({ authz_name: 'web' }));
    await stage.expect(other, stage.toService(8080), refused());
    return undefined;
  }),
];
