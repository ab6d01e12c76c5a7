import { kindTable } from '@gatehouse/platform/kube/kind-table';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { fieldsOf, listOf, textOf } from './object-meta.ts';
import type { ResourceType } from './resource-types.ts';

/** A CustomResourceDefinition as the type that it defines. */
export const typeOfCrd = (crd: WireObject): ResourceType => {
  const known = typesOfCrds.get(crd);
  if (known !== undefined) return known;
  const spec = fieldsOf(crd.spec);
  const names = fieldsOf(spec.names);
  const versions = listOf(spec.versions).map(fieldsOf);
  const storage = versions.find(({ storage }) => storage === true);
  const type: ResourceType = {
    group: textOf(spec.group),
    versions: versions.filter(({ served }) => served === true).map(({ name }) => textOf(name)),
    storageVersion: textOf(storage?.name),
    kind: textOf(names.kind),
    plural: textOf(names.plural),
    singular: textOf(names.singular) || textOf(names.kind).toLowerCase(),
    shortNames: listOf(names.shortNames).map(textOf),
    categories: listOf(names.categories).map(textOf),
    namespaced: spec.scope === 'Namespaced',
    hasStatus: versions.some(({ subresources }) => 'status' in fieldsOf(subresources)),
    hasScale: false,
    counted: true,
    origin: 'custom',
  };
  typesOfCrds.set(crd, type);
  return type;
};

/** Objects of the store are never changed, so what was read of one stays true. */
const typesOfCrds = new WeakMap<WireObject, ResourceType>();

const versionOf = (crd: WireObject, version: string): WireObject =>
  listOf(fieldsOf(crd.spec).versions)
    .map(fieldsOf)
    .find(({ name }) => name === version) ?? {};

/** The OpenAPI schema of one version of a CRD; {} where it says none. */
export const schemaOfCrd = (crd: WireObject, version: string): WireObject =>
  fieldsOf(fieldsOf(versionOf(crd, version).schema).openAPIV3Schema);

/** What kubectl prints of one version beside the name. */
export const columnsOfCrd = (crd: WireObject, version: string): readonly WireObject[] =>
  listOf(versionOf(crd, version).additionalPrinterColumns).map(fieldsOf);

/**
 * CRDs for every custom kind of the kind table that keep whatever they are given: for tests of what happens behind the
 * API server. Tests of manifests load deploy/crds/generated instead.
 */
export const openCrds = (): readonly WireObject[] =>
  Object.values(kindTable)
    .filter((row) => row.class === 'policy')
    .map((row) => ({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${row.plural}.${row.group}` },
      spec: {
        group: row.group,
        scope: row.namespaced ? 'Namespaced' : 'Cluster',
        names: {
          kind: row.wireKind,
          listKind: `${row.wireKind}List`,
          plural: row.plural,
          singular: row.wireKind.toLowerCase(),
        },
        conversion: { strategy: 'None' },
        versions: row.versions.map((name, index) => ({
          name,
          served: true,
          storage: index === 0,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        })),
      },
    }));
