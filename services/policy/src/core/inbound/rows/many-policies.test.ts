import assert from 'node:assert/strict';
import test from 'node:test';
import type { Change } from '@gatehouse/core/resources/changes';
import { aNamespace, aNetworkAuthenticationPolicy, aPod, labelled } from '@gatehouse/testing/builders';
import { InboundRowsFixture } from '../../../../testing/inbound-rows-fixture.ts';

const everything = labelled({});

const toAll = (name: string, namespace: string, createdAt = 0) =>
  aNetworkAuthenticationPolicy({
    name,
    namespace,
    createdAt,
    target: everything,
    ports: 'all',
    sources: [{ serviceAccounts: [{ namespace, name: `client-of-${name}` }] }],
  });

const place = (namespace: string) => [
  aNamespace({ name: namespace }),
  aPod({ name: 'web', namespace, labels: { app: 'web' } }),
];

test('ten thousand policies that select everything make one row, and none of another namespace', () => {
  const fixture = new InboundRowsFixture();
  fixture.put(...place('full'), ...place('other'), toAll('only', 'other'));
  fixture.watch('full', 'web', 8080);
  const other = fixture.watch('other', 'web', 8080);
  const before = fixture.compiler.compiled;
  fixture.put(...Array.from({ length: 10_000 }, (_, at) => toAll(`p${at}`, 'full', at)));
  assert.equal(fixture.compiler.compiled - before, 1);
  assert.equal(other.versions.length, 1);
  let compiled: readonly string[] = [];
  fixture.rows.ask({ namespace: 'full', pod: 'web', port: 8080 }, (answer) => {
    compiled =
      answer?.compiled.server.authorizations.map(({ meta }) =>
        meta.kind === 'resource' ? meta.resource.name : '',
      ) ?? [];
  });
  fixture.compile('all');
  // All of them, or the oldest for which there is room: never others.
  assert.deepEqual(
    compiled,
    Array.from({ length: compiled.length }, (_, at) => `p${at}`),
  );
  assert(compiled.length > 5_000, `${compiled.length}`);
});

test('a policy that is deleted while its row waits grants nothing in any row that is sent', () => {
  const fixture = new InboundRowsFixture();
  fixture.put(...place('demo'));
  const reader = fixture.watch('demo', 'web', 8080);
  const policy = toAll('short-lived', 'demo');
  fixture.take({ type: 'apply', kind: policy.kind, object: policy } as Change);
  assert.equal(fixture.rows.size.waiting, 1);
  fixture.take({ type: 'delete', kind: policy.kind, ...policy.meta } as Change);
  fixture.compile('all');
  assert.equal(fixture.rows.size.waiting, 0);
  assert.equal(
    reader.versions.some((row) => row.includes('short-lived')),
    false,
  );
});
