import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Call, Outcome } from '../agent/messages.ts';
import { eventually } from '../rig/eventually.ts';
import type { Pod } from '../rig/pod.ts';
import { total } from '../rig/proxy-metrics.ts';
import { closed, echoed, echoedAgain, refused, served, wordOf } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { ownTls } from './own-certificate.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';

const change = (
  title: string,
  ports: Readonly<Record<string, number>>,
  play: Parameters<typeof Fixture.play>[1],
): Scenario => ({
  part: 'change',
  title,
  run: (mesh, observer) => Fixture.play({ mesh, observer, ports }, play),
});

/** How long after a pod's deletion its address may still be taken for it: settling, compiling, sending. */
const boundMs = 1_000;

const untilCut = (pod: Pod, connection: string): Promise<true> =>
  eventually('the connection to be cut', async () =>
    (await pod.hand.ask({ kind: 'state', connection })) === 'closed' ? true : undefined,
  );

const assertSameConnection = (fixture: Fixture, outcome: Outcome): void =>
  fixture.observer.check('client', () =>
    assert.ok(outcome.kind === 'answered' && outcome.opened === 1, 'the connection was opened again'),
  );

/** What changes while traffic flows. */
export const changes = (): readonly Scenario[] => [
  change(
    'a revoked policy denies the next request of an open HTTP/2 connection',
    { http: 8080 },
    async (fixture) => {
      await fixture.pod('backend', { ports: { http: 8080 } });
      const frontend = await fixture.pod('frontend');
      const call = fixture.toService(8080, { speaks: 'http2', connection: 'h2' });
      await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await fixture.until(frontend, call, '200');
      await fixture.removePolicies();
      const ms = await fixture.until(frontend, call, '403');
      assertSameConnection(fixture, await fixture.expect(frontend, call, refused()));
      await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await fixture.until(frontend, call, '200');
      assertSameConnection(fixture, await fixture.expect(frontend, call, served()));
      return `${Math.round(ms)} ms`;
    },
  ),

  change(
    'a revoked policy lets a stream that was admitted go on, and denies the next one beside it',
    { http: 8080 },
    async (fixture) => {
      const backend = await fixture.pod('backend', { ports: { http: 8080 } });
      const frontend = await fixture.pod('frontend');
      const call = fixture.toService(8080, { speaks: 'http2', connection: 'h2' });
      const stream = () => frontend.hand.ask({ kind: 'stream', name: 'long' });
      const more = async (than: number): Promise<number> =>
        eventually('more of the stream', async () => {
          const { status, chunks, ended } = await stream();
          assert.ok(!ended, `the stream ended after ${chunks} chunks`);
          return status === 200 && chunks > than ? chunks : undefined;
        });
      await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await fixture.until(frontend, call, '200');
      await backend.seen();
      await frontend.hand.ask({ kind: 'open-stream', name: 'long', call: { ...call, path: '/stream' } });
      const before = await more(0);
      await fixture.removePolicies();
      await fixture.until(frontend, call, '403');
      const after = await more((await stream()).chunks + 10);
      fixture.observer.check('client', () => assert.ok(after > before + 10));
      assertSameConnection(fixture, await fixture.expect(frontend, call, refused()));
      const streams = (await backend.seen()).filter(({ path }) => path === '/stream');
      fixture.observer.check('application', () => assert.equal(streams.length, 1));
      return `${before} chunks before, ${after} by the end`;
    },
  ),

  change('a revoked policy cuts raw TCP that is open', { tcp: 7000 }, async (fixture) => {
    const backend = await fixture.pod('backend', { ports: { tcp: 7000 } });
    const frontend = await fixture.pod('frontend');
    const call = fixture.toService(7000, { speaks: 'tcp', connection: 'tcp' });
    await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [7000] }));
    await fixture.until(frontend, call, 'echoed');
    await fixture.expect(frontend, call, echoedAgain);
    await fixture.removePolicies();
    const since = performance.now();
    await untilCut(frontend, 'tcp');
    const ms = performance.now() - since;
    const labels = { target_port: '7000', client_id: frontend.identity };
    const cut = total(await backend.metrics(), 'inbound_tcp_authz_terminate_total', labels);
    fixture.observer.check('proxy', () => assert.equal(cut, 1));
    await fixture.expect(frontend, { ...call, connection: 'next' }, closed(labels));
    return `${Math.round(ms)} ms`;
  }),

  change(
    'a tightened namespace default binds clients that are connected',
    { http: 8080 },
    async (fixture) => {
      await fixture.declare({ 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' });
      const backend = await fixture.pod('backend', { ports: { http: 8080 } });
      const outsider = await fixture.pod('outsider', { meshed: false });
      const http: Call = { host: backend.address, port: 8080, speaks: 'http1', connection: 'http' };
      const tcp: Call = { ...http, speaks: 'tcp', connection: 'tcp' };
      await fixture.until(outsider, http, '200');
      await fixture.expect(outsider, tcp, echoed({ srv_name: 'all-unauthenticated' }));
      await fixture.declare({ 'config.linkerd.io/default-inbound-policy': 'all-authenticated' });
      await untilCut(outsider, 'tcp');
      const ms = await fixture.until(outsider, http, '403');
      assertSameConnection(
        fixture,
        await fixture.expect(outsider, http, refused({ srv_kind: 'default', srv_name: 'all-authenticated' })),
      );
      const cut = total(await backend.metrics(), 'inbound_tcp_authz_terminate_total', {});
      fixture.observer.check('proxy', () => assert.equal(cut, 1));
      return `${Math.round(ms)} ms`;
    },
  ),

  ...(['default', 'other'] as const).map((serviceAccount) =>
    change(
      `an address goes to a pod with ${serviceAccount === 'default' ? 'the same' : 'another'} identity: it inherits nothing`,
      { http: 8080 },
      async (fixture) => {
        await fixture.pod('backend', { ports: { http: 8080 } });
        const frontend = await fixture.pod('frontend', { host: 200 });
        const call = fixture.toService(8080);
        await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
        await fixture.until(frontend, call, '200');
        const deleted = performance.now();
        await fixture.deletePod(frontend);
        const heir = await fixture.pod('heir', { host: 200, serviceAccount });
        assert.equal(heir.address, frontend.address);
        const first = performance.now() - deleted;
        for (let at = 0; at < 20; at += 1) await fixture.expect(heir, call, refused());
        return `20 calls denied, the first ${Math.round(first)} ms after the deletion`;
      },
    ),
  ),

  change(
    'an address whose pod is deleted is admitted no longer, while somebody with its identity keeps calling from it',
    { http: 8080 },
    async (fixture) => {
      const backend = await fixture.pod('backend', { ports: { http: 8080 } });
      // It holds frontend's address and calls with a certificate of frontend's identity, as the next pod there could.
      const heir = await fixture.pod('frontend', {
        meshed: false,
        annotations: { 'linkerd.io/inject': 'enabled' },
      });
      const call: Call = {
        host: backend.address,
        port: 8080,
        speaks: 'http1',
        connection: 'kept',
        tls: await ownTls(fixture.mesh, { name: heir.identity, serverName: backend.identity }),
      };
      await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await fixture.until(heir, call, '200');
      const { observer } = fixture;
      const before = await observer.look([backend]);
      await fixture.mesh.remove(`pod-${fixture.namespace}-frontend-0`);
      const deleted = performance.now();
      let lastAdmitted = 0;
      const words: Record<string, number> = {};
      while (performance.now() - deleted < 2_000) {
        const word = wordOf(await heir.call(call));
        words[word] = (words[word] ?? 0) + 1;
        if (word === '200') lastAdmitted = performance.now() - deleted;
      }
      const after = await observer.look([backend]);
      await fixture.mesh.put(`pod-${fixture.namespace}-frontend-0`);
      const { 200: admitted = 0, 403: denied = 0, ...others } = words;
      observer.check('client', () => {
        assert.deepEqual(others, {});
        assert.ok(lastAdmitted < boundMs, `still admitted ${Math.round(lastAdmitted)} ms after the deletion`);
      });
      const { seen, verdicts } = observer.accountOf(heir, before, after);
      observer.check('application', () => assert.equal(seen, admitted));
      observer.check('proxy', () => {
        assert.equal(verdicts['HTTP allowed'] ?? 0, admitted);
        assert.equal(verdicts['HTTP denied'], denied);
      });
      return `none of ${admitted + denied} calls later than ${Math.round(lastAdmitted)} ms; bound ${boundMs} ms`;
    },
  ),

  change(
    'a pod comes to an address that is being called all the while: it is reached with identity',
    { http: 8080 },
    async (fixture) => {
      const frontend = await fixture.pod('frontend');
      await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      const call: Call = { host: '10.99.1.210', port: 8080, speaks: 'http1', timeoutMs: 4_000 };
      await frontend.hand.ask({ kind: 'load', name: 'early', call, everyMs: 300 });
      await sleep(2_000);
      const backend = await fixture.pod('backend', { ports: { http: 8080 }, host: 210 });
      const since = performance.now();
      await eventually('an answer', async () =>
        wordOf(await frontend.call(call)) === '200' ? true : undefined,
      );
      const ms = performance.now() - since;
      const { outcomes } = await frontend.hand.ask({ kind: 'end-load', name: 'early' });
      fixture.observer.check('client', () =>
        assert.ok(Object.keys(outcomes).length > 1, `some calls failed before: ${JSON.stringify(outcomes)}`),
      );
      await fixture.expect(frontend, call, served({ authz_name: 'frontend-to-backend-8080' }));
      const called = new Set((await backend.seen()).map(({ headers }) => headers['l5d-client-id']));
      fixture.observer.check('application', () => assert.deepEqual([...called], [frontend.identity]));
      return `${Math.round(ms)} ms after it was ready`;
    },
  ),

  change('a pod whose label changes loses its admission', { http: 8080 }, async (fixture) => {
    await fixture.pod('backend', { ports: { http: 8080 } });
    const frontend = await fixture.pod('frontend');
    const call = fixture.toService(8080, { connection: 'kept' });
    await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
    await fixture.until(frontend, call, '200');
    await fixture.mesh.relabel(frontend, { app: 'retired' });
    const ms = await fixture.until(frontend, call, '403');
    assertSameConnection(fixture, await fixture.expect(frontend, call, refused()));
    return `${Math.round(ms)} ms`;
  }),
];
