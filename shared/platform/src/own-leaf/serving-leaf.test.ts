import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { aCertifyServer } from '@gatehouse/testing/certify-server';
import { aGrpcClient, aGrpcServer, eventually, portOf, receive } from '@gatehouse/testing/grpc';
import type { StreamCall } from '../grpc/transport.ts';
import type { EventNote } from '../kube/write/events.ts';
import { createLog, silentLog } from '../log/log.ts';
import { Metrics } from '../metrics/metrics.ts';
import type { TlsMaterial } from '../tls/material.ts';
import type { Certified } from './certify-client.ts';
import { certifyAs, ServingLeaf, type ServingLeafOptions } from './serving-leaf.ts';

const root = anAuthority({ name: 'root' });
const issuer = anAuthority({ name: 'issuer', issuedBy: root });
const name = 'gatehouse-policy.gatehouse.serviceaccount.identity.gatehouse.cluster.local';
const day = 86_400_000;
const begin = 1_800_000_000_000;
const skew = 20_000;

/** A leaf on clocks that the test moves: each sleep ends when the test says that its time has passed, or wakes it. */
const onAClock = async (
  t: TestContext,
  { publish, ...options }: Partial<ServingLeafOptions> & { readonly publish?: () => void } = {},
) => {
  let now = begin;
  let elapsed = 0;
  const lines: Record<string, unknown>[] = [];
  const published: TlsMaterial[] = [];
  const metrics = new Metrics('test');
  const events: EventNote[] = [];
  const abort = new AbortController();
  let asleep = Promise.withResolvers<number>();
  let wake = (): void => {};
  const leaf = new ServingLeaf({
    obtain: async (trustAnchors) => ({
      ...aTlsMaterial(issuer, { name }),
      trustAnchors,
      validFrom: now - skew,
      validUntil: now + day,
    }),
    trustAnchors: async () => root.pem,
    log: createLog({
      service: 'test',
      level: 'info',
      format: 'json',
      to: { write: (line) => void lines.push(JSON.parse(line)) },
    }),
    events: { record: (event) => void events.push(event) },
    metrics,
    now: () => now,
    elapsed: () => elapsed,
    random: () => 0,
    sleep: async (ms, signal) => {
      if (signal.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = () => {
        now += ms;
        elapsed += ms;
        resolve();
      };
      signal.addEventListener('abort', () => resolve());
      asleep.resolve(ms);
      await promise;
    },
    ...options,
  });
  const running = leaf.run(publish ?? ((material) => void published.push(material)), abort.signal);
  t.after(async () => {
    abort.abort();
    wake();
    await running;
  });
  /** How long it rests now; `pass` lets that time go by and resolves to the next rest. */
  const rest = (): Promise<number> => asleep.promise;
  const pass = async (): Promise<number> => {
    await rest();
    asleep = Promise.withResolvers<number>();
    wake();
    return rest();
  };
  /** The clock is set, and the leaf looks; resolves to its next rest. */
  const setClock = (byMs: number): Promise<number> => {
    now += byMs;
    asleep = Promise.withResolvers<number>();
    leaf.look();
    return rest();
  };
  return { leaf, metrics, lines, events, published, rest, pass, setClock, now: () => now };
};

test('a leaf is obtained, published, and renewed at 70 % of its life with another key', async (t) => {
  const { leaf, published, rest, pass, now } = await onAClock(t);
  await rest();
  const started = now();
  assert.equal(published.length, 1);
  assert.equal(leaf.notReady(), undefined);
  while (published.length === 1) await pass();
  assert.equal(published.length, 2);
  const share = (now() - started) / day;
  assert.ok(share >= 0.7 && share < 0.701, `${share}`);
  assert.notEqual(published[1]?.key, published[0]?.key);
});

test('first attempts are repeated quickly, then at most every ten seconds', async (t) => {
  const { leaf, rest, pass } = await onAClock(t, {
    obtain: async () => {
      throw new GatehouseError('unavailable', 'no connection to identity');
    },
  });
  const rests = [await rest()];
  for (let attempt = 1; attempt < 9; attempt += 1) rests.push(await pass());
  assert.deepEqual(rests, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  assert.equal(leaf.notReady(), 'no serving certificate yet: no connection to identity');
});

test('a failing renewal is said aloud and keeps the old leaf until it expires', async (t) => {
  let failing = false;
  let obtained: Certified | undefined;
  let validFrom = begin;
  const { leaf, metrics, lines, published, rest, pass, now } = await onAClock(t, {
    obtain: async (trustAnchors) => {
      if (failing) throw new GatehouseError('failed-precondition', 'the token is for another audience');
      obtained = {
        ...aTlsMaterial(issuer, { name }),
        trustAnchors,
        validFrom,
        validUntil: validFrom + day,
      };
      return obtained;
    },
  });
  await rest();
  failing = true;
  while (leaf.failure === undefined) await pass();
  assert.equal(leaf.notReady(), undefined, 'the old leaf is still valid');
  assert.equal(leaf.failure, 'the token is for another audience');
  assert.equal(lines.at(-1)?.level, 'warn');
  while (now() < (obtained?.validUntil ?? 0)) await pass();
  assert.match(
    leaf.notReady() ?? '',
    /^the serving certificate expired at .*: the token is for another audience$/,
  );
  assert.deepEqual(
    [lines.at(-1)?.level, lines.at(-1)?.msg],
    ['error', 'no proxy can reach this service: it has no valid certificate'],
  );
  assert.match(
    await metrics.text(),
    /gatehouse_serving_certificate_requests_total\{result="error"[^}]*\} \d{3,}/,
  );
  assert.match(
    await metrics.text(),
    new RegExp(
      `gatehouse_serving_certificate_expiration_timestamp_seconds\\{[^}]*\\} ${(obtained?.validUntil ?? 0) / 1_000}`,
    ),
  );
  assert.equal(published.length, 1);
  failing = false;
  validFrom = now();
  await pass();
  assert.deepEqual([leaf.notReady(), leaf.failure, published.length], [undefined, undefined, 2]);
});

test('a renewal that fails is told of at once, at each share of life that comes, at the end, and when it is over', async (t) => {
  let failing = false;
  let validFrom = begin;
  const world = await onAClock(t, {
    obtain: async (trustAnchors) => {
      if (failing) throw new GatehouseError('unavailable', 'no connection to identity');
      return { ...aTlsMaterial(issuer, { name }), trustAnchors, validFrom, validUntil: validFrom + day };
    },
  });
  const { leaf, metrics, lines, events, pass, rest, now } = world;
  await rest();
  assert.deepEqual(leaf.warnings(), []);
  failing = true;
  while (leaf.failure === undefined) await pass();
  assert.ok(now() < begin + 0.71 * day, 'it is known as soon as the renewal is due');
  const [warning, ...more] = leaf.warnings();
  assert.equal(more.length, 0);
  assert.match(
    warning ?? '',
    /^the serving certificate ends in 7 hours, at .*Z, and is not renewed: no connection to identity; see that identity is ready/,
  );
  const left = async (): Promise<number> =>
    Number(/life_left_ratio\{[^}]*\} ([\d.]+)/.exec(await metrics.text())?.[1]);
  const sinceDue = lines.length;
  while (now() < begin + day) await pass();
  assert.deepEqual(leaf.warnings(), [], 'what is over is a reason, no warning');
  assert.match(leaf.notReady() ?? '', /expired/);
  assert.equal(await left(), 0);
  assert.deepEqual(
    events.map(({ type, reason }) => [type, reason]),
    [
      ['Warning', 'CertificateRenewalFailing'],
      ...[0.2, 0.1, 0.05, 0.01].map(() => ['Warning', 'CertificateExpiring']),
      ['Warning', 'CertificateExpired'],
    ],
  );
  assert.match(
    events.at(-1)?.note ?? '',
    /no proxy can reach this service.*no connection to identity; see that/,
  );
  // Attempts are ten seconds apart for seven hours: said once a minute.
  assert.ok(lines.length - sinceDue < 8 * 60, `${lines.length - sinceDue} lines`);
  failing = false;
  validFrom = now();
  await pass();
  assert.equal(events.at(-1)?.reason, 'CertificateRenewed');
  assert.deepEqual([leaf.notReady(), leaf.warnings()], [undefined, []]);
  assert.equal(await left(), 1);
});

