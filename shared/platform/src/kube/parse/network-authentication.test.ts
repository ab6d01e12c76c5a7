import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printNetwork } from '@gatehouse/core/ip-network';
import { everything } from '@gatehouse/core/label-selector';
import { goodSpec, rejection } from '@gatehouse/testing/wire-objects';

const kind = 'NetworkAuthentication';

test('networks and their exceptions are read, bare addresses as networks of one', () => {
  const networks = [
    { cidr: '10.1.2.3/8', except: ['10.1.0.0/16', '10.2.0.1'] },
    { cidr: '192.0.2.1' },
    { cidr: 'fd00::/8', except: [] },
  ];
  const printed = goodSpec(kind, { spec: { networks } }).networks.map(({ net, except }) => [
    printNetwork(net),
    ...except.map(printNetwork),
  ]);
  assert.deepEqual(printed, [['10.0.0.0/8', '10.1.0.0/16', '10.2.0.1/32'], ['192.0.2.1/32'], ['fd00::/8']]);
});

const cidrFix = 'use an IPv4 or IPv6 address, or a CIDR such as 10.0.0.0/8';

const mistakes: readonly (readonly [spec: unknown, problems: readonly string[]])[] = [
  [{}, ['spec.networks: missing: name at least one network']],
  [{ networks: [] }, ['spec.networks: an empty list: name at least one network']],
  [{ networks: [{}] }, ['spec.networks[0].cidr: missing: a CIDR such as 10.0.0.0/8']],
  [{ networks: [{ cidr: 'ten' }] }, [`spec.networks[0].cidr: \`ten\` is not a valid network: ${cidrFix}`]],
  [
    { networks: [{ cidr: 10 }] },
    ['spec.networks[0].cidr: the number 10 is not a valid network: a CIDR in a text, such as "10.0.0.0/8"'],
  ],
  [
    { networks: [{ cidr: '10.0.0.0/8', except: null }] },
    ['spec.networks[0].except: nothing is written: write a list'],
  ],
  [
    { networks: [{ cidr: '10.0.0.0/8', exept: [] }] },
    ['spec.networks[0].exept: unknown field: did you mean `except`?'],
  ],
  [
    { networks: [{ cidr: '10.0.0.0/8', except: ['11.0.0.0/8'] }] },
    ['spec.networks[0].except[0]: 11.0.0.0/8 is not in 10.0.0.0/8: use a network inside it'],
  ],
  [
    { networks: [{ cidr: '10.0.0.0/8', except: ['fd00::/8'] }] },
    ['spec.networks[0].except[0]: fd00::/8 is not in 10.0.0.0/8: use a network inside it'],
  ],
  [
    { networks: [{ cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] }] },
    ['spec.networks[0].except[0]: 10.0.0.0/8 takes all of 10.0.0.0/8: leave something of it'],
  ],
  [
    { networks: [{ cidr: '10.0.0.0/8', except: ['0.0.0.0/0'] }] },
    ['spec.networks[0].except[0]: 0.0.0.0/0 takes all of 10.0.0.0/8: leave something of it'],
  ],
];

test('every mistake is refused with its path, what is there, and the fix; it then closes nothing', () => {
  for (const [spec, problems] of mistakes) {
    const { problems: found, ...closes } = rejection(kind, { spec });
    assert.deepEqual(found, problems, JSON.stringify(spec));
    assert.deepEqual(closes, { closes: { selector: everything, ports: [] } });
  }
  assert.equal(mistakes.length, 11);
});
