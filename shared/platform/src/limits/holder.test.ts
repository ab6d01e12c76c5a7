import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holderOf } from './holder.ts';

test('an IPv4 address is a holder, an IPv6 address belongs to the holder of its /64', () => {
  const cases: [string, string][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['::1', '::/64'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['', ''],
  ];
  assert.equal(cases.length, 8);
  for (const [address, holder] of cases) assert.equal(holderOf(address), holder);
});
