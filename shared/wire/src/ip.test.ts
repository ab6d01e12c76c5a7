import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IpAddress, parseNetwork, printIp, printNetwork, readIp } from '@gatehouse/core/ip-network';
import fc from 'fast-check';
import { IPAddress, IPNetwork, TcpAddress } from '../gen/io/linkerd/proxy/net.ts';
import { decodeIp, decodeNetwork, encodeIp, encodeNetwork, encodeTcpAddress } from './ip.ts';

const address = (text: string): IpAddress => {
  const ip = readIp(text);
  assert.ok(ip !== undefined);
  return ip;
};

const wire = (text: string): string =>
  Buffer.from(IPAddress.encode(encodeIp(address(text))).finish()).toString('hex');

test('addresses keep every bit on the wire', () => {
  const cases = [
    ['0.0.0.0', '0d00000000'],
    ['127.0.0.1', '0d0100007f'],
    ['255.255.255.255', '0dffffffff'],
    ['10.1.2.3', '0d0302010a'],
    ['2001:db8:1:2::3', '121209020001 00b80d0120110300000000000000'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '121209ffffffffffffffff11ffffffffffffffff'],
    ['::1', '1209110100000000000000'],
    ['1::', '1209090000000000000100'],
  ] as const;
  assert.equal(cases.length, 8);
  for (const [text, hex] of cases) {
    assert.equal(wire(text), hex.replaceAll(' ', ''), text);
    const decoded = decodeIp(IPAddress.decode(Buffer.from(hex.replaceAll(' ', ''), 'hex')));
    assert.equal(decoded && printIp(decoded), text);
  }
});

test('any address and network comes back as it went', () => {
  const ip = fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((bits) => ({ family: 4 as const, bits })),
    fc.bigInt({ min: 1n << 48n, max: (1n << 128n) - 1n }).map((bits) => ({ family: 6 as const, bits })),
  );
  fc.assert(
    fc.property(ip, fc.nat(128), (each, prefix) => {
      assert.deepEqual(decodeIp(IPAddress.decode(IPAddress.encode(encodeIp(each)).finish())), each);
      const network = parseNetwork(`${printIp(each)}/${each.family === 4 ? prefix % 33 : prefix}`);
      assert.ok(network.ok);
      const back = decodeNetwork(IPNetwork.decode(IPNetwork.encode(encodeNetwork(network.value)).finish()));
      assert.deepEqual(back, network.value);
    }),
  );
});

test('what names no network is none', () => {
  const ip = encodeIp(address('10.1.2.3'));
  assert.equal(decodeIp(undefined), undefined);
  assert.equal(decodeIp({ ip: undefined }), undefined);
  assert.equal(decodeNetwork(undefined), undefined);
  assert.equal(decodeNetwork({ ip: undefined, prefixLen: 8 }), undefined);
  assert.equal(decodeNetwork({ ip, prefixLen: 33 }), undefined);
  const cleared = decodeNetwork({ ip, prefixLen: 8 });
  assert.equal(cleared && printNetwork(cleared), '10.0.0.0/8');
});

test('an address and port is a TcpAddress', () => {
  const message = TcpAddress.decode(TcpAddress.encode(encodeTcpAddress(address('10.1.2.3'), 8080)).finish());
  assert.deepEqual(message, { ip: { ip: { $case: 'ipv4', value: 0x0a010203 } }, port: 8080 });
});
