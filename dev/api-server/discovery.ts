import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { apiVersionOf, type ResourceType } from './resource-types.ts';
import { reviewKinds } from './reviews.ts';
import { scaleGroup, scaleKind, scaleVersion } from './scale.ts';
import { servedTypes } from './server-state.ts';
import type { Store } from './store.ts';

/** Never to be relied on: distributions write here what they like. */
const version = {
  major: '1',
  minor: '36',
  gitVersion: 'v0.0.0-gatehouse-fake',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: '',
};

/** What is served, for kubectl and for clients that look before they ask; undefined for other paths. */
export const answerDiscovery = (store: Store, path: string): WireObject | undefined => {
  const parts = path.split('/').filter((part) => part !== '');
  const [root, first, second, ...more] = parts;
  if (more.length > 0) return undefined;
  if (root === 'version' && first === undefined) return version;
  if (root === 'api') {
    if (first === undefined) return { kind: 'APIVersions', versions: ['v1'] };
    return first === 'v1' && second === undefined ? resourceList(store, '', 'v1') : undefined;
  }
  if (root !== 'apis') return undefined;
  const groups = groupsOf(store);
  if (first === undefined) {
    const shown = [...groups]
      .filter(([name]) => name !== '')
      .map(([name, versions]) => group(name, versions));
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: shown };
  }
  const versions = groups.get(first);
  if (versions === undefined) return undefined;
  if (second === undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...group(first, versions) };
  return versions.includes(second) ? resourceList(store, first, second) : undefined;
};

const groupsOf = (store: Store): ReadonlyMap<string, readonly string[]> => {
  const groups = new Map<string, readonly string[]>(reviewKinds.map((row) => [row.group, ['v1']]));
  for (const type of servedTypes(store))
    groups.set(type.group, [...new Set([...(groups.get(type.group) ?? []), ...type.versions])]);
  return groups;
};

const group = (name: string, versions: readonly string[]): WireObject => {
  const shown = versions.map((each) => ({ groupVersion: apiVersionOf(name, each), version: each }));
  return { name, versions: shown, preferredVersion: shown[0] };
};

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

const resourceList = (store: Store, group: string, version: string): WireObject => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: apiVersionOf(group, version),
  resources: [
    ...servedTypes(store)
      .filter((type) => type.group === group && type.versions.includes(version))
      .flatMap(resourcesOf),
    ...reviewKinds
      .filter((row) => row.group === group)
      .map(({ plural, kind }) => ({
        name: plural,
        singularName: kind.toLowerCase(),
        namespaced: false,
        kind,
        verbs: ['create'],
      })),
  ],
});

const resourcesOf = (type: ResourceType): readonly WireObject[] => {
  const { plural, singular, namespaced, kind, shortNames, categories, hasStatus, hasScale } = type;
  const own = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
  const below = { singularName: '', namespaced, verbs: ['get', 'patch', 'update'] };
  return [
    own,
    ...(hasStatus ? [{ name: `${plural}/status`, ...below, kind }] : []),
    ...(hasScale
      ? [{ name: `${plural}/scale`, ...below, group: scaleGroup, version: scaleVersion, kind: scaleKind }]
      : []),
  ];
};
