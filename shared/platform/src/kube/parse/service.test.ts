import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceSpec } from '@gatehouse/core/resources/kinds/kubernetes';
import { readWire } from '@gatehouse/testing/wire-objects';

const bare: ServiceSpec = {
  type: 'ClusterIP',
  clusterIps: [],
  selector: undefined,
  ports: [],
  internalTrafficLocal: false,
  trafficDistribution: undefined,
  publishNotReady: false,
};

test('a Service is read with everything that matters', () => {
  const { spec, warnings } = readWire('Service', {
    spec: {
      type: 'LoadBalancer',
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1', 'fd00::1'],
      selector: { app: 'web' },
      ports: [
        { name: 'http', port: 80, targetPort: 'web', appProtocol: 'http' },
        { name: 'other', port: 81, targetPort: 8081, protocol: 'TCP' },
        { name: 'same', port: 82 },
        { name: 'zero', port: 83, targetPort: 0 },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
      internalTrafficPolicy: 'Local',
      trafficDistribution: 'PreferClose',
      publishNotReadyAddresses: true,
    },
  });
  assert.deepEqual(warnings, []);
  assert.deepEqual(spec, {
    type: 'LoadBalancer',
    clusterIps: ['10.0.0.1', 'fd00::1'],
    selector: { app: 'web' },
    ports: [
      { name: 'http', port: 80, targetPort: 'web', appProtocol: 'http' },
      { name: 'other', port: 81, targetPort: 8081, appProtocol: undefined },
      { name: 'same', port: 82, targetPort: 82, appProtocol: undefined },
      { name: 'zero', port: 83, targetPort: 83, appProtocol: undefined },
    ],
    internalTrafficLocal: true,
    trafficDistribution: 'PreferClose',
    publishNotReady: true,
  });
});

const cases: readonly (readonly [what: string, spec: unknown, expected: Partial<ServiceSpec>])[] = [
  ['nothing said', {}, {}],
  ['the older address field', { clusterIP: '10.0.0.1' }, { clusterIps: ['10.0.0.1'] }],
  ['headless', { clusterIP: 'None', clusterIPs: ['None'], selector: { a: 'b' } }, { selector: { a: 'b' } }],
  [
    'external',
    { type: 'ExternalName', externalName: 'x', clusterIP: '', selector: { a: 'b' } },
    { type: 'ExternalName' },
  ],
  ['an empty selector, which selects nothing', { selector: {} }, {}],
];

test('addresses and selectors of special Services', () => {
  for (const [what, spec, expected] of cases) {
    const read = readWire('Service', { spec });
    assert.deepEqual([read.spec, read.warnings], [{ ...bare, ...expected }, []], what);
  }
  assert.equal(cases.length, 5);
});

const unreadable: readonly (readonly [spec: unknown, expected: Partial<ServiceSpec>, warning: string])[] = [
  [
    { selector: { app: 'web', tier: 1 } },
    {},
    'spec.selector.tier: the number 1 is not a valid label value: put it in quotes; until then no pod is selected',
  ],
  [{ selector: 'web' }, {}, 'spec.selector: `web` is not an object: write an object'],
  [{ type: 'Cluster' }, {}, 'spec.type: `Cluster` is not known here: did you mean `ClusterIP`?'],
  [
    { clusterIP: 'x' },
    {},
    'spec.clusterIP: `x` is not a valid IP address: an IPv4 or IPv6 address without prefix',
  ],
  [
    { ports: [{}, { port: '80' }] },
    {},
    'spec.ports[1].port: `80` is not a number from 1 to 65535: a whole number, without quotes',
  ],
  [
    { ports: [{ port: 80, targetPort: 70000 }] },
    {},
    'spec.ports[0].targetPort: the number 70000 is not a number from 1 to 65535: a whole number, without quotes',
  ],
];

test('a field that cannot be read costs that field; an unreadable selector selects nothing', () => {
  for (const [spec, expected, warning] of unreadable) {
    const read = readWire('Service', { spec });
    assert.deepEqual([read.spec, read.warnings], [{ ...bare, ...expected }, [warning]], JSON.stringify(spec));
  }
  assert.equal(unreadable.length, 6);
});
