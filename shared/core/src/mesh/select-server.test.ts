import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aRejected, aServer, labelled } from '@gatehouse/testing/builders';
import { everything } from '../label-selector.ts';
import type { KubeObject } from '../resources/kinds.ts';
import { selectServer } from './select-server.ts';

const workload = {
  namespace: 'demo',
  labels: { app: 'backend', tier: 'one' },
  annotations: {},
  hostNetwork: false,
  ports: [
    { name: 'http', port: 8080 },
    { name: 'http', port: 8081 },
    { name: 'admin', port: 9000 },
  ],
  probes: [],
};

const governs = (servers: readonly KubeObject<'Server'>[], port = 8080): string | undefined =>
  selectServer(servers, workload, port).governing?.meta.name;

describe('a Server selects a port', () => {
  const rows: readonly (readonly [string, KubeObject<'Server'>, number, boolean])[] = [
    ['by number', aServer(), 8080, true],
    ['not another number', aServer(), 8082, false],
    ['that no container declares', aServer({ port: { kind: 'range', first: 7777, last: 7777 } }), 7777, true],
    ['by name, the first of that name', aServer({ port: { kind: 'name', name: 'http' } }), 8080, true],
    ['by name, the second of that name', aServer({ port: { kind: 'name', name: 'http' } }), 8081, true],
    ['not by another name', aServer({ port: { kind: 'name', name: 'http' } }), 9000, false],
    ['by labels', aServer({ podSelector: labelled({ app: 'backend' }) }), 8080, true],
    ['not by other labels', aServer({ podSelector: labelled({ app: 'frontend' }) }), 8080, false],
    [
      'by an expression',
      aServer({
        podSelector: {
          matchLabels: {},
          matchExpressions: [{ key: 'tier', operator: 'In', values: ['one', 'two'] }],
        },
      }),
      8080,
      true,
    ],
    ['not of another namespace', aServer({ namespace: 'other' }), 8080, false],
    ['not with an externalWorkloadSelector', aServer({ podSelector: undefined }), 8080, false],
    [
      'rejected, by what it still names',
      aRejected('Server', { closes: { selector: everything, ports: 'all' } }),
      4191,
      true,
    ],
    [
      'rejected, not by what it does not name',
      aRejected('Server', { closes: { selector: everything, ports: [{ kind: 'name', name: 'admin' }] } }),
      8080,
      false,
    ],
  ];
  it('covers the table', () => assert.equal(rows.length, 13));
  for (const [title, server, port, selected] of rows) {
    it(title, () => assert.equal(governs([server], port), selected ? server.meta.name : undefined));
  }
});

describe('of several Servers', () => {
  it('the oldest governs, whatever the list', () => {
    const old = aServer({ name: 'z', createdAt: 1 });
    const young = aServer({ name: 'a', createdAt: 2 });
    assert.equal(governs([old, young]), 'z');
    assert.equal(governs([young, old]), 'z');
  });

  it('of equally old ones the first by name', () => {
    assert.equal(governs([aServer({ name: 'b' }), aServer({ name: 'a' })]), 'a');
  });

  it('the others are reported in their order', () => {
    const servers = [aServer({ name: 'c' }), aServer({ name: 'b' }), aServer({ name: 'a' })];
    const { overlapped } = selectServer(servers, workload, 8080);
    assert.deepEqual(
      overlapped.map(({ meta }) => meta.name),
      ['b', 'c'],
    );
  });

  it('a rejected one keeps its place', () => {
    const rejected = aRejected('Server', { name: 'old', createdAt: 1 });
    assert.equal(governs([aServer({ createdAt: 2 }), rejected]), 'old');
  });

  it('the next takes over when the oldest is deleted', () => {
    assert.equal(governs([aServer({ name: 'b' })]), 'b');
    assert.equal(governs([]), undefined);
  });
});