test('after the clock is set back the leaf is not valid yet: the service is not ready, and renews at once', async (t) => {
  const { leaf, metrics, published, rest, setClock } = await onAClock(t);
  await rest();
  const left = async (): Promise<number> =>
    Number(/life_left_ratio\{[^}]*\} ([\d.]+)/.exec(await metrics.text())?.[1]);
  const seen: (readonly [string, number])[] = [];
  const clockBack = setClock(-2 * day);
  // Before it could do anything about it.
  seen.push([leaf.notReady() ?? 'ready', await left()]);
  await clockBack;
  seen.push([leaf.notReady() ?? 'ready', await left()]);
  assert.deepEqual(seen, [
    [
      'the serving certificate is valid only from 2027-01-15T07:59:40.000Z: the clock was set back, or is behind',
      0,
    ],
    ['ready', 1],
  ]);
  assert.equal(published.length, 2);
});

test('within what certificates allow for, a clock that is set back changes nothing', async (t) => {
  const { leaf, published, rest, setClock } = await onAClock(t);
  await rest();
  await setClock(-skew);
  assert.equal(leaf.notReady(), undefined);
  await setClock(-1);
  assert.equal(published.length, 2);
});

test('after the clock jumps forward the leaf is renewed at once', async (t) => {
  const { leaf, published, rest, setClock } = await onAClock(t);
  await rest();
  await setClock(0.71 * day);
  assert.equal(published.length, 2);
  await setClock(3 * day);
  assert.deepEqual([published.length, leaf.notReady()], [3, undefined]);
});

