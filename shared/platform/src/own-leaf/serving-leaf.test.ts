import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { aCertifyServer } from '@gatehouse/testing/certify-server';
import { aGrpcClient, aGrpcServer, eventually, portOf, receive } from '@gatehouse/testing/grpc';
import { day, issuer, name, onAClock, root, skew } from '@gatehouse/testing/leaf-on-a-clock';
import type { StreamCall } from '../grpc/transport.ts';
import { silentLog } from '../log/log.ts';
import { Metrics } from '../metrics/metrics.ts';
import type { TlsMaterial } from '../tls/material.ts';
import { certifyAs, ServingLeaf } from './serving-leaf.ts';

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
