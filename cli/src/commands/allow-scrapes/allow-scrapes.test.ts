import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRejected } from '@gatehouse/core/resources/kinds';
import { readObject } from '@gatehouse/platform/kube/read-object';
import { parseAllDocuments } from 'yaml';
import { runToEnd } from '../../../testing/run-cli.ts';

const run = (line: string) => runToEnd(['allow-scrapes', ...line.split(' ')]);

test('each namespace gets a policy that admits a scraper to the metrics, and is accepted as it stands', async () => {
  const ended = await run(
    '-n demo -n shop -n demo --networks 10.42.0.0/16,fd00::/8 --service-account monitoring/prometheus',
  );
  assert.deepEqual([ended.code, ended.err], [0, '']);
  const policies = parseAllDocuments(ended.out).map((document) => document.toJS());
  assert.deepEqual(
    policies.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    ['demo/allow-scrapes', 'shop/allow-scrapes'],
  );
  for (const policy of policies) {
    assert.deepEqual(policy.spec, {
      target: { selector: {} },
      ports: [{ port: 4191 }],
      sources: [
        { networks: [{ cidr: '10.42.0.0/16' }, { cidr: 'fd00::/8' }] },
        { serviceAccounts: [{ namespace: 'monitoring', name: 'prometheus' }] },
      ],
      rules: [{ methods: ['GET'], paths: [{ type: 'Exact', value: '/metrics' }] }],
    });
    const read = readObject('NetworkAuthenticationPolicy', policy);
    assert.ok(read.outcome === 'read' && !isRejected(read.object.spec));
  }
});

test('what cannot be a policy is a usage error', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['--networks 10.0.0.0/8', /--namespace/],
    ['-n demo', /say who scrapes: give --networks, --service-account, or both/],
    ['-n demo --networks 10.0.0.0/40', /--networks: `10\.0\.0\.0\/40` has no valid prefix length/],
    ['-n Demo --networks 10.0.0.0/8', /--namespace: `Demo` is not a valid namespace/],
    ['-n demo --service-account prometheus', /Use NAMESPACE\/NAME/],
  ];
  assert.equal(cases.length, 5);
  for (const [line, message] of cases) {
    const { code, out, err } = await run(line);
    assert.deepEqual([code, out], [2, ''], line);
    assert.match(err, message, line);
  }
});
