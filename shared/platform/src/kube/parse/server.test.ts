import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everything } from '@gatehouse/core/label-selector';
import { defaultPolicies, type ServerSpec } from '@gatehouse/core/resources/kinds/linkerd';
import { labelled } from '@gatehouse/testing/builders';
import { goodSpec, rejection, type WireSaid } from '@gatehouse/testing/wire-objects';

const pods = { podSelector: { matchLabels: { app: 'backend' } } };
const good: ServerSpec = {
  podSelector: labelled({ app: 'backend' }),
  port: { kind: 'range', first: 8080, last: 8080 },
  proxyProtocol: 'unknown',
  accessPolicy: 'deny',
};

test('a Server without protocol and access policy detects the protocol and denies', () => {
  for (const version of ['v1beta3', 'v1beta2', 'v1beta1', 'v1alpha1']) {
    assert.deepEqual(goodSpec('Server', { version, spec: { ...pods, port: 8080 } }), good, version);
  }
});

test('every protocol is read', () => {
  for (const proxyProtocol of ['unknown', 'HTTP/1', 'HTTP/2', 'gRPC', 'opaque', 'TLS']) {
    const spec = goodSpec('Server', { spec: { ...pods, port: 'http', proxyProtocol } });
    assert.deepEqual(spec, { ...good, port: { kind: 'name', name: 'http' }, proxyProtocol });
  }
});

test('every access policy is read from v1beta3, and refused in the versions that have none', () => {
  for (const accessPolicy of defaultPolicies) {
    const spec = { ...pods, port: 8080, accessPolicy };
    assert.deepEqual(goodSpec('Server', { spec }), { ...good, accessPolicy });
    assert.deepEqual(rejection('Server', { version: 'v1beta1', spec }).problems, [
      'spec.accessPolicy: unknown to v1beta1: write apiVersion: policy.linkerd.io/v1beta3',
    ]);
  }
});

test('a Server for ExternalWorkloads selects no pods, and closes those workloads alone while it is rejected', () => {
  const externalWorkloadSelector = { matchLabels: { app: 'vm' } };
  assert.deepEqual(
    goodSpec('Server', { version: 'v1beta2', spec: { externalWorkloadSelector, port: 8080 } }),
    {
      ...good,
      podSelector: undefined,
      externalWorkloadSelector: { matchLabels: { app: 'vm' }, matchExpressions: [] },
    },
  );
  const vms = { matchLabels: { app: 'vm' }, matchExpressions: [] };
  const all = { matchLabels: {}, matchExpressions: [] };
  const port = { kind: 'range', first: 8080, last: 8080 };
  /** What is written, the ports of pods that it closes, and what of ExternalWorkloads. */
  const rows: readonly (readonly [spec: object, pods: unknown, external: object])[] = [
    [{ externalWorkloadSelector, port: 0 }, [], { selector: vms, ports: 'all' }],
    [{ externalWorkloadSelector, port: 8080, x: 1 }, [], { selector: vms, ports: [port] }],
    [{ externalWorkloadSelector: 7, port: 8080 }, [], { selector: all, ports: [port] }],
    [{ ...pods, port: 8080, x: 1 }, [port], { selector: all, ports: [] }],
    [{ ...pods, externalWorkloadSelector, port: 8080 }, [port], { selector: vms, ports: [port] }],
    [{ externalWorkloadSelectors: {}, port: 8080 }, [port], { selector: all, ports: [port] }],
  ];
  for (const [spec, closed, external] of rows) {
    const { closes, closesExternal } = rejection('Server', { spec });
    assert.deepEqual([closes.ports, closesExternal], [closed, external], JSON.stringify(spec));
  }
  assert.equal(rows.length, 6);
});

