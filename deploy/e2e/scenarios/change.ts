import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from '../hand/messages.ts';
import { eventually } from '../rig/eventually.ts';
import { total } from '../rig/proxy-metrics.ts';
import { expectOutcome, growthOf, wordOf } from './expectations.ts';
import { ownTls } from './own-certificate.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { callUntil, Stage } from './stage.ts';

const change = (
  title: string,
  ports: Readonly<Record<string, number>>,
  play: Parameters<typeof Stage.play>[2],
): Scenario => ({
  part: 'change',
  title,
  run: (mesh) => Stage.play(mesh, ports, play),
});

/** How long after a pod's deletion its address may still be taken for it: settling, compiling, sending. */
const boundMs = 1_000;

/** What changes while traffic flows. */
export const changes = (): readonly Scenario[] => [
  change(
    'a revoked policy denies the next request of an open HTTP/2 connection',
    { http: 8080 },
    async (stage) => {
      const backend = await stage.pod('backend', { ports: { http: 8080 } });
      const frontend = await stage.pod('frontend');
      const call = stage.toService(8080, { speaks: 'http2', connection: 'h2' });
      await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await callUntil(frontend, call, '200');
      await backend.seen();
      await stage.removePolicies();
      const ms = await callUntil(frontend, call, '403');
      const denied = await frontend.call(call);
      assert.ok(denied.kind === 'answered' && denied.status === 403 && denied.opened === 1);
      await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await callUntil(frontend, call, '200');
      const again = await frontend.call(call);
      assert.ok(again.kind === 'answered' && again.opened === 1, 'the connection was opened again');
      return `${Math.round(ms)} ms`;
    },
  ),

  change(
    'a revoked policy lets a stream that was admitted go on, and denies the next one beside it',
    { http: 8080 },
    async (stage) => {
      await stage.pod('backend', { ports: { http: 8080 } });
      const frontend = await stage.pod('frontend');
      const call = stage.toService(8080, { speaks: 'http2', connection: 'h2' });
      const stream = () => frontend.hand.ask({ kind: 'stream', name: 'long' });
      const more = async (than: number): Promise<number> =>
        eventually('more of the stream', async () => {
          const { status, chunks, ended } = await stream();
          assert.ok(!ended, `the stream ended after ${chunks} chunks`);
          return status === 200 && chunks > than ? chunks : undefined;
        });
      await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await callUntil(frontend, call, '200');
      await frontend.hand.ask({ kind: 'open-stream', name: 'long', call: { ...call, path: '/stream' } });
      const before = await more(0);
      await stage.removePolicies();
      await callUntil(frontend, call, '403');
      const after = await more((await stream()).chunks + 10);
      const next = await frontend.call(call);
      assert.ok(next.kind === 'answered' && next.status === 403 && next.opened === 1);
      return `${before} chunks before, ${after} by the end`;
    },
  ),

  change('a revoked policy cuts raw TCP that is open', { tcp: 7000 }, async (stage) => {
    const backend = await stage.pod('backend', { ports: { tcp: 7000 } });
    const frontend = await stage.pod('frontend');
    const call = stage.toService(7000, { speaks: 'tcp', connection: 'tcp' });
    await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [7000] }));
    await callUntil(frontend, call, 'echoed');
    const open = await frontend.call(call);
    assert.ok(open.kind === 'echoed');
    await stage.removePolicies();
    const since = performance.now();
    await eventually('the connection to be cut', async () =>
      (await frontend.hand.ask({ kind: 'state', connection: 'tcp' })) === 'closed' ? true : undefined,
    );
    const ms = performance.now() - since;
    const labels = { target_port: '7000', client_id: frontend.identity };
    assert.equal(total(await backend.metrics(), 'inbound_tcp_authz_terminate_total', labels), 1);
    await backend.seen();
    const denied = await growthOf(backend, 'inbound_tcp_authz_deny_total', labels, async () => {
      expectOutcome(await frontend.call({ ...call, connection: 'next' }), 'closed', 'the next connection');
    });
    assert.equal(denied, 1);
    assert.deepEqual(await backend.seen(), [], 'the application saw bytes of a denied connection');
    return `${Math.round(ms)} ms`;
  }),

  change('a tightened namespace default binds whoever is connected', { http: 8080 }, async (stage) => {
    await stage.declare({ 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' });
    const backend = await stage.pod('backend', { ports: { http: 8080 } });
    const outsider = await stage.pod('outsider', { meshed: false });
    const http: Call = { host: backend.address, port: 8080, speaks: 'http1', connection: 'http' };
    const tcp: Call = { ...http, speaks: 'tcp', connection: 'tcp' };
    await callUntil(outsider, http, '200');
    await callUntil(outsider, tcp, 'echoed');
    await stage.declare({ 'config.linkerd.io/default-inbound-policy': 'all-authenticated' });
    const ms = await callUntil(outsider, http, '403');
    await eventually('raw TCP to be cut', async () =>
      (await outsider.hand.ask({ kind: 'state', connection: 'tcp' })) === 'closed' ? true : undefined,
    );
    const denials = total(await backend.metrics(), 'inbound_http_authz_deny_total', {
      srv_kind: 'default',
      srv_name: 'all-authenticated',
      tls: 'no_identity',
    });
    assert.ok(denials >= 1);
    return `${Math.round(ms)} ms`;
  }),

  ...(['default', 'other'] as const).map((serviceAccount) =>
    change(
      `an address goes to a pod with ${serviceAccount === 'default' ? 'the same' : 'another'} identity: it inherits nothing`,
      { http: 8080 },
      async (stage) => {
        await stage.pod('backend', { ports: { http: 8080 } });
        const frontend = await stage.pod('frontend', { host: 200 });
        const call = stage.toService(8080);
        await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
        await callUntil(frontend, call, '200');
        const deleted = performance.now();
        await stage.deletePod(frontend);
        await stage.mesh.manifests.put(`account-${stage.namespace}`, {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { namespace: stage.namespace, name: 'other' },
        });
        const heir = await stage.pod('heir', { host: 200, serviceAccount });
        assert.equal(heir.address, frontend.address);
        const first = performance.now() - deleted;
        for (let at = 0; at < 20; at += 1)
          expectOutcome(await heir.call(call), '403', `call ${at} of the heir`);
        return `20 calls denied, the first ${Math.round(first)} ms after the deletion`;
      },
    ),
  ),

  change(
    'an address whose pod is deleted is admitted no longer, while somebody with its identity keeps calling from it',
    { http: 8080 },
    async (stage) => {
      const backend = await stage.pod('backend', { ports: { http: 8080 } });
      // It holds frontend's address and calls with a certificate of frontend's identity, as the next pod there could.
      const heir = await stage.pod('frontend', {
        meshed: false,
        annotations: { 'linkerd.io/inject': 'enabled' },
      });
      const call: Call = {
        host: backend.address,
        port: 8080,
        speaks: 'http1',
        connection: 'kept',
        tls: await ownTls(stage.mesh, { name: heir.identity, serverName: backend.identity }),
      };
      await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await callUntil(heir, call, '200');
      await stage.mesh.manifests.remove(`pod-${stage.namespace}-frontend-0`);
      const deleted = performance.now();
      let lastAdmitted = 0;
      let calls = 0;
      while (performance.now() - deleted < 2_000) {
        calls += 1;
        if (wordOf(await heir.call(call)) === '200') lastAdmitted = performance.now() - deleted;
      }
      await stage.mesh.manifests.put(`pod-${stage.namespace}-frontend-0`);
      assert.ok(lastAdmitted < boundMs, `still admitted ${Math.round(lastAdmitted)} ms after the deletion`);
      return `none of ${calls} calls later than ${Math.round(lastAdmitted)} ms; bound ${boundMs} ms`;
    },
  ),

  change(
    'a pod comes to an address that is being called all the while: it is reached with identity',
    { http: 8080 },
    async (stage) => {
      const frontend = await stage.pod('frontend');
      await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      const call: Call = { host: '10.99.1.210', port: 8080, speaks: 'http1', timeoutMs: 4_000 };
      await frontend.hand.ask({ kind: 'load', name: 'early', call, everyMs: 300 });
      await sleep(2_000);
      const backend = await stage.pod('backend', { ports: { http: 8080 }, host: 210 });
      try {
        const ms = await callUntil(frontend, call, '200');
        return `${Math.round(ms)} ms after it was ready`;
      } finally {
        await frontend.hand.ask({ kind: 'end-load', name: 'early' });
        await backend.seen();
      }
    },
  ),

  change('a pod whose label changes loses its admission', { http: 8080 }, async (stage) => {
    await stage.pod('backend', { ports: { http: 8080 } });
    const frontend = await stage.pod('frontend');
    const call = stage.toService(8080, { connection: 'kept' });
    await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
    await callUntil(frontend, call, '200');
    await stage.mesh.relabel(frontend, { app: 'retired' });
    const ms = await callUntil(frontend, call, '403');
    assert.equal(wordOf(await frontend.call(call)), '403');
    return `${Math.round(ms)} ms`;
  }),
];
