import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOf } from './client-of.ts';

test('a client is named by its address in one spelling, and its port', () => {
  const cases: readonly (readonly [remoteAddress: string | undefined, client: string])[] = [
    ['10.0.0.1', '10.0.0.1:4711'],
    ['::ffff:10.0.0.1', '10.0.0.1:4711'],
    ['2001:DB8:0::1', '[2001:db8::1]:4711'],
    ['fe80::1%eth0', '[fe80::1%eth0]:4711'],
  ];
  assert.deepEqual(
    cases.map(([remoteAddress]) => clientOf({ remoteAddress, remotePort: 4711 })),
    cases.map(([, client]) => client),
  );
});
