import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadYaml } from './kubernetes-yaml.ts';

const read = (text: string): unknown => {
  const loaded = loadYaml(`[${text}]`);
  assert.ok(loaded.ok, text);
  const [list] = loaded.value as readonly (readonly unknown[])[];
  return list?.[0];
};

/** Scalars, and what sigs.k8s.io/yaml makes of them before an API server sees them. */
const cases: readonly (readonly [value: unknown, ...texts: readonly string[]])[] = [
  [true, 'true', 'True', 'TRUE', 'yes', 'Yes', 'YES', 'on', 'On', 'ON', 'y', 'Y', '!!bool yes'],
  [false, 'false', 'False', 'FALSE', 'no', 'No', 'NO', 'off', 'Off', 'OFF', 'n', 'N'],
  ['yEs', 'yEs'],
  ['yes', '"yes"', "'yes'", '!!str yes'],
  ['on-call', 'on-call'],
  [null, '~', 'null', 'Null', 'NULL', '!!null'],
  [0, '0', '-0', '0x0', '00'],
  [8080, '8080', '+8080', '8_080', '0x1F90', '0b1111110010000', '0o17620', '017620', '8080.', '8.08e3'],
  [-15, '-15', '-017', '-0xF'],
  // The digit 8 is not octal, so it is a decimal fraction without one.
  [8, '08', '8.0'],
  [0.5, '.5', '+0.5', '5e-1'],
  ['1:30', '1:30'],
  ['2026-01-31', '2026-01-31'],
  ['2026-05-04T08:00:00Z', '2026-05-04T08:00:00Z'],
  ['0o8', '0o8'],
  ['0xg', '0xg'],
  ['10.0.0.1', '10.0.0.1'],
  ['1e', '1e'],
  ['_1', '_1'],
  ['<<', '"<<"'],
  ['1'.repeat(200), '1'.repeat(200)],
  [Number.POSITIVE_INFINITY, '.inf', '+.Inf'],
  [Number.NEGATIVE_INFINITY, '-.INF'],
  [Number.NaN, '.nan', '.NaN'],
  // Tags that mean nothing here.
  ['eA==', '!!binary eA=='],
  ['Name', '!Ref Name'],
];

test('a scalar without quotes is what kubectl takes it for', () => {
  for (const [value, ...texts] of cases) {
    for (const text of texts) assert.equal(Object.is(read(text), value), true, `${text}: ${read(text)}`);
  }
  assert.equal(cases.length, 26);
});

test('a key is a text, and what a scalar of this text stands for', () => {
  const loaded = loadYaml('{on: 1, 010: 2, "yes": 3, ~: 4}');
  assert.deepEqual(loaded, { ok: true, value: [{ true: 1, 8: 2, yes: 3, null: 4 }] });
});
