import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aPod } from '@gatehouse/testing/builders';
import { hasEnded, isMeshed } from './workload.ts';

type Said = NonNullable<Parameters<typeof aPod>[0]>;

describe('a pod is meshed', () => {
  const mesh = { controlPlaneNamespace: 'gatehouse' };
  const rows: readonly (readonly [string, Said, boolean])[] = [
    [
      'by the label that names our control plane',
      { labels: { 'linkerd.io/control-plane-ns': 'gatehouse' } },
      true,
    ],
    [
      'not by the label of another control plane',
      { labels: { 'linkerd.io/control-plane-ns': 'linkerd' } },
      false,
    ],
    ['not by an empty label', { labels: { 'linkerd.io/control-plane-ns': '' } }, false],
    ['not without the label', { labels: { app: 'web' } }, false],
    [
      'not by the annotation that asks for a proxy',
      { annotations: { 'linkerd.io/inject': 'enabled' } },
      false,
    ],
  ];
  it('covers the table', () => assert.equal(rows.length, 5));
  for (const [title, said, expected] of rows) {
    it(title, () => assert.equal(isMeshed(aPod({ meshed: false, ...said }).meta, mesh), expected));
  }
});

describe('a pod has ended', () => {
  const rows: readonly (readonly [string, Said, boolean])[] = [
    ['not while it runs', {}, false],
    ['not before it runs', { phase: 'Pending', ready: false }, false],
    ['not while its node is lost', { phase: 'Unknown', ready: false }, false],
    ['not while it is terminating: draining pods call', { deletedAt: 1, ready: false }, false],
    ['when it has succeeded', { phase: 'Succeeded', ready: false }, true],
    ['when it has failed', { phase: 'Failed', ready: false }, true],
    ['when all its containers have ended, before its phase says so', { terminated: true }, true],
  ];
  it('covers the table', () => assert.equal(rows.length, 7));
  for (const [title, said, expected] of rows) {
    it(title, () => assert.equal(hasEnded(aPod(said).spec), expected));
  }
});
