import type { ServiceName } from '@gatehouse/platform/service/service';

/** The same objects in both; those of `hidden` carry its name wherever they are seen. */
export const namespaces = ['demo', 'hidden'] as const;
export type Namespace = (typeof namespaces)[number];

/** What each route does for the team when it is asked about what belongs to others. A new route is a new row. */
export const expected: Readonly<Record<string, 'of the mesh' | 'refused' | 'left out'>> = {
  'identity /v1/certificates': 'left out',
  'identity /v1/health': 'of the mesh',
  'identity /v1/issuance-log': 'of the mesh',
  'identity /v1/issuer': 'of the mesh',
  'identity /v1/openapi.json': 'of the mesh',
  'identity /v1/streams': 'left out',
  'identity /v1/trust-bundle': 'of the mesh',
  'destination /v1/health': 'of the mesh',
  'destination /v1/openapi.json': 'of the mesh',
  'destination /v1/resolve': 'refused',
  'destination /v1/services': 'left out',
  'destination /v1/services/{namespace}/{name}/endpoints': 'refused',
  'destination /v1/streams': 'left out',
  'policy /v1/authorizations': 'left out',
  'policy /v1/health': 'of the mesh',
  'policy /v1/openapi.json': 'of the mesh',
  'policy /v1/outbound': 'refused',
  'policy /v1/policies': 'left out',
  'policy /v1/policies/{namespace}/{kind}/{name}': 'refused',
  'policy /v1/policies/{namespace}/{kind}/{name}/rollout': 'refused',
  'policy /v1/streams': 'left out',
  'policy /v1/workloads': 'left out',
  'policy /v1/workloads/{namespace}/{workload}': 'refused',
  'policy /v1/workloads/{namespace}/{workload}/ports/{port}': 'refused',
};

export interface Route {
  readonly service: ServiceName;
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
}

/** What every required parameter says to ask about a namespace's own things. */
export const valuesFor = (namespace: Namespace): Readonly<Record<string, string>> => {
  const authority = `${namespace}-svc.${namespace}.svc.cluster.local:80`;
  return {
    namespace,
    name: `${namespace}-svc`,
    kind: 'NetworkAuthenticationPolicy',
    workload: `${namespace}-pod`,
    port: '8080',
    authority,
    to: authority,
  };
};

export const urlOf = ({ path, parameters }: Route, namespace: Namespace): string => {
  const values = valuesFor(namespace);
  const query = parameters
    .filter((each) => each.in === 'query' && each.required)
    .map(({ name }) => `${name}=${encodeURIComponent(values[name] ?? '')}`);
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
  return query.length === 0 ? filled : `${filled}?${query.join('&')}`;
};
