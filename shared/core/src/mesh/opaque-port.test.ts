import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portSet } from '../port-set.ts';
import type { PodSpec, ServiceSpec } from '../resources/kinds/kubernetes.ts';
import type { ServerSpec } from '../resources/kinds/linkerd.ts';
import type { KubeObject } from '../resources/kinds.ts';
import { isOpaquePort, isOpaqueServicePort, opaquePortsAnnotation } from './opaque-port.ts';
import { usualProxyPorts } from './proxy-ports.ts';

const defaults = portSet([{ first: 3306, last: 3306 }]);
const backend = { matchLabels: { app: 'backend' }, matchExpressions: [] };

const meta = (name: string, more: { createdAt?: number; namespace?: string; opaque?: string } = {}) => ({
  namespace: more.namespace ?? 'demo',
  name,
  uid: `uid-${name}`,
  createdAt: more.createdAt ?? 0,
  labels: { app: 'backend' },
  annotations: more.opaque === undefined ? {} : { [opaquePortsAnnotation]: more.opaque },
});

const pod = (opaque?: string): KubeObject<'Pod'> => ({
  kind: 'Pod',
  meta: meta('backend-0', opaque === undefined ? {} : { opaque }),
  spec: {
    serviceAccount: 'default',
    nodeName: 'node-1',
    ips: ['10.1.0.1'],
    hostIps: ['192.168.0.1'],
    hostNetwork: false,
    phase: 'Running',
    ready: true,
    terminated: false,
    ports: [
      { name: 'http', port: 8080 },
      { name: 'db', port: 3306 },
    ],
    probes: [],
    hostname: '',
    subdomain: '',
    proxyPorts: usualProxyPorts,
    proxyListensOn: 'both',
  } satisfies PodSpec,
});

const server = (
  name: string,
  protocol: ServerSpec['proxyProtocol'],
  more: { createdAt?: number; namespace?: string; port?: ServerSpec['port']; app?: string } = {},
): KubeObject<'Server'> => ({
  kind: 'Server',
  meta: meta(name, more),
  spec: {
    podSelector: { matchLabels: { app: more.app ?? 'backend' }, matchExpressions: [] },
    port: more.port ?? { kind: 'range', first: 8080, last: 8080 },
    proxyProtocol: protocol,
    accessPolicy: 'deny',
  },
});

const rejectedServer = (
  name: string,
  createdAt: number,
  protocol?: ServerSpec['proxyProtocol'],
): KubeObject<'Server'> => ({
  kind: 'Server',
  meta: meta(name, { createdAt }),
  spec: {
    rejected: [
      {
        field: 'spec.proxyProtocol',
        found: '`opaqe`',
        fix: 'one of unknown, HTTP/1, HTTP/2, gRPC, opaque, TLS',
      },
    ],
    closes: { selector: backend, ports: 'all' },
    closesExternal: { selector: { matchLabels: {}, matchExpressions: [] }, ports: 'all' },
    governs: 'perhaps',
    proxyProtocol: protocol,
  },
});

interface Case {
  readonly says: string;
  readonly annotation?: string;
  readonly servers?: readonly KubeObject<'Server'>[];
  readonly port: number;
  readonly opaque: boolean;
}

