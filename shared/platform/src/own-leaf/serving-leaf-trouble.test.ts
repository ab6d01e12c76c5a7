import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { aTlsMaterial } from '@gatehouse/dev/certificates';
import { begin, day, issuer, name, onAClock, skew } from '@gatehouse/testing/leaf-on-a-clock';
import type { Certified } from './certify-client.ts';

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