test('a leaf that is not valid yet and not renewed is said at once and every minute, whatever the clock does', async (t) => {
  let failing = false;
  let validFrom = begin;
  const { leaf, lines, events, rest, pass, setClock, now } = await onAClock(t, {
    obtain: async (trustAnchors) => {
      if (failing) throw new GatehouseError('unavailable', 'no connection to identity');
      return { ...aTlsMaterial(issuer, { name }), trustAnchors, validFrom, validUntil: validFrom + day };
    },
  });
  await rest();
  failing = true;
  await setClock(-day);
  assert.match(
    leaf.notReady() ?? '',
    /^the serving certificate is valid only from .*: no connection to identity$/,
  );
  assert.deepEqual(leaf.warnings(), []);
  const errors = (): number => lines.filter(({ level }) => level === 'error').length;
  assert.equal(errors(), 1);
  assert.deepEqual(
    events.map(({ reason }) => reason),
    ['CertificateNotYetValid'],
  );
  for (let attempt = 0; attempt < 30; attempt += 1) await pass();
  const before = errors();
  assert.ok(before > 1, `${before} lines in some minutes`);
  await setClock(-day);
  for (let attempt = 0; attempt < 12; attempt += 1) await pass();
  assert.ok(errors() > before, 'said again within two minutes, though the clock shows an earlier time');
  failing = false;
  validFrom = now();
  await pass();
  assert.deepEqual([leaf.notReady(), events.at(-1)?.reason], [undefined, 'CertificateRenewed']);
});

test('a leaf that identity does not give while it starts is no trouble, one that never comes is', async (t) => {
  const { lines, events, pass, rest } = await onAClock(t, {
    obtain: async () => {
      throw new GatehouseError('unavailable', 'no connection to identity');
    },
  });
  await rest();
  for (let attempt = 1; attempt < 12; attempt += 1) await pass();
  assert.deepEqual([events.length, lines.map(({ level }) => level)], [0, Array(12).fill('info')]);
  await pass();
  assert.deepEqual(
    [events.map(({ reason }) => reason), lines.at(-1)?.level],
    [['CertificateMissing'], 'error'],
  );
});

test('new roots are published with the same leaf as soon as they are seen', async (t) => {
  const next = anAuthority({ name: 'the next root' });
  let anchors = root.pem;
  const { published, rest, pass } = await onAClock(t, { trustAnchors: async () => anchors });
  assert.equal(await rest(), 60_000, 'roots are looked at every minute');
  anchors = root.pem + next.pem;
  await pass();
  assert.deepEqual(
    published.map((material) => material.trustAnchors),
    [root.pem, root.pem + next.pem],
  );
  assert.equal(published[1]?.key, published[0]?.key);
});

