import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from './metrics.ts';

test('every series carries its service, so that services can share a process', async () => {
  const [policy, identity] = [new Metrics('policy'), new Metrics('identity')];
  for (const metrics of [policy, identity]) {
    metrics
      .counter({ name: 'gatehouse_things_total', help: 'Things.', labelNames: ['kind'] })
      .inc({ kind: 'a' }, 2);
  }
  assert.match(await policy.text(), /^gatehouse_things_total\{kind="a",service="policy"\} 2$/m);
  assert.match(await identity.text(), /^gatehouse_things_total\{kind="a",service="identity"\} 2$/m);
});

test('a gauge that collects is read at each scrape', async () => {
  const metrics = new Metrics('policy');
  let open = 1;
  metrics.gauge({
    name: 'gatehouse_open',
    help: 'Open.',
    collect() {
      this.set(open);
    },
  });
  open = 5;
  assert.match(await metrics.text(), /^gatehouse_open\{service="policy"\} 5$/m);
});

test('a name that breaks the conventions is refused where it is made', () => {
  const metrics = new Metrics('policy');
  const wrong = ['things_total', 'gatehouse_Things_total', 'gatehouse_things'];
  for (const name of wrong)
    assert.throws(() => metrics.counter({ name, help: 'Things.' }), { code: 'internal' }, name);
  assert.throws(() => metrics.gauge({ name: 'gatehouse_age_ms', help: 'Age.' }), { code: 'internal' });
  assert.throws(() => metrics.gauge({ name: 'gatehouse_age_total', help: 'Age.' }), { code: 'internal' });
});

test('what was made can be listed for the reference', () => {
  const metrics = new Metrics('policy');
  metrics.counter({ name: 'gatehouse_b_total', help: 'B.', labelNames: ['x', 'y'] });
  metrics.histogram({ name: 'gatehouse_a_seconds', help: 'A.' });
  assert.deepEqual(metrics.definitions, [
    { name: 'gatehouse_a_seconds', type: 'histogram', help: 'A.', labels: [] },
    { name: 'gatehouse_b_total', type: 'counter', help: 'B.', labels: ['x', 'y'] },
  ]);
});
