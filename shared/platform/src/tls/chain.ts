import { X509Certificate } from 'node:crypto';

/** webpki gives up beyond this too (contract/proxy.md §3.4). */
const maxIntermediates = 6;

/** The search tries every order, so what is sent is bounded beyond any honest chain. */
const maxSent = 8;

/**
 * Why a proxy would not believe `chain` (leaf first), or undefined: some path of issuers must lead to an anchor, each a CA
 * that names and signs the one before, each valid at `now` (epoch milliseconds); of anchors only name and key count, as for webpki.
 */
export const chainFlaw = (
  chain: readonly Uint8Array[],
  anchors: readonly Uint8Array[],
  now: number,
): string | undefined => {
  const [leaf, ...intermediates] = chain.map((certificate) => new X509Certificate(certificate));
  if (leaf === undefined) return 'there is no certificate';
  const roots = anchors.map((certificate) => new X509Certificate(certificate));
  if (intermediates.length > maxSent) return `${intermediates.length} intermediates were sent`;
  if (leaf.ca) return 'the leaf is a CA';
  return isValidAt(leaf, now)
    ? pathFlaw(leaf, { intermediates, roots, now, left: maxIntermediates })
    : datesOf(leaf, 'leaf');
};

interface Search {
  readonly intermediates: readonly X509Certificate[];
  readonly roots: readonly X509Certificate[];
  readonly now: number;
  /** How many more intermediates the path may have. */
  readonly left: number;
}

const pathFlaw = (certificate: X509Certificate, search: Search): string | undefined => {
  if (search.roots.some((root) => issued(root, certificate))) return undefined;
  if (search.left === 0) return `the chain has more than ${maxIntermediates} intermediates`;
  let flaw = `no issuer or trust anchor for \`${certificate.issuer}\``;
  for (const issuer of search.intermediates) {
    if (!issued(issuer, certificate)) continue;
    const reason = !issuer.ca
      ? `\`${issuer.subject}\` is not a CA`
      : !isValidAt(issuer, search.now)
        ? datesOf(issuer, 'issuer')
        : pathFlaw(issuer, { ...search, left: search.left - 1 });
    if (reason === undefined) return undefined;
    flaw = reason;
  }
  return flaw;
};

const issued = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

const isValidAt = (certificate: X509Certificate, now: number): boolean =>
  certificate.validFromDate.getTime() <= now && now <= certificate.validToDate.getTime();

const datesOf = (certificate: X509Certificate, what: string): string =>
  `the ${what} is valid from ${certificate.validFrom} to ${certificate.validTo}`;