test('a leaf that cannot be published is not counted as obtained', async (t) => {
  let broken = true;
  const { leaf, rest, pass } = await onAClock(t, {
    publish: () => {
      if (broken) throw new Error('bad PEM');
    },
  });
  await rest();
  assert.equal(leaf.notReady(), 'no serving certificate yet: bad PEM');
  broken = false;
  await pass();
  assert.equal(leaf.notReady(), undefined);
});

test('roots that cannot be read are the reason given', async (t) => {
  const { leaf, rest } = await onAClock(t, {
    trustAnchors: async () => {
      throw new Error("ENOENT: no such file or directory, open '/state/trust-anchors.crt'");
    },
  });
  await rest();
  assert.match(leaf.notReady() ?? '', /no serving certificate yet: ENOENT.*trust-anchors\.crt/);
});

test('a service is served by the leaf that identity gave it, and a renewal drops no stream', async (t) => {
  const serverName = 'identity.mesh';
  const identity = await aCertifyServer(t, { root, issuer, serverName });
  const calls: StreamCall[] = [];
  const server = await aGrpcServer(t, {
    tls: {},
    methods: { '/test.Test/Watch': { kind: 'server-stream', open: (call) => void calls.push(call) } },
  });
  let due = false;
  let now = Date.now();
  const abort = new AbortController();
  const leaf = new ServingLeaf({
    obtain: certifyAs({
      name,
      identity: { address: { host: '127.0.0.1', port: portOf(identity.server) }, serverName },
      token: async () => Buffer.from('our token'),
    }),
    trustAnchors: async () => root.pem,
    log: silentLog,
    metrics: new Metrics('test'),
    now: () => now,
    // Polls the test's word instead of the clock.
    sleep: async (_ms, signal) => {
      await eventually(() => due || signal.aborted);
      if (due) now += 0.71 * day;
      due = false;
    },
  });
  assert.equal(leaf.notReady(), 'no serving certificate yet');
  const running = leaf.run((material) => server.replaceTlsMaterial(material), abort.signal);
  t.after(async () => {
    abort.abort();
    await running;
  });
  await eventually(() => leaf.notReady() === undefined);
  assert.deepEqual(
    [identity.requests[0]?.identity, identity.requests[0]?.token.toString()],
    [name, 'our token'],
  );

  const security = { serverName: name, trustAnchors: root.pem };
  const received = receive(aGrpcClient(t, server, security), '/test.Test/Watch');
  await eventually(() => calls.length === 1);
  calls[0]?.send(Buffer.from('before'));
  assert.equal(await received.message(0), 'before');
  due = true;
  await eventually(() => identity.requests.length === 2);
  const again = receive(aGrpcClient(t, server, security), '/test.Test/Watch');
  await eventually(() => calls.length === 2);
  for (const call of calls) call.send(Buffer.from('after'));
  assert.equal(await received.message(1), 'after');
  assert.equal(await again.message(0), 'after');
});

test('a leaf is renewed at once on demand, and tried again when that fails', async (t) => {
  const published: TlsMaterial[] = [];
  let failures = 0;
  let broken = false;
  const abort = new AbortController();
  const leaf = new ServingLeaf({
    obtain: async (trustAnchors) => {
      if (broken) {
        failures += 1;
        throw new GatehouseError('unavailable', 'not now');
      }
      return {
        ...aTlsMaterial(issuer, { name }),
        trustAnchors,
        validFrom: Date.now() - skew,
        validUntil: Date.now() + day,
      };
    },
    trustAnchors: async () => root.pem,
    log: silentLog,
    metrics: new Metrics('test'),
  });
  const running = leaf.run((material) => void published.push(material), abort.signal);
  t.after(async () => {
    abort.abort();
    await running;
  });
  await eventually(() => published.length === 1);
  leaf.renewSoon();
  await eventually(() => published.length === 2);
  broken = true;
  leaf.renewSoon();
  await eventually(() => failures >= 1);
  assert.equal(published.length, 2);
  broken = false;
  await eventually(() => published.length === 3);
});
