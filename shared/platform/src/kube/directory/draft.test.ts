import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import fc from 'fast-check';
import { kinds } from '../kind-table.ts';
import { isWireObject, type WireObject } from '../parse/fields.ts';
import { draftAll } from './draft.ts';
import { composeWorld } from './folder-objects.ts';

/** Objects of which every field is read, to be broken at random. */
const whole: readonly WireObject[] = [
  ...kinds.map((kind) =>
    aWireObject(kind, {
      metadata: {
        labels: { app: 'web' },
        annotations: { 'linkerd.io/inject': 'enabled' },
        ownerReferences: [{ kind: 'A', name: 'a', controller: true }],
      },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.0.0.1'],
          hints: { forZones: [{ name: 'a' }] },
          targetRef: { kind: 'Pod', name: 'a' },
        },
      ],
      spec: {
        containers: [
          {
            name: 'a',
            ports: [{ name: 'http', containerPort: 80 }],
            livenessProbe: { httpGet: { port: 'http' } },
          },
        ],
        podSelector: {
          matchLabels: { app: 'web' },
          matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }],
        },
        selector: { app: 'web' },
        port: 80,
        ports: [{ port: 80, endPort: 90, targetPort: 'http' }],
        target: { selector: { matchLabels: { app: 'web' } } },
        sources: [
          { podSelector: {}, networks: [{ cidr: '10.0.0.0/8', except: ['10.0.0.0/9'] }], identities: ['*'] },
        ],
        rules: [
          {
            methods: ['GET'],
            paths: [{ type: 'Exact', value: '/a' }],
            matches: [{ path: { value: '/a' } }],
            filters: [{ type: 'RequestRedirect' }],
          },
        ],
        targetRef: { kind: 'Namespace', name: 'demo' },
        requiredAuthenticationRefs: [{ kind: 'ServiceAccount', name: 'a' }],
        parentRefs: [{ group: 'policy.linkerd.io', kind: 'Server', name: 'a' }],
        identityRefs: [{ kind: 'ServiceAccount', name: 'a' }],
        networks: [{ cidr: '10.0.0.0/8' }],
      },
      status: {
        phase: 'Running',
        podIPs: [{ ip: '10.0.0.1' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      },
    }),
  ),
  ...['Deployment', 'StatefulSet', 'DaemonSet'].map((kind) => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'w', namespace: 'demo' },
    spec: {
      replicas: 2,
      serviceName: 's',
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'a' }] } },
    },
  })),
];

const junk = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    0,
    -1,
    1.5,
    1e300,
    [],
    {},
    [null],
    [[]],
    { name: null },
    // No text can be made of these in JavaScript.
    { toString: '' },
    { toString: null, valueOf: 1 },
    '\u0000',
    '__proto__',
    'A_b',
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Follows the numbers down into the value and puts the junk there. */
const breakAt = (value: unknown, way: readonly number[], put: unknown): unknown => {
  const [step, ...rest] = way;
  if (step === undefined) return put;
  if (Array.isArray(value) && value.length > 0) {
    const index = step % value.length;
    return value.with(index, breakAt(value[index], rest, put));
  }
  if (isWireObject(value) && Object.keys(value).length > 0) {
    const names = Object.keys(value);
    const name = names[step % names.length] ?? '';
    return { ...value, [name]: breakAt(value[name], rest, put) };
  }
  return put;
};

test('whatever stands in a document, reading it ends in objects, remarks or problems, and a world comes of it', () => {
  const slip = fc.tuple(fc.constantFrom(...whole), fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), junk);
  fc.assert(
    fc.property(fc.array(slip, { minLength: 1, maxLength: 4 }), (slips) => {
      const documents = slips
        .map(([object, way, put]) => breakAt(object, way, put))
        .filter(isWireObject)
        .filter(({ apiVersion, kind }) => typeof apiVersion === 'string' && typeof kind === 'string');
      const read = draftAll(documents);
      if (!read.ok) {
        assert.equal(read.problems.length > 0, true);
        return;
      }
      const world = composeWorld([{ path: 'a.yaml', ...read.value, state: { kind: 'read' } }], 'gatehouse');
      for (const { drafts } of [read.value]) {
        for (const draft of drafts) {
          if (draft.type !== 'object') continue;
          const { kind, meta } = draft.object;
          assert.equal(world.objects.has(`${kind}/${meta.namespace}/${meta.name}`), true);
        }
      }
    }),
    { numRuns: 500 },
  );
});
