import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import {
  commonNetwork,
  everywhere,
  hostNetwork,
  type IpAddress,
  type IpNetwork,
  matchesNetwork,
  networkContains,
  networkCovers,
  parseNetwork,
  printIp,
  printNetwork,
  readIp,
} from './ip-network.ts';

const ip = (text: string): IpAddress => {
  const found = readIp(text);
  assert.ok(found, text);
  return found;
};

const network = (text: string): IpNetwork => {
  const outcome = parseNetwork(text);
  assert.ok(outcome.ok, text);
  return outcome.value;
};

test('addresses print in the one form of RFC 5952', () => {
  const expected = {
    '192.0.2.1': '192.0.2.1',
    '0.0.0.0': '0.0.0.0',
    '255.255.255.255': '255.255.255.255',
    '::': '::',
    '::1': '::1',
    '1::': '1::',
    '2001:DB8::A': '2001:db8::a',
    '2001:0db8:0:0:0:0:0:0001': '2001:db8::1',
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
    '2001:0:0:1:0:0:0:1': '2001:0:0:1::1',
    '0:0:1:0:0:0:0:0': '0:0:1::',
    'fe80::1:2:3:4': 'fe80::1:2:3:4',
    '::ffff:192.0.2.1': '192.0.2.1',
    '0:0:0:0:0:ffff:c000:201': '192.0.2.1',
    '::192.0.2.1': '::c000:201',
    '64:ff9b::192.0.2.33': '64:ff9b::c000:221',
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff': 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  };
  for (const [text, printed] of Object.entries(expected)) assert.equal(printIp(ip(text)), printed, text);
  assert.equal(Object.keys(expected).length, 18);
});

test('what is not a valid address is refused, leading zeros, zones and ports included', () => {
  const wrong = [
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4 ',
    '1.2.3.+4',
    '0x7f.0.0.1',
    '1.2.3.4:80',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '[::1]',
    '::1.2.3',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '::ffff:01.2.3.4',
    '1:',
    ':1',
    ' ::1',
  ];
  for (const text of wrong) assert.equal(readIp(text), undefined, text);
  assert.equal(wrong.length, 27);
});

test('networks are read with their host bits cleared, bare addresses whole', () => {
  const expected = {
    '10.1.2.3/8': '10.0.0.0/8',
    '10.1.2.3': '10.1.2.3/32',
    '0.0.0.0/0': '0.0.0.0/0',
    '192.0.2.129/25': '192.0.2.128/25',
    '2001:db8:ffff::1/33': '2001:db8:8000::/33',
    '::1': '::1/128',
    '::/0': '::/0',
  };
  for (const [text, printed] of Object.entries(expected))
    assert.equal(printNetwork(network(text)), printed, text);
  const wrong = [
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '::/129',
    '10.0.0.0/-1',
    '10.0.0.0/8 ',
  ];
  for (const text of wrong) assert.ok(!parseNetwork(text).ok, text);
  assert.deepEqual([Object.keys(expected).length, wrong.length], [7, 9]);
});

test('a problem names the field, the text and what is right', () => {
  assert.deepEqual(parseNetwork('10.0.0.0/33', 'spec.networks[0].cidr'), {
    ok: false,
    problems: [
      {
        field: 'spec.networks[0].cidr',
        found: '`10.0.0.0/33` has no valid prefix length',
        fix: '0 to 32 after the slash',
      },
    ],
  });
});

test('a mapped network in CIDR form is the IPv4 network it maps, and never wider than what was written', () => {
  assert.equal(printNetwork(network('::ffff:10.1.2.3/104')), '10.0.0.0/8');
  assert.equal(printNetwork(network('::ffff:10.1.2.3/128')), '10.1.2.3/32');
  assert.ok(!parseNetwork('::ffff:10.1.2.3/8').ok);
  assert.ok(!parseNetwork('::ffff:10.1.2.3/95').ok);
});

test('exceptions are holes, and families never mix', () => {
  const match = { net: network('10.0.0.0/8'), except: [network('10.1.0.0/16'), network('10.2.0.1')] };
  for (const inside of ['10.0.0.1', '10.2.0.2', '10.255.255.255', '::ffff:10.0.0.1']) {
    assert.ok(matchesNetwork(match, ip(inside)), inside);
  }
  for (const outside of ['10.1.0.0', '10.1.255.255', '10.2.0.1', '11.0.0.0', '9.255.255.255', '::a00:1']) {
    assert.ok(!matchesNetwork(match, ip(outside)), outside);
  }
  for (const address of ['0.0.0.0', '255.255.255.255', '::', 'ffff::']) {
    assert.equal(everywhere.filter((each) => matchesNetwork(each, ip(address))).length, 1, address);
  }
});

const address: fc.Arbitrary<IpAddress> = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((bits): IpAddress => ({ family: 4, bits })),
  fc
    .bigInt({ min: 0n, max: 2n ** 128n - 1n })
    .filter((bits) => bits >> 32n !== 0xffffn)
    .map((bits): IpAddress => ({ family: 6, bits })),
  fc.array(fc.constantFrom(0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 }).map((words): IpAddress => {
    const bits = words.reduce<bigint>((all, word) => (all << 16n) | word, 0n);
    return bits >> 32n === 0xffffn ? { family: 4, bits: bits & 0xffffffffn } : { family: 6, bits };
  }),
);

const aNetwork = fc
  .tuple(address, fc.integer({ min: 0, max: 128 }))
  .map(([{ family, bits }, prefix]) =>
    network(`${printIp({ family, bits })}/${family === 4 ? prefix % 33 : prefix}`),
  );

