import assert from 'node:assert/strict';
import { test } from 'node:test';
import { servesTls } from './transport-security.ts';

test('plaintext is for loopback, and there only unless TLS is always wanted', () => {
  const cases = [
    ['auto', '127.0.0.1', false],
    ['auto', '127.0.0.2', false],
    ['auto', '::1', false],
    ['auto', 'localhost', false],
    ['auto', 'localhost.', false],
    ['auto', '0.0.0.0', true],
    ['auto', '::', true],
    ['auto', '10.0.0.1', true],
    ['auto', 'gatehouse-policy', true],
    ['always', '127.0.0.1', true],
    ['always', '0.0.0.0', true],
  ] as const;
  assert.equal(cases.length, 11);
  for (const [mode, host, tls] of cases) assert.equal(servesTls(mode, host), tls, `${mode} ${host}`);
});
