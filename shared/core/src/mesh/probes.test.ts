import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Probe } from '../resources/kinds/kubernetes.ts';
import { portOfProbe, probeRequests } from './probes.ts';
import { isProxyPort, isProxyServer, usualProxyPorts } from './proxy-ports.ts';

const probes: readonly Probe[] = [
  { kind: 'http', port: 8080, path: '/live' },
  { kind: 'http', port: 8080, path: '/ready' },
  { kind: 'http', port: 8080, path: '/live' },
  { kind: 'grpc', port: 8080 },
  { kind: 'grpc', port: 9000 },
  { kind: 'http', port: 4191, path: '/own' },
];

test("kubelet's requests on a port, each once and sorted; on the proxy's admin port also its own", () => {
  const moved = { ...usualProxyPorts, admin: 5191 };
  const cases = [
    [8080, usualProxyPorts, ['POST /grpc.health.v1.Health/Check', 'GET /live', 'GET /ready']],
    [9000, usualProxyPorts, ['POST /grpc.health.v1.Health/Check']],
    [4191, usualProxyPorts, ['GET /live', 'GET /own', 'GET /ready']],
    [4190, usualProxyPorts, []],
    [8081, usualProxyPorts, []],
    [4191, moved, ['GET /own']],
    [5191, moved, ['GET /live', 'GET /ready']],
  ] as const;
  assert.equal(cases.length, 7);
  for (const [port, proxyPorts, expected] of cases) {
    const requests = probeRequests({ probes, proxyPorts }, port);
    assert.deepEqual(
      requests.map(({ method, path }) => `${method} ${path}`),
      expected,
    );
  }
});

test('a probe names a port of its container without regard to case, else a number', () => {
  const ports = [
    { name: 'http', port: 8080 },
    { name: 'HTTP', port: 8081 },
    { name: '9000', port: 9001 },
  ];
  const cases = [
    ['http', 8080],
    ['Http', 8080],
    ['9000', 9001],
    ['9002', 9002],
    ['metrics', undefined],
    ['', undefined],
    ['0', undefined],
    ['65536', undefined],
  ] as const;
  assert.equal(cases.length, 8);
  for (const [text, port] of cases) assert.equal(portOfProbe(text, ports), port, text);
});

test("the proxy's own ports: all three for policies of every port, two of them are its own servers", () => {
  const ports = { inbound: 5143, control: 5190, admin: 5191 };
  assert.deepEqual(
    [5143, 5190, 5191, 4143, 4190, 4191, 8080].map((port) => [
      isProxyPort(ports, port),
      isProxyServer(ports, port),
    ]),
    [[true, false], [true, true], [true, true], ...Array.from({ length: 4 }, () => [false, false])],
  );
});
