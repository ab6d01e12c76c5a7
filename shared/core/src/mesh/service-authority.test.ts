import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Authority,
  clusterDomainIn,
  completeServiceName,
  parseAuthority,
  printAuthority,
  printServiceName,
} from './service-authority.ts';

const domain = 'cluster.local';

const service = (port: number, instance?: string): Authority => ({
  kind: 'service',
  namespace: 'demo',
  name: 'backend',
  port,
  instance,
});
const address = (ip: string, port: number): Authority => ({ kind: 'address', ip, port });

const good: readonly (readonly [string, Authority, string])[] = [
  ['backend.demo.svc.cluster.local:8080', service(8080), 'backend.demo.svc.cluster.local:8080'],
  ['backend.demo.svc.cluster.local', service(80), 'backend.demo.svc.cluster.local:80'],
  ['backend.demo.svc.cluster.local.:8080', service(8080), 'backend.demo.svc.cluster.local:8080'],
  ['Backend.Demo.SVC.cluster.local:08080', service(8080), 'backend.demo.svc.cluster.local:8080'],
  [
    'backend-0.backend.demo.svc.cluster.local:8080',
    service(8080, 'backend-0'),
    'backend-0.backend.demo.svc.cluster.local:8080',
  ],
  ['10.1.2.3:8080', address('10.1.2.3', 8080), '10.1.2.3:8080'],
  ['10.1.2.3', address('10.1.2.3', 80), '10.1.2.3:80'],
  ['[2001:DB8:0::1]:65535', address('2001:db8::1', 65535), '[2001:db8::1]:65535'],
  ['[::ffff:10.1.2.3]:1', address('10.1.2.3', 1), '10.1.2.3:1'],
];

test('an authority names a Service, an instance of one, or an address; the port is 80 when it says none', () => {
  assert.equal(good.length, 9);
  for (const [text, authority, printed] of good) {
    assert.deepEqual(parseAuthority(text, domain), { ok: true, value: authority }, text);
    assert.equal(printAuthority(authority, domain), printed);
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
  'backend.demo.svc.cluster.local..:80',
  'backend.demo.svc.example.org:80',
  'backend.demo.svc.cluster.local.example.org:80',
  'backend.demo.svccluster.local:80',
  'backend.demo.svc:80',
  'backend.demo:80',
  'backend.svc.cluster.local:80',
  'svc.cluster.local:80',
  '.svc.cluster.local:80',
  '..svc.cluster.local:80',
  '.demo.svc.cluster.local:80',
  'backend..svc.cluster.local:80',
  '.backend.demo.svc.cluster.local:80',
  'x.backend-0.backend.demo.svc.cluster.local:80',
  'example.org:80',
  'fd00::1',
  'fd00::1:80',
  '[10.1.2.3]:80',
  '[backend.demo.svc.cluster.local]:80',
  '[fd00::1:80',
];

test('what names nothing that this cluster could have is a problem that quotes it', () => {
  assert.equal(bad.length, 28);
  for (const text of bad) {
    const outcome = parseAuthority(text, domain);
    assert.ok(!outcome.ok, text);
    const [host = ''] = text.split(/:(?=[^:]*$)/);
    assert.ok(
      outcome.problems.some(({ found }) => found.includes(host)),
      text,
    );
  }
});

test('the cluster domain may have any depth, and a Service may be named like it', () => {
  const named = { kind: 'service', namespace: 'b', name: 'a', port: 1, instance: undefined } as const;
  assert.deepEqual(parseAuthority('a.b.svc.k8s:1', 'k8s'), { ok: true, value: named });
  assert.equal(parseAuthority('a.b.svc.cluster.local:1', 'k8s').ok, false);
  assert.deepEqual(parseAuthority('svc.svc.svc.svc.k8s:1', 'svc.k8s'), {
    ok: true,
    value: { ...named, namespace: 'svc', name: 'svc' },
  });
  assert.equal(
    printServiceName({ namespace: 'demo', name: 'backend' }, 'k8s.local'),
    'backend.demo.svc.k8s.local',
  );
});

test('what is printed is read back', () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
  const port = fc.integer({ min: 1, max: 65_535 });
  const services = fc
    .record({ namespace: label, name: label, port, instance: fc.option(label, { nil: undefined }) })
    .map((named): Authority => ({ kind: 'service', ...named }));
  const addresses = fc.record({ ip: fc.ipV4(), port }).map((at): Authority => ({ kind: 'address', ...at }));
  const domains = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
  fc.assert(
    fc.property(fc.oneof(services, addresses), domains, (authority, clusterDomain) => {
      const text = printAuthority(authority, clusterDomain);
      assert.deepEqual(parseAuthority(text, clusterDomain), { ok: true, value: authority });
    }),
  );
});

test('names are completed as the resolver of a pod completes those of Services', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['backend', 'backend.demo.svc.cluster.local'],
    ['Backend.Other', 'backend.other.svc.cluster.local'],
    ['backend.other.svc', 'backend.other.svc.cluster.local'],
    ['backend.other.svc.cluster.local', 'backend.other.svc.cluster.local'],
    ['backend.other.svc.cluster.local.', 'backend.other.svc.cluster.local'],
    ['backend.', 'backend'],
    ['www.example.org', 'www.example.org'],
  ];
  assert.equal(cases.length, 7);
  for (const [host, full] of cases) {
    assert.equal(completeServiceName(host, { namespace: 'demo', clusterDomain: domain }), full, host);
  }
});

test('the cluster domain of a suffix of Services; of no other suffix', () => {
  assert.deepEqual(['svc.cluster.local.', 'svc.k8s', 'cluster.local', 'svcx.local'].map(clusterDomainIn), [
    'cluster.local',
    'k8s',
    undefined,
    undefined,
  ]);
});
