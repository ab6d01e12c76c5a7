import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import { rowOf } from '../kind-table.ts';
import { Fields, isWireObject, type WireObject } from '../parse/fields.ts';
import { isHeadless } from '../parse/service.ts';
import { defaultUid } from './default-uid.ts';
import { writtenText } from './written-text.ts';

const objectOf = (value: unknown): WireObject => (isWireObject(value) ? value : {});

/** A number is a natural way to write "another life". */
const uidOf = (written: unknown): string | undefined =>
  (typeof written === 'string' && written !== '') || typeof written === 'number'
    ? String(written)
    : undefined;

export const explicitUid = (document: WireObject): string | undefined =>
  uidOf(objectOf(document.metadata).uid);

const fillMeta = (kind: Kind, document: WireObject): WireObject => {
  const metadata = objectOf(document.metadata);
  const { namespaced } = rowOf(kind);
  // `kubectl` takes an empty one, which a chart writes for none, as it takes none.
  const written = metadata.namespace === '' ? undefined : metadata.namespace;
  const namespace = namespaced ? (written ?? 'default') : '';
  const uid = uidOf(metadata.uid) ?? defaultUid(kind, writtenText(namespace), writtenText(metadata.name));
  return { ...metadata, ...(namespaced ? { namespace } : {}), uid };
};

/** What an API server puts on every namespace, and namespace selectors rely on. */
const nameLabel = 'kubernetes.io/metadata.name';

/** A pod of a manifest runs and is ready, unless its status says otherwise. */
export const runningStatus = (status: unknown): unknown => {
  // Nobody knows what it said: perhaps that the pod is over.
  if (status !== undefined && status !== null && !isWireObject(status)) return status;
  const written = objectOf(status);
  const phase = written.phase ?? 'Running';
  const ready = { type: 'Ready', status: phase === 'Running' ? 'True' : 'False' };
  return { ...written, phase, conditions: written.conditions ?? [ready] };
};

/** Writes into a manifest's object what an API server, a scheduler and a kubelet would have (design §5.1). */
export const fillIn = (kind: Kind, document: WireObject): WireObject => {
  const metadata = fillMeta(kind, document);
  switch (kind) {
    case 'Pod':
      return { ...document, metadata, status: runningStatus(document.status) };
    case 'Namespace': {
      const written = metadata.labels ?? {};
      const labels = isWireObject(written) ? { ...written, [nameLabel]: metadata.name } : written;
      return { ...document, metadata: { ...metadata, labels } };
    }
    default:
      return { ...document, metadata };
  }
};

/** Whether an address is left to be assigned: a pod's, or that of a Service that is neither headless nor external. */
export const leavesAddressOut = ({ kind, spec }: KubeObject, document: WireObject): boolean => {
  if (kind === 'Pod') return (spec as KubeObject<'Pod'>['spec']).ips.length === 0;
  if (kind !== 'Service') return false;
  const { clusterIps, type } = spec as KubeObject<'Service'>['spec'];
  const written = new Fields(objectOf(document.spec), 'spec', []);
  return clusterIps.length === 0 && type !== 'ExternalName' && !isHeadless(written);
};
