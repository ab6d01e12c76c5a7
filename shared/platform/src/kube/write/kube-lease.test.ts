import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ElectionTiming } from '@gatehouse/core/writes/leader-election';
import type { FakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { fieldsOf, metaOf } from '@gatehouse/dev/api-server/object-meta';
import { withServer } from '@gatehouse/testing/api-server/client';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import { type KubeClient, kubeClientAt } from '../client/client.ts';
import { KubeLease } from './kube-lease.ts';
import { LeaderElection } from './leader-election.ts';

const written = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { namespace: 'kube-system', name: 'policy' },
};
const quick = { leaseMs: 2_000, renewDeadlineMs: 1_500, retryMs: 100 };
/** Long enough that no busy machine ends a term. */
const patient = { leaseMs: 60_000, renewDeadlineMs: 50_000, retryMs: 20 };
const claim = (holder: string) => ({
  holder,
  durationMs: 15_000,
  acquireTime: '2026-01-01T00:00:00.000000Z',
  renewTime: `2026-01-01T00:00:00.00000${holder.length}Z`,
  transitions: 0,
});
const holderOf = (server: FakeApiServer): unknown => fieldsOf(server.read(written)?.spec).holderIdentity;

const withClient = (tell: (server: FakeApiServer, client: KubeClient) => Promise<void>): Promise<void> =>
  withServer({}, async (server) => {
    const client = kubeClientAt(server.url);
    try {
      await tell(server, client);
    } finally {
      client.close();
    }
  });

const leaseAt = (client: KubeClient, namespace = 'kube-system'): KubeLease =>
  new KubeLease({ client, namespace, name: 'policy' });

/** A replica with a promise for each beginning and end of its terms. */
const aReplica = (client: KubeClient, id: string, timing: ElectionTiming = quick) => {
  const stop = new AbortController();
  const log = new RecordingLog();
  const waiting: { readonly isLeading: boolean; readonly done: () => void }[] = [];
  const election = new LeaderElection({
    leases: leaseAt(client),
    id,
    log,
    timing,
    onChange: (isLeading) => {
      for (const each of waiting) if (each.isLeading === isLeading) each.done();
    },
  });
  const over = election.run(stop.signal);
  return {
    election,
    log,
    until: (isLeading: boolean): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ isLeading, done: resolve });
      return election.mayWrite() === isLeading ? Promise.resolve() : promise;
    },
    stop: async () => {
      stop.abort();
      await over;
    },
  };
};

suite('the Lease of an API server', () => {
  test('is made once, and updated only over its newest version', () =>
    withClient(async (_server, client) => {
      const [one, other] = [leaseAt(client), leaseAt(client)];
      const { signal } = new AbortController();
      assert.equal(await one.get(signal), undefined);
      const made = await one.create(claim('a'), signal);
      assert.equal(made?.holder, 'a');
      assert.equal(await other.create(claim('bb'), signal), undefined);
      const seen = await other.get(signal);
      assert.deepEqual(seen, made);
      const renewed = await one.update(made?.version ?? '', claim('aaa'), signal);
      assert.equal(renewed?.renewTime, '2026-01-01T00:00:00.000003Z');
      assert.notEqual(renewed?.version, made?.version);
      assert.equal(await other.update(seen?.version ?? '', claim('bb'), signal), undefined);
    }));

  test('keeps what others wrote beside the claim', () =>
    withClient(async (server, client) => {
      const lease = leaseAt(client);
      const { signal } = new AbortController();
      server.put({
        ...written,
        metadata: { ...written.metadata, labels: { team: 'mesh' } },
        spec: { holderIdentity: '', strategy: 'OldestEmulationVersion' },
      });
      const found = await lease.get(signal);
      await lease.update(found?.version ?? '', claim('a'), signal);
      const now = server.read(written) ?? {};
      assert.deepEqual(metaOf(now).labels, { team: 'mesh' });
      assert.deepEqual(fieldsOf(now.spec), {
        holderIdentity: 'a',
        strategy: 'OldestEmulationVersion',
        leaseDurationSeconds: 15,
        acquireTime: '2026-01-01T00:00:00.000000Z',
        renewTime: '2026-01-01T00:00:00.000001Z',
        leaseTransitions: 0,
      });
    }));

  test('says what to do when it may not be had, or its namespace is not there', () =>
    withClient(async (server, client) => {
      const { signal } = new AbortController();
      server.faults.inject({ kind: 'status', code: 403 }, { resource: 'leases' });
      await assert.rejects(leaseAt(client).get(signal), /grant get, create and update on leases/);
      await assert.rejects(
        leaseAt(client, 'nowhere').create(claim('a'), signal),
        /answered 404 when asked to create/,
      );
    }));

  test('has one holder, which is followed when it stops and when the API server comes back', () =>
    withClient(async (server, client) => {
      const first = aReplica(client, 'first');
      await first.until(true);
      const second = aReplica(client, 'second');
      try {
        assert.equal(holderOf(server), 'first');
        await first.stop();
        assert.equal(first.election.mayWrite(), false);
        await second.until(true);
        assert.equal(holderOf(server), 'second');
        const fix = server.faults.inject(
          { kind: 'hang-up' },
          { resource: 'leases', times: Number.POSITIVE_INFINITY },
        );
        await second.until(false);
        fix();
        await second.until(true);
        assert.equal(second.log.lines('warn').length, 1, 'an outage is one warning');
      } finally {
        await first.stop();
        await second.stop();
      }
      assert.equal(holderOf(server), '');
    }));

  test('claims that were applied though their answers were lost count, the first one too', () =>
    withClient(async (server, client) => {
      let lost = 0;
      const lossy: KubeClient = {
        server: client.server,
        stream: (request) => client.stream(request),
        portForward: (to) => client.portForward(to),
        close: () => client.close(),
        request: async (request) => {
          const answer = await client.request(request);
          if (request.method === undefined || lost >= 4) return answer;
          lost += 1;
          throw new Error('the answer was lost');
        },
      };
      const replica = aReplica(lossy, 'only', patient);
      await replica.until(true);
      const before = metaOf(server.read(written) ?? {}).resourceVersion;
      while (lost < 4) await new Promise((resolve) => setTimeout(resolve, 20));
      await replica.stop();
      assert.notEqual(metaOf(server.read(written) ?? {}).resourceVersion, before);
      assert.deepEqual(
        replica.log.lines('info').map((line) => line.includes('no longer')),
        [false, true],
        'one term, ended by the stop',
      );
    }));
});
