import { type IssuedItem, isSuspicious } from './issued-item.ts';

/** What was issued to one pod, judged: what it holds now, how it came to that, and whether something is wrong. */
export interface PodReport {
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly identity: string;
  readonly state: 'valid' | 'expired' | 'not valid yet';
  /** The latest. */
  readonly certificate: IssuedItem;
  /** When the proxy should renew it, RFC 3339. */
  readonly renewalDue: string;
  readonly overdue: boolean;
  /** Certificates before the latest, as far as they are remembered. */
  readonly renewals: number;
  /** Different keys among them: one for each start of the proxy. */
  readonly keys: number;
  /** When the first of them was issued, RFC 3339. */
  readonly since: string;
  /** Those for a key that the pod had left behind. */
  readonly suspicious: readonly IssuedItem[];
}

/** linkerd2-proxy renews at 70 % of what was left when it got the certificate (contract/proxy.md §4.3). */
const renewsAt = 0.7;

/** A renewal is tried again every ten seconds; that it did not come for so long is worth saying. */
const patienceMs = 5 * 60_000;

/** `items` are newest first. Only the newest life of the pod's name counts. Undefined when nothing was issued to it. */
export const reportOf = (items: readonly IssuedItem[], now: number): PodReport | undefined => {
  const newest = items.find(({ pod }) => pod !== null);
  if (newest === undefined || newest.pod === null) return undefined;
  const { uid } = newest.pod;
  const own = items.filter(({ pod }) => pod?.uid === uid);
  const issued = Date.parse(newest.issuedAt);
  const ends = Date.parse(newest.notAfter);
  const due = issued + (ends - issued) * renewsAt;
  return {
    pod: newest.pod,
    identity: newest.identity,
    state: now > ends ? 'expired' : now < Date.parse(newest.notBefore) ? 'not valid yet' : 'valid',
    certificate: newest,
    renewalDue: new Date(due).toISOString(),
    overdue: now > due + patienceMs,
    renewals: own.length - 1,
    keys: new Set(own.map(({ spkiSha256 }) => spkiSha256)).size,
    since: own.at(-1)?.issuedAt ?? newest.issuedAt,
    suspicious: own.filter(isSuspicious),
  };
};
