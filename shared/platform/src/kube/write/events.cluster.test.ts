import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster, type WireObject } from '@gatehouse/testing/real-cluster';
import { silentLog } from '../../log/log.ts';
import { KubeEvents } from './events.ts';

const { assets, skip } = realApiServerAssets();

suite('Events on a real API server', { skip, timeout: 300_000 }, () => {
  test('kubectl sees them by either API, with their count, at the ServiceAccount', async () => {
    await using cluster = await RealCluster.start(assets);
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gatehouse' } });
    const account = await cluster.apply({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace: 'gatehouse', name: 'gatehouse-identity' },
    });
    let skipped = 0;
    const events = new KubeEvents({
      client: cluster.client,
      service: 'identity',
      namespace: 'gatehouse',
      log: silentLog,
      onResult: () => {},
      now: () => Date.now() + skipped,
      elapsed: () => performance.now() + skipped,
      sleep: (ms) => sleep(Math.min(ms, 50)),
    });
    const end = new AbortController();
    const running = events.run(end.signal);
    const note = {
      type: 'Warning',
      reason: 'IssuerRejected',
      action: 'ReadIssuer',
      note: 'CN=issuer is not a CA',
    } as const;
    const listed = async (): Promise<readonly WireObject[]> =>
      (await cluster.ask({ path: '/api/v1/namespaces/gatehouse/events' })).items as readonly WireObject[];
    const until = async (holds: (items: readonly WireObject[]) => boolean) => {
      for (;;) {
        const items = await listed();
        if (holds(items)) return items;
        await sleep(50);
      }
    };
    events.record(note);
    const [event] = await until(({ length }) => length === 1);
    const { uid } = account.metadata as { readonly uid: string };
    assert.deepEqual(
      [event?.message, event?.reason, event?.type, event?.reportingComponent, event?.involvedObject],
      [
        note.note,
        note.reason,
        'Warning',
        'gatehouse.dev/identity',
        { apiVersion: 'v1', kind: 'ServiceAccount', namespace: 'gatehouse', name: 'gatehouse-identity', uid },
      ],
    );
    events.record(note);
    skipped = 61_000;
    const [again] = await until(([first]) => first?.series !== undefined);
    const { count } = (again?.series ?? {}) as Record<string, unknown>;
    assert.equal(count, 2);
    end.abort();
    await running;
  });
});
