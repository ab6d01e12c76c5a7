import type { WireObject } from '@gatehouse/testing/real-cluster';
import fc from 'fast-check';
import { here, labels, maybe, said, usually } from './random-parts.ts';
import { settings } from './random-pods.ts';

/** Those that are asked for; one has the name of a pod. */
export const externalTargets = ['vm', 'backend'] as const;

const declaredPorts: fc.Arbitrary<readonly WireObject[]> = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom('http', 'http', 'admin', 'db', undefined),
      port: fc.constantFrom(8080, 8081, 9000, 4191, 3306),
      protocol: fc.constantFrom(undefined, undefined, undefined, 'TCP', 'UDP'),
    }),
    { selector: ({ port }) => port, minLength: 1, maxLength: 3 },
  )
  .map((chosen) =>
    // No two of a name.
    chosen.map(({ name, port, protocol }, at) => ({
      ...(name === undefined || chosen.slice(0, at).some((other) => other.name === name) ? {} : { name }),
      port,
      ...(protocol === undefined ? {} : { protocol }),
    })),
  );

const externalWorkload = (name: string): fc.Arbitrary<WireObject> =>
  fc
    .record({
      labels,
      settings,
      spec: said({
        meshTLS: fc.record(
          {
            identity: fc.constantFrom('spiffe://elsewhere/vm', 'vm.elsewhere.example'),
            serverName: fc.constant('vm.elsewhere.example'),
          },
          { noNullPrototype: true },
        ),
        ports: usually(declaredPorts, fc.constant(undefined)),
        workloadIPs: maybe(fc.constantFrom([{ ip: '192.0.2.9' }], [{ ip: '192.0.2.9' }, { ip: 'fd00::9' }])),
      }),
    })
    .map((given) => ({
      apiVersion: 'workload.linkerd.io/v1beta1',
      kind: 'ExternalWorkload',
      metadata: { namespace: here, name, labels: given.labels, annotations: given.settings },
      spec: given.spec,
    }));

export const externalWorkloads: fc.Arbitrary<readonly WireObject[]> = fc
  .tuple(...externalTargets.map((name) => fc.option(externalWorkload(name), { nil: undefined, freq: 3 })))
  .map((all) => all.filter((one) => one !== undefined));
