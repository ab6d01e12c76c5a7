import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { schemaOfCrd } from './custom-types.ts';
import { apiVersionOf, crdType, type ResourceType, resourceKey } from './resource-types.ts';
import { servedTypes } from './server-state.ts';
import type { Store } from './store.ts';

/**
 * What kubectl reads of OpenAPI v3: which groups there are, that the server itself validates fields and can try a write
 * (`fieldValidation`, `dryRun`), and the schemas of custom kinds for `kubectl explain`. Undefined for other paths.
 */
export const answerOpenApi = (store: Store, path: string): WireObject | undefined => {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts[0] !== 'openapi' || parts[1] !== 'v3') return undefined;
  const [, , ...groupVersion] = parts;
  const types = servedTypes(store);
  if (groupVersion.length === 0) {
    const all = new Set(types.flatMap((type) => type.versions.map((version) => rootOf(type.group, version))));
    return {
      paths: Object.fromEntries([...all].map((root) => [root, { serverRelativeURL: `/openapi/v3/${root}` }])),
    };
  }
  const root = groupVersion.join('/');
  const found = types.flatMap((type) =>
    type.versions
      .filter((version) => rootOf(type.group, version) === root)
      .map((version) => ({ type, version })),
  );
  return found.length === 0 ? undefined : document(store, found);
};

const rootOf = (group: string, version: string): string =>
  group === '' ? `api/${version}` : `apis/${apiVersionOf(group, version)}`;

interface Served {
  readonly type: ResourceType;
  readonly version: string;
}

const document = (store: Store, served: readonly Served[]): WireObject => ({
  openapi: '3.0.0',
  info: { title: 'Kubernetes', version: 'v0.0.0-gatehouse-fake' },
  paths: Object.fromEntries(served.flatMap(pathsOf)),
  components: {
    schemas: Object.fromEntries(served.map((each) => [schemaName(each), schemaOf(store, each)])),
  },
});

const pathsOf = ({ type, version }: Served): readonly (readonly [string, WireObject])[] => {
  const home = `/${rootOf(type.group, version)}${type.namespaced ? '/namespaces/{namespace}' : ''}/${type.plural}`;
  const gvk = { group: type.group, version, kind: type.kind };
  const operation = (action: string, ...parameters: readonly WireObject[]): WireObject => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
    parameters,
    responses: {},
  });
  return [
    [home, { get: operation('list'), post: operation('post', dryRun, fieldValidation) }],
    [
      `${home}/{name}`,
      {
        get: operation('get'),
        put: operation('put', dryRun, fieldValidation),
        patch: operation('patch', dryRun, fieldValidation),
        delete: operation('delete', dryRun),
      },
    ],
  ];
};

const inQuery = (name: string): WireObject => ({ name, in: 'query', schema: { type: 'string' } });
const dryRun = inQuery('dryRun');
const fieldValidation = inQuery('fieldValidation');

/** As the real server names them: the group backwards, then version and kind. */
const schemaName = ({ type, version }: Served): string =>
  [...(type.group === '' ? ['core'] : type.group.split('.').reverse()), version, type.kind].join('.');

const schemaOf = (store: Store, { type, version }: Served): WireObject => {
  const crd =
    type.origin === 'custom' ? store.get(resourceKey(crdType), `${type.plural}.${type.group}`) : undefined;
  const schema = crd === undefined ? { type: 'object' } : schemaOfCrd(crd, version);
  return { ...schema, 'x-kubernetes-group-version-kind': [{ group: type.group, version, kind: type.kind }] };
};
