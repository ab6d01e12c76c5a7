import type { Schema } from './schema.ts';

export interface PrinterColumn {
  readonly name: string;
  readonly description?: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  /** Above 0: shown only by `kubectl get -o wide`. */
  readonly priority?: number;
}

export interface Version {
  readonly name: string;
  readonly spec: Schema;
  readonly columns: readonly PrinterColumn[];
  /** What `kubectl` prints to a user of it. */
  readonly deprecationWarning?: string;
}

/** One kind of ours or of Linkerd's, before it is written out as a CustomResourceDefinition. */
export interface Definition {
  readonly group: 'policy.linkerd.io' | 'linkerd.io' | 'workload.linkerd.io';
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly description: string;
  /** Oldest first; the last one is stored. Objects are not converted: the shapes agree, or the note on a kind says where not. */
  readonly versions: readonly Version[];
  readonly status?: Schema;
}

export const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

export const crdName = ({ plural, group }: Definition): string => `${plural}.${group}`;

export interface CrdManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: object;
}

/** The manifest that `kubectl apply` takes. */
export const toManifest = (definition: Definition): CrdManifest => {
  const { group, kind, plural, shortNames, categories, description, versions, status } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: crdName(definition), labels: { 'app.kubernetes.io/part-of': 'gatehouse' } },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(shortNames === undefined ? {} : { shortNames }),
        ...(categories === undefined ? {} : { categories }),
      },
      conversion: { strategy: 'None' },
      versions: versions.map(({ name, spec, columns, deprecationWarning }, index) => ({
        name,
        served: true,
        storage: index === versions.length - 1,
        ...(deprecationWarning === undefined ? {} : { deprecated: true, deprecationWarning }),
        ...(status === undefined ? {} : { subresources: { status: {} } }),
        additionalPrinterColumns: columns,
        schema: {
          openAPIV3Schema: {
            description,
            type: 'object',
            required: ['spec'],
            properties: {
              apiVersion: { type: 'string', description: 'Group and version of this shape of the object.' },
              kind: { type: 'string', description: `Always ${kind}.` },
              metadata: { type: 'object' },
              spec,
              ...(status === undefined ? {} : { status }),
            },
          },
        },
      })),
    },
  };
};
