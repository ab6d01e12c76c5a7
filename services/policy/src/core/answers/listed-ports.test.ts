import assert from 'node:assert/strict';
import test from 'node:test';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import { listedPorts } from './listed-ports.ts';

const workload = {
  ports: [
    { name: 'http', port: 8080 },
    { name: 'web', port: 8080 },
    { name: '', port: 9000 },
    { name: 'linkerd-proxy', port: 4143 },
  ],
  probes: [{ kind: 'http' as const, port: 8081, path: '/ready' }],
  proxyPorts: usualProxyPorts,
  annotations: {},
};

const range = (first: number, last = first): PortSelector => ({ kind: 'range', first, last });

const list = (said: Partial<Parameters<typeof listedPorts>[0]> = {}) =>
  listedPorts({ workload, isMeshed: true, named: [], boundaries: undefined, limit: 100, ...said });

const textOf = ({ ports }: ReturnType<typeof listedPorts>): readonly string[] =>
  ports.map(({ first, last, names, declared }) =>
    [first === last ? `${first}` : `${first}-${last}`, ...names, ...(declared ? ['declared'] : [])].join(' '),
  );

test('declared, probed and admin ports are listed by number, each once, and not where the proxy listens', () => {
  const listed = list();
  assert.deepEqual(textOf(listed), ['4191 linkerd-admin', '8080 http web declared', '8081', '9000 declared']);
  assert.equal(listed.other, 9001);
  assert.deepEqual(textOf(list({ isMeshed: false })), ['8080 http web declared', '8081', '9000 declared']);
});

test('ranges of policies are cut where something begins or ends in them, and names add nothing', () => {
  const named = [
    [range(8000, 8999), { kind: 'name' as const, name: 'http' }],
    [range(8500, 9500)],
    'all',
  ] as const;
  assert.deepEqual(textOf(list({ named })), [
    '4191 linkerd-admin',
    '8000-8079',
    '8080 http web declared',
    '8081',
    '8082-8499',
    '8500-8999',
    '9000 declared',
    '9001-9500',
  ]);
  assert.deepEqual(textOf(list({ named: [[range(100, 109)]], boundaries: [103, 104, 9999] })).slice(0, 3), [
    '100-102',
    '103',
    '104-109',
  ]);
});

test('skipped ports are listed, and where every port is named there is no other', () => {
  const annotations = { 'config.linkerd.io/skip-inbound-ports': '25,7000-7002' };
  assert.deepEqual(textOf(list({ workload: { ...workload, annotations } })).slice(0, 2), [
    '25',
    '4191 linkerd-admin',
  ]);
  const all = list({ named: [[range(1, 65_535)]] });
  assert.equal(all.other, undefined);
  assert.equal(all.leftOut, 0);
});

test('what the pod declares is listed however much policies name, and what is left out is counted', () => {
  const many = Array.from({ length: 3_000 }, (_, at) => range(10_000 + 2 * at));
  const listed = list({ named: [many], limit: 6 });
  assert.deepEqual(textOf(listed), [
    '4191 linkerd-admin',
    '8080 http web declared',
    '8081',
    '9000 declared',
    '10000',
    '10002',
  ]);
  assert.equal(listed.leftOut, 3_000 - 2);
});
