import assert from 'node:assert/strict';
import { test } from 'node:test';
import { highestBase, serviceAddresses, serviceNames } from './service-addresses.ts';

const all = (base: number | undefined) =>
  serviceNames.map((service) =>
    Object.values(serviceAddresses(service, { host: '127.0.0.1', base })).join(' '),
  );

test('all ports move together and keep their distance', () => {
  assert.deepEqual(all(undefined), [
    '127.0.0.1:8080 127.0.0.1:9990',
    '127.0.0.1:8086 127.0.0.1:9996',
    '127.0.0.1:8090 127.0.0.1:9997',
  ]);
  assert.deepEqual(all(20_000), [
    '127.0.0.1:20000 127.0.0.1:21910',
    '127.0.0.1:20006 127.0.0.1:21916',
    '127.0.0.1:20010 127.0.0.1:21917',
  ]);
});

test('base 0 leaves every port to the system', () => {
  assert.deepEqual(new Set(all(0)), new Set(['127.0.0.1:0 127.0.0.1:0']));
});

test('the highest base puts the last port at 65535', () => {
  assert.match(all(highestBase).join(), /:65535$/);
});
