import type { WireObject } from '@gatehouse/testing/real-cluster';
import fc from 'fast-check';
import { here, labels, maybe, said, usually } from './random-parts.ts';

/** The pods and ports that are asked for; 7777 is never declared. */
export const targets = ['backend', 'worker'] as const;
export const ports = [8080, 8081, 9000, 4191, 4143, 3306, 7777] as const;

const annotation = (name: string): string => `config.linkerd.io/${name}`;

const defaults = fc.constantFrom(
  'all-unauthenticated',
  'all-authenticated',
  'cluster-unauthenticated',
  'cluster-authenticated',
  'deny',
  'audit',
);
const portList = usually(
  fc.constantFrom('8080', '8000-8100', ' 9000 , 25', '3306', ''),
  fc.constantFrom('0', '9000-8000', 'http', 'x', '70000'),
);

/** Those that the injector takes from the Namespace where the pod has none, as it copies them when a pod is made. */
export const settings: fc.Arbitrary<WireObject> = said({
  [annotation('default-inbound-policy')]: maybe(usually(defaults, fc.constantFrom('dney', '', ' deny '))),
  [annotation('opaque-ports')]: maybe(portList),
  [annotation('proxy-require-identity-inbound-ports')]: maybe(portList),
});

const portNames = ['http', 'admin', 'db'] as const;

const containerPorts: fc.Arbitrary<readonly WireObject[]> = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom(...portNames, undefined),
      containerPort: fc.constantFrom(8080, 8081, 9000, 4191, 3306),
      protocol: fc.constantFrom(undefined, undefined, 'TCP', 'UDP'),
    }),
    // An API server takes no two of a number, or of a name, in one container.
    { selector: ({ containerPort }) => containerPort, maxLength: 3 },
  )
  .map((chosen) =>
    chosen.map(({ name, containerPort, protocol }, at) => ({
      ...(name === undefined || chosen.slice(0, at).some((other) => other.name === name) ? {} : { name }),
      containerPort,
      ...(protocol === undefined ? {} : { protocol }),
    })),
  );

const probe: fc.Arbitrary<WireObject> = fc.oneof(
  {
    arbitrary: said({
      path: fc.constantFrom('/healthz', '/live', '/ready', '/api/v1', '/healthz?full=1', undefined),
      port: fc.constantFrom(8080, 8081, 9000, 4191, 'http', 'admin', 'HTTP', 'nosuch'),
      scheme: fc.constantFrom(undefined, undefined, 'HTTP', 'HTTPS'),
    }).map((httpGet) => ({ httpGet })),
    weight: 6,
  },
  { arbitrary: fc.constant({ tcpSocket: { port: 8080 } }), weight: 1 },
  { arbitrary: fc.constant({ grpc: { port: 8080 } }), weight: 1 },
  { arbitrary: fc.constant({ exec: { command: ['true'] } }), weight: 1 },
);

const container = (name: string): fc.Arbitrary<WireObject> =>
  said({
    name: fc.constant(name),
    image: fc.constant('image'),
    ports: containerPorts,
    livenessProbe: maybe(probe),
    readinessProbe: maybe(probe),
    startupProbe: usually(fc.constant(undefined), probe),
  });

const initContainer = fc.oneof(
  container('sidecar').map((sidecar): WireObject => ({ ...sidecar, restartPolicy: 'Always' })),
  said({ name: fc.constant('before'), image: fc.constant('image'), ports: containerPorts }),
);

const pod = (name: string): fc.Arbitrary<WireObject> =>
  fc
    .record({
      labels,
      settings,
      meshed: usually(fc.constant(true), fc.constant(false)),
      hostNetwork: usually(fc.constant(false), fc.constant(true)),
      containers: fc.tuple(container('main'), container('helper')),
      initContainers: fc.array(initContainer, { maxLength: 1 }),
    })
    .map(
      (given): WireObject => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          namespace: here,
          name,
          labels: {
            ...given.labels,
            ...(given.meshed ? { 'linkerd.io/control-plane-ns': 'gatehouse' } : {}),
          },
          annotations: given.settings,
        },
        spec: {
          hostNetwork: given.hostNetwork,
          containers: given.containers,
          initContainers: given.initContainers,
        },
      }),
    );

/** One pod that is nearly always there, and a second. */
export const pods: fc.Arbitrary<readonly WireObject[]> = fc
  .tuple(usually(fc.constant(true), fc.constant(false)), pod(targets[0]), fc.boolean(), pod(targets[1]))
  .map(([first, backend, second, worker]) => [...(first ? [backend] : []), ...(second ? [worker] : [])]);
