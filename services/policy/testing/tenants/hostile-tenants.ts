import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { type ReadObject, readObject } from '@gatehouse/platform/kube/read-object';
import { aWireObject, type WireSaid } from '@gatehouse/testing/wire-objects';

/** What one namespace's author writes to have the others wait: within what the CRDs accept, over and over again. */
export interface HostileTenant {
  readonly name: string;
  /** Written once. */
  readonly base: readonly Manifest[];
  /** Replaced by one another, each time as one batch. */
  readonly forms: readonly (readonly Manifest[])[];
  /** Ports of its pod that proxies watch. */
  readonly ports: readonly number[];
}

/** An object as it comes from the API server. */
export interface Manifest {
  readonly kind: Kind;
  readonly wire: WireObject;
}

/** What a source makes of it in that namespace; the service pays for the reading, too. */
export const readManifest = ({ kind, wire }: Manifest, namespace: string): KubeObject => {
  const place = kind === 'Namespace' ? { name: namespace } : { namespace };
  const metadata = { ...(wire.metadata as WireObject), ...place };
  const read: ReadObject = readObject(kind, { ...wire, metadata });
  if (read.outcome !== 'read') throw new TypeError(`${kind} is ${read.outcome}`);
  return read.object;
};

export const hostilePod = 'hostile-0';

const manifest = (kind: Kind, said: WireSaid): Manifest => ({ kind, wire: aWireObject(kind, said) });
const times = <T>(count: number, make: (at: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, at) => make(at));

const namespace = manifest('Namespace', {});
const server = manifest('Server', { name: 'web', spec: { podSelector: {}, port: 8080 } });
const parentRefs = [{ group: 'policy.linkerd.io', kind: 'Server', name: 'web' }];

/** A meshed pod with so many probes on port 8080. */
const pod = (probes = 0): Manifest =>
  manifest('Pod', {
    name: hostilePod,
    uid: 'hostile',
    metadata: { labels: { app: 'hostile', 'linkerd.io/control-plane-ns': 'gatehouse' } },
    spec: {
      containers: [
        { name: 'linkerd-proxy' },
        ...times(Math.ceil(probes / 2), (at) => ({
          name: `c${at}`,
          ports: [{ containerPort: 8080 + at }],
          livenessProbe: { httpGet: { port: 8080, path: `/live/${at}` } },
          readinessProbe: { httpGet: { port: 8080, path: `/ready/${at}` } },
        })),
      ],
    },
    status: { phase: 'Running', podIP: '10.9.9.9', podIPs: [{ ip: '10.9.9.9' }] },
  });

const header = (name: string) => ({ name, value: '1' });

/** Twenty routes, each of twelve hosts and eighty matches of sixteen headers, beside ten probes. */
const routesBesideProbes: HostileTenant = {
  name: 'routes beside probes',
  base: [namespace, pod(10), server],
  forms: times(2, (form) =>
    times(20, (route) =>
      manifest('HTTPRoute', {
        name: `r${route}`,
        spec: {
          parentRefs,
          hostnames: times(12, (host) => `h${host}-${form}.example.com`),
          rules: times(10, (rule) => ({
            matches: times(8, (match) => ({
              path: { type: 'PathPrefix', value: '/' },
              headers: times(16, (at) => header(`x-${route % 4}-${rule % 2}-${match % 2}-${at}`)),
            })),
          })),
        },
      }),
    ),
  ),
  ports: [8080],
};

/** A route whose conditions overlap in every way, which no probe finds out before the last one. */
const overlaps: HostileTenant = {
  name: 'overlapping conditions',
  base: [namespace, pod(32), server],
  forms: times(2, (form) => [
    manifest('HTTPRoute', {
      name: 'overlaps',
      spec: {
        parentRefs,
        rules: times(16, (rule) => ({
          matches: times(63, (match) => ({
            headers: times(11, (at) => at)
              .filter((at) => ((rule * 63 + match + 1) >> at) & 1)
              .map((at) => header(`x-${form}-${at}`)),
          })),
        })),
      },
    }),
  ]),
  ports: [8080],
};

/** Twenty policies of 5 kB, whose rules are methods times paths that all differ. */
const largePolicies: HostileTenant = {
  name: 'policies of 5 kB',
  base: [namespace, pod()],
  forms: times(2, (form) =>
    times(20, (policy) =>
      manifest('NetworkAuthenticationPolicy', {
        name: `p${policy}`,
        spec: {
          target: { selector: {} },
          sources: [{ networks: [{ cidr: `10.${form}.${policy}.0/24` }] }],
          rules: [
            {
              methods: times(16, (method) => `M${policy % 4}${method}`),
              paths: times(60, (path) => ({
                type: 'Exact',
                value: `/${policy % 4}/a-path-that-is-a-little-longer/${path}`,
              })),
              headers: [header(`x-${policy % 8}`)],
            },
          ],
        },
      }),
    ),
  ),
  ports: [8080, 8081, 9000],
};

/** A route of 22 kB of regular expressions, beside ten probes. */
const regularExpressions: HostileTenant = {
  name: 'regular expressions',
  base: [namespace, pod(10), server],
  forms: times(2, (form) =>
    times(1, (route) =>
      manifest('HTTPRoute', {
        name: `x${route}`,
        spec: {
          parentRefs,
          rules: times(32, (rule) => ({
            matches: [
              {
                path: {
                  type: 'RegularExpression',
                  value: `/${form}/${rule}${'(a|b|[c-z]{1,3})+'.repeat(40)}`,
                },
              },
            ],
          })),
        },
      }),
    ),
  ),
  ports: [8080],
};

const portsPolicy = (ports: readonly { readonly port: number; readonly endPort?: number }[]): Manifest =>
  manifest('NetworkAuthenticationPolicy', {
    name: 'ports',
    spec: { target: { selector: {} }, ports, sources: [{ networks: [{ cidr: '10.0.0.0/8' }] }] },
  });

/** 4,000 ports, and a policy that parts them into other groups at each change: two, two others, hundreds, one for each. */
const watchedPorts: HostileTenant = {
  name: '4,000 watched ports',
  base: [namespace, pod()],
  forms: [
    [portsPolicy([{ port: 10_000, endPort: 11_999 }])],
    [portsPolicy([{ port: 11_000, endPort: 12_999 }])],
    [portsPolicy(times(64, (at) => ({ port: 10_000 + 60 * at, endPort: 10_030 + 60 * at })))],
    [portsPolicy(times(100, (at) => ({ port: 10_000 + 40 * at })))],
  ],
  ports: times(4_000, (at) => 10_000 + at),
};

export const hostileTenants: readonly HostileTenant[] = [
  routesBesideProbes,
  overlaps,
  largePolicies,
  regularExpressions,
  watchedPorts,
];
