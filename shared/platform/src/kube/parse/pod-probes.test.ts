import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Probe } from '@gatehouse/core/resources/kinds/kubernetes';
import { readWire } from '@gatehouse/testing/wire-objects';

const ports = [
  { name: 'http', containerPort: 8080 },
  { name: 'udp', containerPort: 53, protocol: 'UDP' },
];
const probesOf = (container: object) => readWire('Pod', { spec: { containers: [{ ports, ...container }] } });
const http = (httpGet: object) => probesOf({ livenessProbe: { httpGet } });
const at = (path: string, port = 8080): readonly Probe[] => [{ kind: 'http', port, path }];

const cases: readonly (readonly [httpGet: object, probes: readonly Probe[], warnings: number])[] = [
  [{ port: 8080, path: '/live' }, at('/live'), 0],
  [{ port: 'HTTP', path: '/live' }, at('/live'), 0],
  [{ port: '9000', path: '/live' }, at('/live', 9000), 0],
  [{ port: 8080 }, at('/'), 0],
  [{ port: 8080, path: '' }, at('/'), 0],
  [{ port: 8080, path: '/a?b=c#d' }, at('/a'), 0],
  [{ port: 8080, path: '/a#d?b' }, at('/a'), 0],
  [{ port: 8080, path: 'live' }, at('/live'), 0],
  [{ port: 8080, path: '/a%20b' }, at('/a%20b'), 0],
  [{ port: 8080, scheme: 'HTTP' }, at('/'), 0],
  [{ port: 8080, scheme: 'HTTPS' }, [], 0],
  [{ port: 8080, host: 'example.com' }, [], 0],
  [{ port: 8080, path: '/a b' }, [], 1],
  [{ port: 8080, path: '/a%2' }, [], 1],
  [{ port: 'admin' }, [], 1],
  [{ port: 0 }, [], 1],
  [{ port: 70000 }, [], 1],
  [{}, [], 1],
];

test('an HTTP probe opens its exact path on its port; what kubelet does not send to the pod opens nothing', () => {
  for (const [httpGet, probes, warnings] of cases) {
    const read = http(httpGet);
    assert.deepEqual(read.spec.probes, probes, JSON.stringify(httpGet));
    assert.equal(read.warnings.length, warnings, read.warnings.join());
  }
  assert.equal(cases.length, 18);
});

test('a port is found by its name whatever its protocol, as kubelet finds it', () => {
  const { spec, warnings } = http({ port: 'udp', path: '/live' });
  assert.deepEqual([spec.probes, warnings], [at('/live', 53), []]);
});

test('a named port is one of the same container only', () => {
  const containers = [{ ports }, { livenessProbe: { httpGet: { port: 'http' } } }];
  const { spec, warnings } = readWire('Pod', { spec: { containers } });
  assert.deepEqual(spec.probes, []);
  assert.deepEqual(warnings, [
    'spec.containers[1].livenessProbe.httpGet.port: no port of this container is named `http`: name one of its ports, or a number',
  ]);
});

test('a port is found by its name whatever its protocol, as kubelet does, which calls it by TCP', () => {
  assert.deepEqual(http({ port: 'udp', path: '/live' }).spec.probes, at('/live', 53));
});

test('probes of all three kinds and of sidecars count, each once', () => {
  const probe = { httpGet: { port: 8080, path: '/x' } };
  const container = { startupProbe: probe, livenessProbe: probe, readinessProbe: { grpc: { port: 9090 } } };
  const sidecar = { ...container, restartPolicy: 'Always' };
  const { spec } = readWire('Pod', { spec: { initContainers: [sidecar], containers: [container] } });
  assert.deepEqual(spec.probes, [
    { kind: 'http', port: 8080, path: '/x' },
    { kind: 'grpc', port: 9090 },
  ]);
});

test('probes of init containers that end before the pod serves open nothing: kubelet sends none', () => {
  const container = { livenessProbe: { httpGet: { port: 8080 } } };
  assert.deepEqual(readWire('Pod', { spec: { initContainers: [container] } }).spec.probes, []);
});

test('HTTPS probes and the hooks of a container are remembered as what nothing opens', () => {
  const https = { httpGet: { port: 'http', path: '/live', scheme: 'HTTPS' } };
  const drain = { httpGet: { port: 9000, path: 'drain?now' } };
  const { spec, warnings } = probesOf({
    livenessProbe: https,
    readinessProbe: https,
    startupProbe: { httpGet: { port: 8080, host: 'example.com', scheme: 'HTTPS' } },
    lifecycle: { preStop: drain, postStart: { exec: { command: ['true'] } } },
  });
  assert.deepEqual(
    [spec.probes, spec.unopened, warnings],
    [
      [],
      [
        { kind: 'https-probe', port: 8080, path: '/live' },
        { kind: 'hook', port: 9000, path: '/drain' },
      ],
      [],
    ],
  );
  assert.equal(probesOf({ livenessProbe: { httpGet: { port: 8080 } } }).spec.unopened, undefined);
});

test('what cannot be read of a hook is told once', () => {
  const { warnings } = probesOf({
    lifecycle: { preStop: { httpGet: { port: 'admin' } } },
    livenessProbe: { httpGet: { port: 'admin', scheme: 'HTTPS' } },
  });
  assert.equal(warnings.length, 2);
});

test('TCP and exec probes open nothing', () => {
  assert.deepEqual(
    probesOf({ livenessProbe: { tcpSocket: { port: 1 } }, readinessProbe: { exec: {} } }).spec.probes,
    [],
  );
});

test('a port whose name is not text costs that name, whatever stands there instead', () => {
  for (const name of [{ toString: '' }, { toString: null, valueOf: 1 }, ['http'], 7, null, '']) {
    const container = {
      ports: [{ name, containerPort: 81 }, ...ports],
      livenessProbe: { httpGet: { port: 'http' } },
    };
    const { spec } = readWire('Pod', { spec: { containers: [container] } });
    assert.deepEqual(spec.probes, at('/'), JSON.stringify(name));
  }
});
