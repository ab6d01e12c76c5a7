import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { detectHttp } from './http-preface.ts';

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

test('protocols are told by their first bytes: sixteen openings', () => {
  const cases: [string, ReturnType<typeof detectHttp>][] = [
    ['', 'more'],
    ['G', 'more'],
    ['GET', 'more'],
    ['GET /api', 'more'],
    ['GET / HTTP/1.1\r\n', 'http1'],
    ['GET / HTTP/1.0\n', 'http1'],
    ['M-SEARCH * HTTP/1.1\r\n', 'http1'],
    ['GET http://backend.demo/ HTTP/1.1\r\nHost: x\r\n', 'http1'],
    ['GET / HTTP/3.0\r\n', 'not-http'],
    ['hello world\r\n', 'not-http'],
    ['GET  / HTTP/1.1\r\n', 'not-http'],
    ['\u0000\u0001\u0002', 'not-http'],
    ['{"json":', 'not-http'],
    ['ANAMETHATISFARTOOLONGTOBEAMETHODOFHTTP', 'not-http'],
    [preface.slice(0, 10), 'more'],
    [`${preface}\u0000\u0000\u0012`, 'http2'],
  ];
  assert.equal(cases.length, 16);
  for (const [text, expected] of cases) assert.equal(detectHttp(Buffer.from(text, 'latin1')), expected, text);
});

test('a request line that never ends is given up', () => {
  assert.equal(detectHttp(Buffer.from(`GET /${'a'.repeat(9_000)}`)), 'not-http');
});

test('what was once decided stays decided when more bytes come', () => {
  const openings = fc.constantFrom('GET / HTTP/1.1\r\n', preface, 'SSH-2.0-x\r\n', '\u0016\u0003', 'PUT ');
  fc.assert(
    fc.property(openings, fc.uint8Array({ maxLength: 60 }), fc.nat(60), (opening, more, cut) => {
      const whole = Buffer.concat([Buffer.from(opening, 'latin1'), more]);
      const early = detectHttp(whole.subarray(0, cut));
      if (early !== 'more') assert.equal(detectHttp(whole), early);
    }),
  );
});
