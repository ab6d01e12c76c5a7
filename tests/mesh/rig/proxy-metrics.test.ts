import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMetrics, total } from './proxy-metrics.ts';

test('counters are summed over the labels that were not named', () => {
  const samples = parseMetrics(
    [
      '# HELP denied Requests denied.',
      'denied_total{srv_name="a",tls="true",client_id="x"} 2',
      'denied_total{srv_name="a",tls="no_identity"} 3',
      'denied_total{srv_name="a\\"b"} 5',
      'up 1',
    ].join('\n'),
  );
  assert.equal(samples.length, 4);
  assert.equal(total(samples, 'denied_total', { srv_name: 'a' }), 5);
  assert.equal(total(samples, 'denied_total', { srv_name: 'a', tls: 'true' }), 2);
  assert.equal(total(samples, 'denied_total', {}), 10);
  assert.equal(total(samples, 'never_counted', {}), 0);
});
