import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printTarget } from './discovery.ts';
import { readOutboundTarget } from './outbound-target.ts';

test('names are completed as a pod resolver completes those of Services: eleven authorities', () => {
  const cases: [string, string | undefined][] = [
    ['backend', 'backend.demo.svc.cluster.local:80'],
    ['backend:8080', 'backend.demo.svc.cluster.local:8080'],
    ['Backend.Other:8080', 'backend.other.svc.cluster.local:8080'],
    ['backend.other.svc:8080', 'backend.other.svc.cluster.local:8080'],
    ['backend.other.svc.cluster.local:8080', 'backend.other.svc.cluster.local:8080'],
    ['backend.other.svc.cluster.local.:8080', 'backend.other.svc.cluster.local:8080'],
    ['127.64.1.2:8080', '127.64.1.2:8080'],
    ['[fd00::1]:8080', '[fd00::1]:8080'],
    ['backend:0', undefined],
    ['backend:70000', undefined],
    ['back end', undefined],
  ];
  assert.equal(cases.length, 11);
  const context = { namespace: 'demo', clusterDomain: 'cluster.local' };
  for (const [authority, expected] of cases) {
    const target = readOutboundTarget(authority, context);
    assert.equal(target && printTarget(target), expected, authority);
  }
});