const cases: readonly Case[] = [
  { says: 'nothing speaks for the port and the default list lacks it', port: 8080, opaque: false },
  { says: 'the default list holds the port', port: 3306, opaque: true },
  { says: 'the annotation names the port', annotation: '8080', port: 8080, opaque: true },
  { says: 'a range of the annotation holds the port', annotation: '25, 8000-8100', port: 8080, opaque: true },
  { says: 'the annotation names a container port', annotation: 'http', port: 8080, opaque: true },
  { says: 'the name stands for another port', annotation: 'http', port: 8081, opaque: false },
  { says: 'an annotation replaces the default list', annotation: '8080', port: 3306, opaque: false },
  { says: 'an empty annotation lists no port', annotation: '', port: 3306, opaque: false },
  { says: 'an unreadable item costs that item only', annotation: '0,9-1,8080', port: 8080, opaque: true },
  {
    says: 'an opaque Server wins over an annotation',
    annotation: '',
    servers: [server('s', 'opaque')],
    port: 8080,
    opaque: true,
  },
  {
    says: 'an HTTP Server wins over the annotation',
    annotation: '8080',
    servers: [server('s', 'HTTP/1')],
    port: 8080,
    opaque: false,
  },
  {
    says: 'a TLS Server is not opaque to clients',
    annotation: '8080',
    servers: [server('s', 'TLS')],
    port: 8080,
    opaque: false,
  },
  {
    says: 'an unknown Server leaves it to the annotation',
    annotation: '8080',
    servers: [server('s', 'unknown')],
    port: 8080,
    opaque: true,
  },
  {
    says: 'an unknown Server leaves it to the default list',
    servers: [server('s', 'unknown', { port: { kind: 'name', name: 'db' } })],
    port: 3306,
    opaque: true,
  },
  {
    says: 'the oldest Server decides, whatever the order',
    servers: [server('a', 'opaque', { createdAt: 2 }), server('b', 'HTTP/1', { createdAt: 1 })],
    port: 8080,
    opaque: false,
  },
  {
    says: 'the name decides between Servers of one age',
    servers: [server('b', 'HTTP/1'), server('a', 'opaque')],
    port: 8080,
    opaque: true,
  },
  {
    says: 'an older unknown Server hides a younger opaque one',
    servers: [server('a', 'unknown', { createdAt: 1 }), server('b', 'opaque', { createdAt: 2 })],
    port: 8080,
    opaque: false,
  },
  {
    says: 'a rejected Server keeps its place and leaves it to the annotation',
    annotation: '',
    servers: [rejectedServer('a', 1), server('b', 'opaque', { createdAt: 2 })],
    port: 8080,
    opaque: false,
  },
  {
    says: 'a rejected Server whose protocol could be read still says it',
    annotation: '',
    servers: [rejectedServer('a', 1, 'opaque'), server('b', 'HTTP/1', { createdAt: 2 })],
    port: 8080,
    opaque: true,
  },
  {
    says: 'a Server selects by port name',
    servers: [server('s', 'opaque', { port: { kind: 'name', name: 'http' } })],
    port: 8080,
    opaque: true,
  },
  {
    says: 'a Server on another port says nothing',
    servers: [server('s', 'opaque')],
    port: 9000,
    opaque: false,
  },
  {
    says: 'a Server for other pods says nothing',
    servers: [server('s', 'opaque', { app: 'frontend' })],
    port: 8080,
    opaque: false,
  },
  {
    says: 'a Server of another namespace says nothing',
    servers: [server('s', 'opaque', { namespace: 'evil' })],
    port: 8080,
    opaque: false,
  },
];

test('a port is opaque to clients by its oldest Server, else its annotation, else the default list', () => {
  assert.equal(cases.length, 23);
  for (const { says, annotation, servers, port, opaque } of cases) {
    assert.equal(isOpaquePort(pod(annotation), port, { servers: servers ?? [], defaults }), opaque, says);
  }
});

const service = (opaque?: string): KubeObject<'Service'> => ({
  kind: 'Service',
  meta: meta('backend', opaque === undefined ? {} : { opaque }),
  spec: {
    type: 'ClusterIP',
    clusterIps: ['10.2.0.1'],
    selector: { app: 'backend' },
    ports: [{ name: 'web', port: 80, targetPort: 'http', appProtocol: undefined }],
    internalTrafficLocal: false,
    trafficDistribution: undefined,
    publishNotReady: false,
  } satisfies ServiceSpec,
});

test("a Service's port is opaque by the Service's annotation, in which names are its own ports, else by the default list", () => {
  assert.equal(isOpaqueServicePort(service(), 3306, defaults), true);
  assert.equal(isOpaqueServicePort(service(), 80, defaults), false);
  assert.equal(isOpaqueServicePort(service('web'), 80, defaults), true);
  assert.equal(isOpaqueServicePort(service('http'), 80, defaults), false);
  assert.equal(isOpaqueServicePort(service(''), 3306, defaults), false);
});
