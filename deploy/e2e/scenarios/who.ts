import assert from 'node:assert/strict';
import type { Call } from '../hand/messages.ts';
import { eventually } from '../rig/eventually.ts';
import type { Pod } from '../rig/pod.ts';
import { expectOutcome, growthOf, wordOf } from './expectations.ts';
import { applicationTls, ownTls } from './own-certificate.ts';
import { allow, app, networkAuthenticationPolicy } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { callUntil, Stage } from './stage.ts';

const who = (title: string, play: Parameters<typeof Stage.play>[2], ports = { http: 8080 }): Scenario => ({
  part: 'who',
  title,
  run: (mesh) => Stage.play(mesh, ports, play),
});

const direct = (pod: Pod, port: number, call: Partial<Call> = {}): Call => ({
  host: pod.address,
  port,
  speaks: 'http1',
  ...call,
});

/** What each default policy says to a client in the mesh and to one outside it: by HTTP, raw TCP, the application's own TLS. */
const defaults = {
  deny: ['403', '403', 'closed', 'closed', 'closed', 'closed'],
  'all-unauthenticated': ['200', '200', 'echoed', 'echoed', 'echoed', 'echoed'],
  'all-authenticated': ['200', '403', 'echoed', 'closed', 'echoed', 'closed'],
  'cluster-unauthenticated': ['200', '200', 'echoed', 'echoed', 'echoed', 'echoed'],
  'cluster-authenticated': ['200', '403', 'echoed', 'closed', 'echoed', 'closed'],
  audit: ['200', '200', 'echoed', 'echoed', 'echoed', 'echoed'],
} as const;

export const clients = (): readonly Scenario[] => [
  who('the right address needs the certificate too: valid, expired, of another name, none', async (stage) => {
    const backend = await stage.pod('backend', { ports: { http: 8080 } });
    // Its object says that it is meshed and labelled frontend; its certificates are what each case says.
    const address = { host: 201, labels: { app: 'frontend' } };
    const outsider = await stage.pod('frontend', {
      ...address,
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
    await callUntil(outsider, await certified(name), '200');
    const hour = 3_600_000;
    const expired = await certified(name, { notBefore: Date.now() - 2 * hour, notAfter: Date.now() - hour });
    expectOutcome(await outsider.call(expired), 'closed', 'expired');
    const early = await certified(name, { notBefore: Date.now() + hour });
    expectOutcome(await outsider.call(early), 'closed', 'not yet valid');
    expectOutcome(
      await outsider.call(await certified(name.replace('default.', 'other.'))),
      '403',
      'another account',
    );
    expectOutcome(await outsider.call(direct(backend, 8080)), '403', 'no TLS');
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
    await callUntil(legacy, direct(backend, 8080), '200');
    const denials = await growthOf(
      backend,
      'inbound_http_authz_deny_total',
      { target_port: '8080', tls: 'no_identity', no_tls_reason: 'no_tls_from_remote' },
      async () => expectOutcome(await neighbour.call(direct(backend, 8080)), '403', 'its neighbour'),
    );
    assert.equal(denials, 1);
    return undefined;
  }),

  who('a meshed client reaches an unmeshed server in plaintext', async (stage) => {
    const legacy = await stage.pod('backend', { ports: { http: 8080 }, meshed: false });
    const frontend = await stage.pod('frontend');
    await callUntil(frontend, stage.toService(8080), '200');
    expectOutcome(await frontend.call(direct(legacy, 8080)), '200', "by the pod's address");
    for (const { headers } of await legacy.seen()) assert.equal(headers['l5d-client-id'], undefined);
    return undefined;
  }),

  who(
    "every default policy, by HTTP, raw TCP and the application's own TLS, from inside and outside the mesh",
    async (stage) => {
      const ports = { http: 8080, tcp: 7000, tls: 7443 };
      const backend = await stage.pod('backend', { ports, tls: applicationTls() });
      const secure = direct(backend, 7443, { speaks: 'tcp', tls: { serverName: 'app.example.com' } });
      const meshed = await stage.pod('frontend');
      const unmeshed = await stage.pod('legacy', { meshed: false });
      for (const [policy, expected] of Object.entries(defaults)) {
        await stage.declare({ 'config.linkerd.io/default-inbound-policy': policy });
        // Not before the row is there: the outcomes of the policy before it may be the same in part.
        await eventually(`${policy} to be in force`, async () => {
          await unmeshed.call(direct(backend, 8080));
          return (await backend.metrics()).some(({ labels }) => labels.srv_name === policy)
            ? true
            : undefined;
        });
        const outcomes = [
          await meshed.call(direct(backend, 8080)),
          await unmeshed.call(direct(backend, 8080)),
          await meshed.call(direct(backend, 7000, { speaks: 'tcp' })),
          await unmeshed.call(direct(backend, 7000, { speaks: 'tcp' })),
          await meshed.call(secure),
          await unmeshed.call(secure),
        ].map(wordOf);
        assert.deepEqual(outcomes, [...expected], policy);
        const ended = (await backend.seen()).filter(({ speaks }) => speaks === 'tls').length;
        assert.equal(ended, outcomes.slice(4).filter((word) => word === 'echoed').length, policy);
      }
      assert.equal(Object.keys(defaults).length, 6);
      return '6 policies, 36 calls';
    },
    { http: 8080 },
  ),

  who('a source that is a ServiceAccount admits its pods and no others', async (stage) => {
    await stage.mesh.manifests.put(`account-${stage.namespace}`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace: stage.namespace, name: 'web' },
    });
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
    await callUntil(web, stage.toService(8080), '200');
    expectOutcome(await other.call(stage.toService(8080)), '403', 'the other account');
    return undefined;
  }),
];
