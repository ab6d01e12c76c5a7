import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { eventually } from '@gatehouse/testing/grpc';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import { kubeClientAt } from '../client/client.ts';
import { type EventNote, type EventResult, KubeEvents } from './events.ts';

type Fake = Awaited<ReturnType<typeof startFakeApiServer>>;

const rejected: EventNote = {
  type: 'Warning',
  reason: 'IssuerRejected',
  action: 'ReadIssuer',
  note: 'CN=issuer is not a CA',
};

const aDeployment = (uid: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: 'gatehouse', name: 'gatehouse-identity', uid },
  spec: {},
});
const aServiceAccount = (uid: string) => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { namespace: 'gatehouse', name: 'gatehouse-identity', uid },
});
const theNamespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gatehouse' } };

/** Events of identity on a fake API server, with a clock that only the test moves. */
const recording = async (t: TestContext, options: Parameters<typeof startFakeApiServer>[0] = {}) => {
  const server = await startFakeApiServer(options);
  const client = kubeClientAt(server.url);
  let now = Date.parse('2026-05-04T03:02:01.234Z');
  const log = new RecordingLog();
  const results: EventResult[] = [];
  let asleep: { readonly until: number; readonly signal: AbortSignal } | undefined;
  const events = new KubeEvents({
    client,
    service: 'identity',
    namespace: 'gatehouse',
    log,
    onResult: (result) => void results.push(result),
    now: () => now,
    elapsed: () => now,
    sleep: async (ms, signal) => {
      if (signal.aborted) return;
      const until = now + ms;
      asleep = { until, signal };
      await eventually(() => signal.aborted || now >= until);
      asleep = undefined;
    },
  });
  const end = new AbortController();
  const running = events.run(end.signal);
  t.after(async () => {
    end.abort();
    await running;
    client.close();
    await server.stop();
  });
  return {
    server,
    events,
    log,
    results,
    pass: (ms: number) => {
      now += ms;
    },
    /** How long it is going to do nothing; 0 while it is at something. */
    idleMs: () => (asleep === undefined || asleep.signal.aborted ? 0 : Math.max(0, asleep.until - now)),
    written: () => eventsOn(server),
  };
};

const eventsOn = async (server: Fake) => {
  const answer = await fetch(`${server.url}/apis/events.k8s.io/v1/namespaces/gatehouse/events`);
  const { items } = (await answer.json()) as { items: Record<string, unknown>[] };
  return items.map((item) => ({ apiVersion: 'events.k8s.io/v1', kind: 'Event', ...item }));
};

interface Looked {
  readonly written: () => Promise<readonly Record<string, unknown>[]>;
  readonly pass: (ms: number) => void;
  readonly idleMs: () => number;
}

/** Looks again and again. The clock moves only while nothing is being done, and just as far as the next thing to do. */
const until = async (
  { written, pass, idleMs }: Looked,
  holds: (items: readonly Record<string, unknown>[]) => boolean,
): Promise<readonly Record<string, unknown>[]> => {
  for (;;) {
    const idle = idleMs();
    const items = await written();
    if (holds(items)) return items;
    assert.notEqual(
      idle,
      Number.POSITIVE_INFINITY,
      `nothing more is going to happen: ${JSON.stringify(items)}`,
    );
    if (idle > 0) pass(idle);
  }
};

const countOf = (event: Record<string, unknown> | undefined): unknown =>
  (event?.series as { readonly count?: number } | undefined)?.count;

test('an Event regards the Deployment of the service, with its uid', async (t) => {
  const fixture = await recording(t, {
    objects: [theNamespace, aDeployment('d-1'), aServiceAccount('s-1')],
  });
  fixture.events.record(rejected);
  const [event] = await until(fixture, ({ length }) => length === 1);
  const { metadata, ...said } = event ?? {};
  assert.match(JSON.stringify(metadata), /"name":"gatehouse-identity\.[0-9a-f]{16}"/);
  assert.deepEqual(
    { ...said, reportingInstance: typeof said.reportingInstance },
    {
      ...rejected,
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      eventTime: '2026-05-04T03:02:01.234000Z',
      reportingController: 'gatehouse.dev/identity',
      reportingInstance: 'string',
      regarding: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        namespace: 'gatehouse',
        name: 'gatehouse-identity',
        uid: 'd-1',
      },
    },
  );
});

test('without a Deployment an Event regards the ServiceAccount', async (t) => {
  const fixture = await recording(t, { objects: [theNamespace, aServiceAccount('s-1')] });
  fixture.events.record(rejected);
  const [event] = await until(fixture, ({ length }) => length === 1);
  const { kind, uid } = (event?.regarding ?? {}) as Record<string, unknown>;
  assert.deepEqual([kind, uid], ['ServiceAccount', 's-1']);
});

test('what repeats is one Event whose series goes on', async (t) => {
  const fixture = await recording(t, { objects: [theNamespace] });
  fixture.events.record(rejected);
  await until(fixture, ({ length }) => length === 1);
  fixture.pass(1_000);
  for (let count = 0; count < 3; count += 1) fixture.events.record(rejected);
  const items = await until(fixture, ([event]) => event?.series !== undefined);
  assert.equal(items.length, 1);
  assert.equal(countOf(items[0]), 4);
});

test('a series that the API server has forgotten is written again', async (t) => {
  const fixture = await recording(t, { objects: [theNamespace] });
  fixture.events.record(rejected);
  const [first] = await until(fixture, ({ length }) => length === 1);
  fixture.server.remove(first ?? {});
  fixture.events.record(rejected);
  const [again] = await until(fixture, ({ length }) => length === 1);
  assert.equal(countOf(again), 2);
});

test('an Event is tried again until the API server is back, and recording never fails or waits', async (t) => {
  const fixture = await recording(t, { objects: [theNamespace] });
  const back = fixture.server.faults.inject({ kind: 'hang-up' }, { times: Number.POSITIVE_INFINITY });
  fixture.events.record(rejected);
  await eventually(() => fixture.results.includes('failed'));
  back();
  assert.equal((await until(fixture, ({ length }) => length === 1)).length, 1);
});

test('without the permission nothing but the Events is missing, which is said once', async (t) => {
  const { events, log, results } = await recording(t, {
    objects: [theNamespace],
    authorize: ({ resource, verb }) => resource?.resource !== 'events' || verb === 'list',
  });
  for (const note of ['one', 'two']) events.record({ ...rejected, note });
  await eventually(() => results.length === 2);
  assert.deepEqual(results, ['refused', 'refused']);
  assert.equal(log.lines('warn').length, 1);
  assert.match(
    log.lines('warn')[0] ?? '',
    /answered 403.*grant create and patch on events of events\.k8s\.io/,
  );
});

test('a long note is cut between characters, and the queue is bounded', async (t) => {
  const fixture = await recording(t, { objects: [theNamespace] });
  fixture.events.record({ ...rejected, note: 'ü'.repeat(600) });
  const [event] = await until(fixture, ({ length }) => length === 1);
  assert.match(String(event?.note), /^ü{510}…$/);
  for (let count = 0; count < 100; count += 1) fixture.events.record({ ...rejected, note: `note ${count}` });
  assert.equal(fixture.results.filter((result) => result === 'dropped').length, 36);
});
