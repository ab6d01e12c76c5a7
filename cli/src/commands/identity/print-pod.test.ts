import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IssuedItem } from './issued-item.ts';
import { reportOf } from './pod-report.ts';
import { podRow, printPod, printServed } from './print-pod.ts';
import type { Served } from './served-certificate.ts';

const hour = 3_600_000;
const start = Date.parse('2026-11-22T10:00:00Z');
const at = (hours: number): string => new Date(start + hours * hour).toISOString();

const issued = (about: Partial<IssuedItem> = {}): IssuedItem => ({
  issuedAt: at(0),
  identity: 'default.demo.serviceaccount.identity.gatehouse.cluster.local',
  pod: { namespace: 'demo', name: 'web', uid: 'u1' },
  serial: '4a'.repeat(16),
  spkiSha256: 'ab'.repeat(32),
  notBefore: at(0),
  notAfter: at(24),
  ...about,
});

/** Marks what is painted, so that a test sees it. */
const told = (hours: number) => ({
  now: start + hours * hour,
  paint: (style: string, text: string) => `<${style}>${text}</${style}>`,
});

const printed = (items: readonly IssuedItem[], hours: number, served: Served | null = null): string => {
  const report = reportOf(items, start + hours * hour);
  assert.ok(report);
  return printPod({ ...report, served }, told(hours));
};

test('a line for each fact, and what is wrong is painted', () => {
  const cases: readonly (readonly [number, RegExp])[] = [
    [3, /state +<green>valid<\/green>\n.*\n.*\n +renewal +due in 13h \(2026-11-23 02:48:00Z\)/],
    [
      20,
      /state +<yellow>renewal overdue<\/yellow>\n.*\n.*\n +renewal +<yellow>was due 3h12m ago: is the pod gone/,
    ],
    [
      26,
      /state +<red>expired<\/red>\n.*\n +expired +120m ago .*\n +renewal +was due 9h ago and did not come/,
    ],
    [-1, /state +<yellow>not valid yet<\/yellow>/],
  ];
  assert.equal(cases.length, 4);
  for (const [hours, expected] of cases) assert.match(printed([issued()], hours), expected, `${hours} h`);
});

test('a key that came back is told with its serial and what to do', () => {
  const suspicious = { newerSpkiSha256: 'cd'.repeat(32), newerSince: at(0) };
  const items = [issued({ issuedAt: at(2), suspicious }), issued()];
  const text = printed(items, 3);
  assert.match(text, /state +<red>SUSPICIOUS<\/red>/);
  assert.match(
    text,
    /SUSPICIOUS: two hold keys of this pod\..*\n {2}60m ago, serial (?:4a){16}, key abababababab\nDelete/,
  );
  const report = reportOf(items, start + 3 * hour);
  assert.ok(report);
  assert.equal(podRow(report, 'default.demo', told(3))[2], '<red>SUSPICIOUS</red>');
});

test('what a proxy presents is told by how it differs', () => {
  const seen = {
    kind: 'seen',
    serial: '4a0b',
    sha256: '00',
    notAfter: at(24),
    issuer: 'CN=issuer',
    refusedFor: null,
    match: 'the latest',
  } as const;
  const cases: readonly (readonly [Served, string])[] = [
    [seen, '<green>this certificate, by CN=issuer</green>'],
    [
      { ...seen, match: 'an older one' },
      '<yellow>an older one: serial 4a0b by CN=issuer, expires in 24h</yellow>',
    ],
    [
      { ...seen, match: 'not remembered' },
      '<yellow>one that identity does not remember: serial 4a0b by CN=issuer, expires in 24h</yellow>',
    ],
    [
      { ...seen, refusedFor: 'CERT_HAS_EXPIRED' },
      '<red>serial 4a0b by CN=issuer, which clients refuse: CERT_HAS_EXPIRED</red>',
    ],
    [{ kind: 'not seen', reason: 'the pod is gone' }, '<yellow>not seen: the pod is gone</yellow>'],
  ];
  assert.equal(cases.length, 5);
  for (const [served, text] of cases) assert.equal(printServed(served, told(0)), text);
  assert.match(printed([issued()], 0, seen), /\n {2}served +<green>this certificate/);
});
