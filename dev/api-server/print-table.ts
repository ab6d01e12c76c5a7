import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import { columnsOfCrd } from './custom-types.ts';
import { fieldsOf, listOf, metaOf, textOf } from './object-meta.ts';
import { crdType, type ResourceType, resourceKey } from './resource-types.ts';
import type { ServerState } from './server-state.ts';

/** Whether an `Accept` header asks for what kubectl prints: a Table of meta.k8s.io/v1, before anything else. */
export const wantsTable = (accept = ''): boolean => {
  const [first = ''] = accept.split(',');
  return /;as=Table/.test(first) && /;v=v1(?:;|$)/.test(first) && /;g=meta\.k8s\.io/.test(first);
};

interface Column {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  /** Above 0 in `-o wide` alone. */
  readonly priority: number;
  readonly cell: (object: WireObject, now: number) => unknown;
}

/** A list, or one object, as a Table: the columns of the CRD, or those that the real server has for the built-in kinds that matter here. */
export const printTable = (
  { store, now }: ServerState,
  type: ResourceType,
  { version, body }: { readonly version: string; readonly body: WireObject },
): WireObject => {
  const columns = columnsOf(store.get(resourceKey(crdType), `${type.plural}.${type.group}`), type, version);
  const isList = Array.isArray(body.items);
  const objects = isList ? listOf(body.items).map(fieldsOf) : [body];
  const at = now();
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: isList ? fieldsOf(body.metadata) : { resourceVersion: metaOf(body).resourceVersion },
    columnDefinitions: columns.map(({ name, type: kind, description, priority }) => ({
      name,
      type: kind,
      format: name === 'Name' ? 'name' : '',
      description,
      priority,
    })),
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object, at)),
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  };
};

const column = (name: string, cell: Column['cell'], more: Partial<Column> = {}): Column => ({
  name,
  type: 'string',
  description: '',
  priority: 0,
  cell,
  ...more,
});

const nameColumn = column('Name', (object) => metaOf(object).name);
const ageColumn = column('Age', (object, now) => age(metaOf(object).creationTimestamp, now));

const columnsOf = (crd: WireObject | undefined, type: ResourceType, version: string): readonly Column[] => {
  if (crd === undefined)
    return [nameColumn, ...(builtInColumns[`${type.group}/${type.kind}`] ?? []), ageColumn];
  const written = columnsOfCrd(crd, version);
  if (written.length === 0) return [nameColumn, ageColumn];
  return [
    nameColumn,
    ...written.map(({ name, type: kind, jsonPath, description, priority }) =>
      column(
        textOf(name),
        (object, now) => {
          const value = valueAt(object, textOf(jsonPath));
          return kind === 'date' ? age(value, now) : value;
        },
        { type: textOf(kind), description: textOf(description), priority: Number(priority ?? 0) },
      ),
    ),
  ];
};

const statusOf = (object: WireObject): WireObject => fieldsOf(object.status);
const specOf = (object: WireObject): WireObject => fieldsOf(object.spec);
const count = (value: unknown): number => Number(value ?? 0);
const texts = (values: readonly unknown[]): string => values.map((value) => `${value}`).join(',');

const podReady = (pod: WireObject): string => {
  const statuses = listOf(statusOf(pod).containerStatuses).map(fieldsOf);
  const containers = listOf(specOf(pod).containers).length;
  const isReady = listOf(statusOf(pod).conditions)
    .map(fieldsOf)
    .some(({ type, status }) => type === 'Ready' && status === 'True');
  const ready =
    statuses.length > 0 ? statuses.filter((each) => each.ready === true).length : isReady ? containers : 0;
  return `${ready}/${containers}`;
};

const replicas = [
  column('Ready', (object) => `${count(statusOf(object).readyReplicas)}/${specOf(object).replicas ?? 1}`),
];

/** Between name and age. */
const builtInColumns: Readonly<Record<string, readonly Column[]>> = {
  '/Namespace': [column('Status', (object) => statusOf(object).phase ?? 'Active')],
  '/Pod': [
    column('Ready', podReady),
    column('Status', (object) => (metaOf(object).deletionTimestamp ? 'Terminating' : statusOf(object).phase)),
    column('IP', (object) => statusOf(object).podIP ?? '<none>', { priority: 1 }),
    column('Node', (object) => specOf(object).nodeName ?? '<none>', { priority: 1 }),
  ],
  '/Service': [
    column('Type', (object) => specOf(object).type ?? 'ClusterIP'),
    column('Cluster-IP', (object) => specOf(object).clusterIP ?? '<none>'),
    column('Port(s)', (object) =>
      texts(
        listOf(specOf(object).ports)
          .map(fieldsOf)
          .map(({ port, protocol = 'TCP' }) => `${port}/${protocol}`),
      ),
    ),
  ],
  '/ConfigMap': [
    column(
      'Data',
      (object) => Object.keys({ ...fieldsOf(object.data), ...fieldsOf(object.binaryData) }).length,
      {
        type: 'integer',
      },
    ),
  ],
  '/Secret': [
    column('Type', (object) => object.type ?? 'Opaque'),
    column('Data', (object) => Object.keys(fieldsOf(object.data)).length, { type: 'integer' }),
  ],
  'apps/Deployment': replicas,
  'apps/StatefulSet': replicas,
};

/** The value of a JSON path of the form that CRDs may use: names, `[n]` and `[*]`, of which the first counts, and escaped dots. */
const valueAt = (object: WireObject, path: string): unknown => {
  let value: unknown = object;
  for (const [, name, index] of path.matchAll(/\.((?:\\.|[^.[\]\\])+)|\[(\d+|\*)\]/g)) {
    if (index !== undefined) value = listOf(value)[index === '*' ? 0 : Number(index)];
    else value = isWireObject(value) ? value[(name ?? '').replaceAll('\\', '')] : undefined;
    if (value === undefined) return undefined;
  }
  return isWireObject(value) || Array.isArray(value) ? JSON.stringify(value) : value;
};

/** As kubectl prints ages: `5s`, `3m20s`, `2h`, `4d3h`. */
const age = (time: unknown, now: number): string => {
  const made = Date.parse(textOf(time));
  if (Number.isNaN(made)) return '<unknown>';
  const seconds = Math.max(0, Math.floor((now - made) / 1000));
  if (seconds < 120) return `${seconds}s`;
  const [minutes, hours, days] = [60, 3_600, 86_400].map((unit) => Math.floor(seconds / unit)) as [
    number,
    number,
    number,
  ];
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  return days < 8 && hours % 24 !== 0 ? `${days}d${hours % 24}h` : `${days}d`;
};
