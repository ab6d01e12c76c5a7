import assert from 'node:assert/strict';
import test from 'node:test';
import { parseTarget, printServiceName, printTarget, type Target } from './target.ts';

const service = (port: number): Target => ({
  kind: 'name',
  namespace: 'demo',
  name: 'backend',
  port,
  instance: undefined,
});
const ip = (address: string, port: number): Target => ({ kind: 'ip', ip: address, port });

const good: readonly (readonly [string, Target])[] = [
  ['backend.demo.svc.cluster.local:8080', service(8080)],
  ['backend.demo.svc.cluster.local', service(80)],
  ['backend.demo.svc.cluster.local.:8080', service(8080)],
  ['Backend.Demo.SVC.cluster.local:8080', service(8080)],
  ['backend-0.backend.demo.svc.cluster.local:8080', { ...service(8080), instance: 'backend-0' } as Target],
  ['10.1.2.3:8080', ip('10.1.2.3', 8080)],
  ['10.1.2.3', ip('10.1.2.3', 80)],
  ['[2001:DB8:0::1]:65535', ip('2001:db8::1', 65535)],
  ['[::ffff:10.1.2.3]:1', ip('10.1.2.3', 1)],
];

test('a path names a Service, an instance of one, or an address; the port is 80 when it says none', () => {
  assert.equal(good.length, 9);
  for (const [path, target] of good) {
    assert.deepEqual(parseTarget(path, 'cluster.local'), { ok: true, value: target }, path);
  }
});

const bad: readonly string[] = [
  '',
  ':8080',
  'backend.demo.svc.cluster.local:0',
  'backend.demo.svc.cluster.local:65536',
  'backend.demo.svc.cluster.local:-1',
  'backend.demo.svc.cluster.local:http',
  'backend.demo.svc.cluster.local:',
  'backend.demo.svc.cluster.local:80:80',
  'backend.demo.svc.example.org:80',
  'backend.demo.svc:80',
  'backend.demo:80',
  'backend.svc.cluster.local:80',
  'svc.cluster.local:80',
  '..svc.cluster.local:80',
  '.demo.svc.cluster.local:80',
  'x.backend-0.backend.demo.svc.cluster.local:80',
  'example.org:80',
  'fd00::1',
  'fd00::1:80',
  '[10.1.2.3]:80',
  '[backend.demo.svc.cluster.local]:80',
  '[fd00::1:80',
];

test('what names nothing that this cluster could have is a problem that quotes it', () => {
  assert.equal(bad.length, 22);
  for (const path of bad) assert.equal(parseTarget(path, 'cluster.local').ok, false, path);
});

test('the cluster domain may have any depth', () => {
  assert.deepEqual(parseTarget('a.b.svc.k8s:1', 'k8s'), {
    ok: true,
    value: { kind: 'name', namespace: 'b', name: 'a', port: 1, instance: undefined },
  });
  assert.equal(parseTarget('a.b.svc.cluster.local:1', 'k8s').ok, false);
});

test('targets that mean the same print the same, and others differ', () => {
  const texts = good.map(([, target]) => printTarget(target));
  assert.deepEqual(texts, [
    'backend.demo:8080',
    'backend.demo:80',
    'backend.demo:8080',
    'backend.demo:8080',
    'backend-0.backend.demo:8080',
    '10.1.2.3:8080',
    '10.1.2.3:80',
    '[2001:db8::1]:65535',
    '10.1.2.3:1',
  ]);
  assert.equal(
    printServiceName({ namespace: 'demo', name: 'backend' }, 'k8s.local'),
    'backend.demo.svc.k8s.local',
  );
});