const mistakes: readonly (readonly [said: WireSaid, problems: readonly string[]])[] = [
  [{ spec: undefined }, ['spec: missing: write an object']],
  [{ spec: { ...pods } }, ['spec.port: missing: a number, or the name of a container port']],
  [
    { spec: { ...pods, port: 70000 } },
    ['spec.port: the number 70000 is not a number from 1 to 65535: a whole number, without quotes'],
  ],
  [
    { spec: { ...pods, port: '80' } },
    ['spec.port: `80` is not a valid port: write the number without quotes'],
  ],
  [{ spec: { port: 8080 } }, ['spec.podSelector: missing: say which pods; {} means all of the namespace']],
  [
    { spec: { ...pods, externalWorkloadSelector: {}, port: 8080 } },
    ['spec: both podSelector and externalWorkloadSelector: keep one of the two'],
  ],
  [
    { version: 'v1beta1', spec: { externalWorkloadSelector: {}, port: 8080 } },
    [
      'spec.podSelector: missing: say which pods; {} means all of the namespace',
      'spec.externalWorkloadSelector: unknown field: remove it; known here: podSelector, port, proxyProtocol, accessPolicy',
    ],
  ],
  [
    { spec: { podSelector: { matchLabels: { app: 1 } }, port: 8080 } },
    ['spec.podSelector.matchLabels.app: the number 1 is not text: put it in quotes'],
  ],
  [
    { spec: { ...pods, port: 8080, proxyProtocol: 'http/1' } },
    ['spec.proxyProtocol: `http/1` is not known here: did you mean `HTTP/1`?'],
  ],
  [
    { spec: { ...pods, port: 8080, accessPolicy: 'allow' } },
    [`spec.accessPolicy: \`allow\` is not known here: use ${defaultPolicies.join(', ')}`],
  ],
  [
    { spec: { ...pods, port: 8080, accesPolicy: 'deny' } },
    ['spec.accesPolicy: unknown field: did you mean `accessPolicy`?'],
  ],
  [
    { version: 'v2', spec: { ...pods, port: 8080 } },
    ['apiVersion: `v2` is not known: use v1beta3 or v1beta2 or v1beta1 or v1alpha1'],
  ],
];

test('every mistake is refused with its path, what is there, and the fix', () => {
  for (const [said, problems] of mistakes) {
    assert.deepEqual(rejection('Server', said).problems, problems, JSON.stringify(said));
  }
  assert.equal(mistakes.length, 12);
});

const closings: readonly (readonly [what: string, spec: unknown, closes: unknown])[] = [
  [
    'an unreadable protocol',
    { ...pods, port: 8080, proxyProtocol: 'x' },
    { selector: good.podSelector, ports: [good.port] },
  ],
  ['an unreadable port', { ...pods, port: [8080] }, { selector: good.podSelector, ports: 'all' }],
  ['no port', { ...pods }, { selector: good.podSelector, ports: 'all' }],
  ['an unreadable selector', { podSelector: [], port: 8080 }, { selector: everything, ports: [good.port] }],
  ['no selector', { port: 8080 }, { selector: everything, ports: [good.port] }],
  ['nothing readable', 1, { selector: everything, ports: 'all' }],
];

test('a rejected Server closes the pods and the port that it still names', () => {
  for (const [what, spec, closes] of closings)
    assert.deepEqual(rejection('Server', { spec }).closes, closes, what);
  assert.equal(closings.length, 6);
});

const places: readonly (readonly [what: string, said: WireSaid, governs: string, protocol: unknown])[] = [
  ['its accessPolicy', { spec: { ...pods, port: 80, accessPolicy: 'x' } }, 'surely', 'unknown'],
  ['a protocol', { spec: { ...pods, port: 80, proxyProtocol: 'http' } }, 'surely', undefined],
  [
    'a field, which may be its protocol',
    { spec: { ...pods, port: 80, protocol: 'TLS' } },
    'surely',
    undefined,
  ],
  [
    'a field beside its protocol',
    { spec: { ...pods, port: 80, x: 1, proxyProtocol: 'TLS' } },
    'surely',
    'TLS',
  ],
  ['its port', { spec: { ...pods, port: 'Web' } }, 'perhaps', 'unknown'],
  ['its pods', { spec: { podSelector: 1, port: 80, proxyProtocol: 'gRPC' } }, 'perhaps', 'gRPC'],
  [
    'which pods it means',
    { spec: { ...pods, externalWorkloadSelector: {}, port: 80 } },
    'perhaps',
    'unknown',
  ],
  [
    'its name, by which routes are attached',
    { name: 'A b', spec: { ...pods, port: 80 } },
    'surely',
    undefined,
  ],
];

test('a rejected Server says whether it surely governs what it closes, and its protocol where that is certain', () => {
  for (const [what, said, governs, protocol] of places) {
    const found = rejection('Server', said);
    assert.deepEqual([found.governs, found.proxyProtocol], [governs, protocol], what);
  }
  assert.equal(places.length, 8);
});
