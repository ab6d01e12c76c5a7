import assert from 'node:assert/strict';
import type { Call } from '../agent/messages.ts';
import { eventually } from '../rig/eventually.ts';
import type { Pod } from '../rig/pod.ts';
import { closed, type Expected, echoed, refused, served } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { applicationTls, ownTls } from './own-certificate.ts';
import { allow, app, networkAuthenticationPolicy } from './policies.ts';
import type { Scenario } from './scenario.ts';

const who = (title: string, play: Parameters<typeof Fixture.play>[1]): Scenario => ({
  part: 'who',
  title,
  run: (mesh, observer) => Fixture.play({ mesh, observer, ports: { http: 8080 } }, play),
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
  who(
    'the right address needs the certificate too: valid, expired, of another name, none',
    async (fixture) => {
      const backend = await fixture.pod('backend', { ports: { http: 8080 } });
      // Its object says that it is meshed and labelled frontend; its certificates are what each case says.
      const outsider = await fixture.pod('frontend', {
        host: 201,
        labels: { app: 'frontend' },
        meshed: false,
        annotations: { 'linkerd.io/inject': 'enabled' },
      });
      await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      const certified = async (
        name: string,
        validity: { notBefore?: number; notAfter?: number } = {},
      ): Promise<Call> =>
        direct(backend, 8080, {
          tls: await ownTls(fixture.mesh, { name, serverName: backend.identity, ...validity }),
        });
      const name = outsider.identity;
      await fixture.until(outsider, await certified(name), '200');
      await fixture.expect(outsider, await certified(name), served({ tls: 'true', client_id: name }));
      const hour = 3_600_000;
      const expired = await certified(name, {
        notBefore: Date.now() - 2 * hour,
        notAfter: Date.now() - hour,
      });
      await fixture.expect(outsider, expired, noHandshake);
      await fixture.expect(outsider, await certified(name, { notBefore: Date.now() + hour }), noHandshake);
      const other = name.replace('default.', 'other.');
      await fixture.expect(outsider, await certified(other), refused({ tls: 'true', client_id: other }));
      await fixture.expect(outsider, direct(backend, 8080), refused());
      return undefined;
    },
  ),

  who('an unmeshed client is admitted by its address alone, where a policy says so', async (fixture) => {
    const backend = await fixture.pod('backend', { ports: { http: 8080 } });
    const legacy = await fixture.pod('legacy', { meshed: false });
    const neighbour = await fixture.pod('neighbour', { meshed: false });
    await fixture.put(
      networkAuthenticationPolicy(fixture.namespace, 'legacy-by-address', {
        target: { selector: app('backend') },
        ports: [{ port: 8080 }],
        sources: [{ networks: [{ cidr: legacy.address }] }],
      }),
    );
    const call = direct(backend, 8080);
    const unmeshed = { tls: 'no_identity', no_tls_reason: 'no_tls_from_remote' };
    await fixture.until(legacy, call, '200');
    await fixture.expect(legacy, call, served({ ...unmeshed, authz_name: 'legacy-by-address' }));
    await fixture.expect(neighbour, call, refused(unmeshed));
    return undefined;
  }),

  who('a meshed client reaches an unmeshed server in plaintext', async (fixture) => {
    const legacy = await fixture.pod('backend', { ports: { http: 8080 }, meshed: false });
    const frontend = await fixture.pod('frontend');
    const inPlaintext: Expected = {
      client: '200',
      application: 1,
      proxy: {
        clientCounts: 'response_total',
        labels: { direction: 'outbound', target_ip: legacy.address, tls: 'no_identity', status_code: '200' },
      },
    };
    await fixture.until(frontend, fixture.toService(8080), '200');
    await fixture.expect(frontend, fixture.toService(8080), inPlaintext);
    await fixture.expect(frontend, direct(legacy, 8080), inPlaintext);
    for (const { headers } of await legacy.seen()) assert.equal(headers['l5d-client-id'], undefined);
    return undefined;
  }),

  who(
    "every default policy, by HTTP, raw TCP and the application's own TLS, from inside and outside the mesh",
    async (fixture) => {
      const ports = { http: 8080, tcp: 7000, tls: 7443 };
      const backend = await fixture.pod('backend', { ports, tls: applicationTls() });
      const meshed = await fixture.pod('frontend');
      const unmeshed = await fixture.pod('legacy', { meshed: false });
      const secure = direct(backend, 7443, { speaks: 'tcp', tls: { serverName: 'app.example.com' } });
      let calls = 0;
      for (const [policy, expected] of Object.entries(defaults)) {
        await fixture.declare({ 'config.linkerd.io/default-inbound-policy': policy });
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
          await fixture.expect(from, direct(backend, 8080), http(labels));
          await fixture.expect(from, direct(backend, 7000, { speaks: 'tcp' }), tcp(labels));
          // The application's TLS is wrapped by the proxy of a meshed client, and passes unopened from any other.
          const opaque = from === meshed ? {} : { tls: 'opaque', sni: 'app.example.com' };
          await fixture.expect(from, secure, tcp({ ...labels, ...opaque }));
          calls += 3;
        }
      }
      assert.equal(calls, 36);
      return `${Object.keys(defaults).length} policies, ${calls} calls`;
    },
  ),

  who('a source that is a ServiceAccount admits its pods and no others', async (fixture) => {
    await fixture.pod('backend', { ports: { http: 8080 } });
    const web = await fixture.pod('web', { serviceAccount: 'web' });
    const other = await fixture.pod('other');
    await fixture.put(
      networkAuthenticationPolicy(fixture.namespace, 'web', {
        target: { selector: app('backend') },
        ports: [{ port: 8080 }],
        sources: [{ serviceAccounts: [{ name: 'web' }] }],
      }),
    );
    await fixture.until(web, fixture.toService(8080), '200');
    await fixture.expect(web, fixture.toService(8080), served({ authz_name: 'web' }));
    await fixture.expect(other, fixture.toService(8080), refused());
    return undefined;
  }),
];