test('what is printed is read back', () => {
  fc.assert(fc.property(address, (one) => assert.deepEqual(readIp(printIp(one)), one)));
  fc.assert(fc.property(aNetwork, (one) => assert.deepEqual(network(printNetwork(one)), one)));
});

const familyName = (family: 4 | 6) => (family === 4 ? 'ipv4' : 'ipv6');

/** An address near the network, so that inside and outside both occur. */
const near = (net: IpNetwork): fc.Arbitrary<IpAddress> => {
  const size = 1n << BigInt((net.family === 4 ? 32 : 128) - net.prefix);
  const most = (1n << (net.family === 4 ? 32n : 128n)) - 1n;
  const clamp = (bits: bigint): bigint => (bits < 0n ? 0n : bits > most ? most : bits);
  return fc
    .tuple(fc.constantFrom(0n, size - 1n, size, -1n, size / 2n), fc.bigInt({ min: -2n, max: 2n }))
    .map(([offset, jitter]) => ({ family: net.family, bits: clamp(net.bits + offset + jitter) }));
};

test('containment agrees with node:net', () => {
  const pairs = aNetwork.chain((net) => fc.tuple(fc.constant(net), fc.oneof(near(net), address)));
  fc.assert(
    fc.property(pairs, ([net, one]) => {
      const list = new BlockList();
      list.addSubnet(printIp(net), net.prefix, familyName(net.family));
      // BlockList finds ::ffff:a.b.c.d in IPv4 networks, but such addresses are IPv4 to us before we ask.
      const expected = net.family === one.family && list.check(printIp(one), familyName(one.family));
      assert.equal(networkContains(net, one), expected, `${printNetwork(net)} ${printIp(one)}`);
    }),
    { numRuns: 500 },
  );
});

test('ipaddr.js reads, prints and matches as we do', () => {
  const pairs = aNetwork.chain((net) => fc.tuple(fc.constant(net), fc.oneof(near(net), address)));
  fc.assert(
    fc.property(pairs, ([net, one]) => {
      const other = ipaddr.parse(printIp(one));
      assert.equal(other.toString(), printIp(one));
      assert.equal(BigInt(`0x${Uint8Array.from(other.toByteArray()).toHex()}`), one.bits);
      const expected = net.family === one.family && other.match(ipaddr.parseCIDR(printNetwork(net)));
      assert.equal(networkContains(net, one), expected, `${printNetwork(net)} ${printIp(one)}`);
    }),
    { numRuns: 500 },
  );
});

test('a network covers another exactly when it holds its first and last address', () => {
  fc.assert(
    fc.property(aNetwork, aNetwork, fc.integer({ min: 0, max: 32 }), (one, other, shorter) => {
      const wider = network(`${printIp(other)}/${Math.max(0, other.prefix - shorter)}`);
      for (const outer of [one, wider]) {
        const size = 1n << BigInt((other.family === 4 ? 32 : 128) - other.prefix);
        const last: IpAddress = { family: other.family, bits: other.bits + size - 1n };
        assert.equal(
          networkCovers(outer, other),
          networkContains(outer, other) && networkContains(outer, last) && outer.prefix <= other.prefix,
        );
      }
      assert.ok(networkCovers(wider, other));
      assert.ok(networkContains(hostNetwork(one), one));
    }),
  );
});

test('two networks have in common the addresses that are in both, but for their exceptions', () => {
  const written = (text: string) => {
    const [net = '', ...except] = text.split(' not ');
    return { net: network(net), except: except.map((hole) => network(hole)) };
  };
  const cases: readonly (readonly [one: string, other: string, common: string | undefined])[] = [
    ['10.0.0.0/8', '10.1.0.0/16', '10.1.0.0/16'],
    ['10.1.0.0/16', '10.0.0.0/8', '10.1.0.0/16'],
    ['10.0.0.0/8', '10.0.0.0/8', '10.0.0.0/8'],
    ['10.0.0.0/8', '192.168.0.0/16', undefined],
    ['0.0.0.0/0', '::/0', undefined],
    ['10.0.0.0/8 not 10.1.0.0/16', '10.1.2.0/24', undefined],
    ['10.0.0.0/8 not 10.1.0.0/16', '10.2.0.0/16', '10.2.0.0/16'],
    ['10.0.0.0/8 not 10.1.0.0/16', '0.0.0.0/0 not 10.2.0.0/16', '10.0.0.0/8 not 10.1.0.0/16 not 10.2.0.0/16'],
    ['fd00::/8 not fd00::9', 'fd00::/16', 'fd00::/16 not fd00::9'],
  ];
  assert.equal(cases.length, 9);
  for (const [one, other, common] of cases) {
    const found = commonNetwork(written(one), written(other));
    assert.deepEqual(found, common === undefined ? undefined : written(common), `${one} and ${other}`);
  }
});

test('exactly what node:net takes for an address is one, but for zones', () => {
  const part = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('0', '1', 'ff', 'ffff', '12345', '255', '256', '01', 'g', '') },
    { weight: 6, arbitrary: fc.constantFrom(':', ':', '::', '.') },
    { weight: 2, arbitrary: fc.constantFrom('1.2.3.4', '::ffff:', '2001:db8', '/') },
  );
  const texts = fc.oneof(
    fc.array(part, { maxLength: 17 }).map((parts) => parts.join('')),
    fc
      .array(fc.constantFrom('0', '1', 'ffff', '1.2.3.4', ''), { maxLength: 9 })
      .map((words) => words.join(':')),
  );
  fc.assert(
    fc.property(texts, (text) => assert.equal(readIp(text)?.family !== undefined, isIP(text) !== 0, text)),
    { numRuns: 3_000 },
  );
});
