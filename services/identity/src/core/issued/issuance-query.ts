import { type Identity, isSameIdentity, namespaceOf } from '@gatehouse/core/mesh/workload-identity';
import type { IssuanceRecord } from './issuance-record.ts';

/** What a caller asks of the record of issuance; all given parts must hold. */
export interface IssuanceQuery {
  readonly identity?: Identity | undefined;
  /** Of the ServiceAccount in the name, which is also the pod's. */
  readonly namespace?: string | undefined;
  /** `namespace/name` or a uid; a bare name where `namespace` is given too. */
  readonly pod?: string | undefined;
  /** Hexadecimal, as any tool prints it: upper case and colons make no difference. */
  readonly serial?: string | undefined;
  /** Issued then or later; milliseconds since the epoch. */
  readonly since?: number | undefined;
  /** Issued before; milliseconds since the epoch. */
  readonly until?: number | undefined;
  /** Whether it is valid at `at`, in milliseconds since the epoch. */
  readonly validity?: { readonly at: number; readonly isValid: boolean } | undefined;
  /** Only those for an older key of a pod that had a newer one, or only the others. */
  readonly suspicious?: boolean | undefined;
}

export const fits = (record: IssuanceRecord, query: IssuanceQuery): boolean =>
  (query.identity === undefined || isSameIdentity(query.identity, record.identity)) &&
  (query.namespace === undefined || query.namespace === namespaceOf(record.identity)) &&
  (query.serial === undefined || bareHex(query.serial) === record.serial) &&
  (query.since === undefined || record.issuedAt >= query.since) &&
  (query.until === undefined || record.issuedAt < query.until) &&
  (query.pod === undefined || isOfPod(record, query.pod, query.namespace)) &&
  (query.suspicious === undefined || query.suspicious === (record.suspicious !== undefined)) &&
  (query.validity === undefined || isValidAt(record, query.validity.at) === query.validity.isValid);

const bareHex = (text: string): string => text.replaceAll(':', '').toLowerCase();

const isOfPod = ({ pod }: IssuanceRecord, wanted: string, namespace: string | undefined): boolean =>
  pod !== undefined &&
  (wanted === pod.uid ||
    wanted === `${pod.namespace}/${pod.name}` ||
    (namespace !== undefined && wanted === pod.name));

/** RFC 5280 §4.1.2.5: both ends of the validity are part of it. */
const isValidAt = ({ notBefore, notAfter }: IssuanceRecord, at: number): boolean =>
  notBefore * 1000 <= at && at <= notAfter * 1000;
