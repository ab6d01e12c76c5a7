import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback, parseHostPort, printHostPort } from './host-port.ts';

test('an address is read and printed the same', () => {
  const texts = [
    '127.0.0.1:8080',
    '[::1]:0',
    '[fd00::1:2]:65535',
    'gatehouse-policy.gatehouse.svc:8090',
    'localhost.:1',
  ];
  for (const text of texts) {
    const outcome = parseHostPort(text);
    assert.ok(outcome.ok, text);
    assert.equal(printHostPort(outcome.value), text);
  }
  assert.equal(texts.length, 5);
});

test('what is not a valid address is refused', () => {
  const wrong = [
    '',
    ':8080',
    '8080',
    'host',
    'host:',
    'host:x',
    'host:65536',
    '::1:80',
    '[::1]',
    '[127.0.0.1]:80',
    '[host]:80',
    'Host:80',
    'a b:80',
    '1.2.3.4.5:80:90',
    '256.0.0.1:80',
    '-x:80',
    'http://host:80',
    'host:-1',
    'host..:80',
    '127.1:80',
  ];
  for (const text of wrong) assert.ok(!parseHostPort(text).ok, text);
  assert.equal(wrong.length, 20);
});

test('loopback is 127/8, ::1 and localhost, nothing that only looks like it', () => {
  for (const host of [
    '127.0.0.1',
    '127.64.3.2',
    '::1',
    '0:0::1',
    '::ffff:127.0.0.1',
    'localhost',
    'localhost.',
  ]) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of ['0.0.0.0', '::', '128.0.0.1', 'localhost.example', '127.0.0.1.example', '', '::2']) {
    assert.ok(!isLoopback(host), host);
  }
});
