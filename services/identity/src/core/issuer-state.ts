import { compareBytes } from '@gatehouse/shared/core/der';
import { type Parsed, type Problem, parsed } from '@gatehouse/shared/core/problem';
import type { IssuerKey } from './signature-algorithm.ts';

/** What decides whether a CA certificate may stand in the path of our leaves; names and keys are compared as DER. */
export interface CaCertificate {
  readonly der: Uint8Array;
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  /** The subject for people, such as `CN=issuer`. */
  readonly name: string;
  /** Hexadecimal. */
  readonly serial: string;
  /** Seconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** basicConstraints: undefined when it is no CA. */
  readonly ca: { readonly pathLength: number | undefined } | undefined;
  /** keyUsage allows keyCertSign, or is absent. */
  readonly signsCertificates: boolean;
  readonly key: IssuerKey | { readonly unsupported: string };
  /** The algorithm it was signed with; undefined when the proxy would not verify that. */
  readonly signedWith: string | undefined;
  /** Its subjectKeyIdentifier, or one made from its key. */
  readonly keyId: Uint8Array;
  /** extendedKeyUsage; undefined when absent, which allows everything. */
  readonly purposes: readonly string[] | undefined;
  /** Critical extensions that the proxy does not know, which make it reject the path. */
  readonly unknownCritical: readonly string[];
}

/** A key and certificate that offer themselves as issuer, with what else was in the file. */
export interface IssuerCandidate {
  readonly certificate: CaCertificate;
  readonly others: readonly CaCertificate[];
  /** Whether the private key belongs to the certificate. */
  readonly keyMatches: boolean;
}

/** An issuer whose every leaf a proxy with these anchors will accept now. */
export interface JudgedIssuer {
  readonly certificate: CaCertificate;
  /** What goes out with each leaf: the issuer first, the anchor left out; empty if the issuer is itself an anchor. */
  readonly intermediates: readonly CaCertificate[];
  readonly anchor: CaCertificate;
  /** The first notAfter of issuer and intermediates, in seconds. */
  readonly chainEnds: number;
}

export interface JudgeOptions {
  readonly anchors: readonly CaCertificate[];
  /** Seconds since the epoch. */
  readonly now: number;
  /** Whether the signature of `child` verifies with the key of `parent`. */
  readonly isSignedBy: (child: CaCertificate, parent: CaCertificate) => boolean;
}

const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';
const anyPurpose = '2.5.29.37.0';

/** webpki gives up beyond six (contract/proxy.md §3.4). */
const maxIntermediates = 6;

const same = (left: Uint8Array, right: Uint8Array): boolean => compareBytes(left, right) === 0;

const day = 86_400;
const span = (seconds: number): string =>
  seconds >= 2 * day ? `${Math.floor(seconds / day)} days` : `${Math.ceil(seconds)} s`;

/** Whether the candidate may sign leaves from now on; the answer names everything that speaks against it. */
export const judgeIssuer = (candidate: IssuerCandidate, options: JudgeOptions): Parsed<JudgedIssuer> => {
  const { certificate, others, keyMatches } = candidate;
  const problems = flawsOf(certificate, { below: 0, now: options.now });
  if (typeof certificate.key !== 'string') {
    problems.push(flaw(`its key is ${certificate.key.unsupported}`, 'use ECDSA P-256, ECDSA P-384 or RSA'));
  }
  if (!keyMatches) {
    problems.push(flaw('the private key belongs to another certificate', 'replace both together'));
  }
  if (problems.length > 0) return { ok: false, problems };
  if (options.anchors.length === 0) {
    return { ok: false, problems: [flaw('there is no trust anchor', 'fill the bundle of trust anchors')] };
  }
  const walk = walkUp([certificate], others, options);
  return walk.ok ? parsed(judged(walk.value)) : walk;
};

const judged = (path: readonly CaCertificate[]): JudgedIssuer => {
  const [certificate] = path;
  const anchor = path.at(-1);
  if (certificate === undefined || anchor === undefined) throw new RangeError('a path has an issuer');
  const intermediates = path.slice(0, -1);
  const chainEnds = Math.min(certificate.notAfter, ...intermediates.map(({ notAfter }) => notAfter));
  return { certificate, intermediates, anchor, chainEnds };
};

/** The first path from the issuer to an anchor in which everything holds (RFC 5280 §6.1), anchors tried before the rest. */
const walkUp = (
  path: readonly CaCertificate[],
  others: readonly CaCertificate[],
  options: JudgeOptions,
): Parsed<readonly CaCertificate[]> => {
  const top = path.at(-1);
  if (top === undefined) throw new RangeError('a path has an issuer');
  if (options.anchors.some(({ der }) => same(der, top.der))) return parsed(path);
  const problems: Problem[] = [];
  if (path.length > maxIntermediates) {
    return {
      ok: false,
      problems: [flaw(`more than ${maxIntermediates} intermediates`, 'shorten the chain')],
    };
  }
  if (top.signedWith === undefined) {
    return {
      ok: false,
      problems: [flaw(`${top.name} is signed with an algorithm that proxies refuse`, 'sign it with SHA-256')],
    };
  }
  const parents = [...options.anchors, ...others].filter(
    (parent) => same(parent.subject, top.issuer) && !path.some(({ der }) => same(der, parent.der)),
  );
  // Self-issued certificates do not count towards a path length (RFC 5280 §4.2.1.9).
  const below = path.filter(({ subject, issuer }) => !same(subject, issuer)).length;
  for (const parent of parents) {
    if (!options.isSignedBy(top, parent)) {
      problems.push(
        flaw(`${top.name} is not signed by the key of ${parent.name}`, 'add the CA that signed it'),
      );
      continue;
    }
    const flaws = flawsOf(parent, { below, now: options.now });
    const rest = flaws.length === 0 ? walkUp([...path, parent], others, options) : undefined;
    if (rest?.ok === true) return rest;
    problems.push(...(rest?.problems ?? flaws));
  }
  return {
    ok: false,
    problems:
      problems.length > 0
        ? problems
        : [flaw(`${top.name} does not chain to a trust anchor`, 'add its CA to the bundle or to the chain')],
  };
};

/** What forbids a certificate to be a CA above `below` others now. */
const flawsOf = (
  { name, notBefore, notAfter, ca, signsCertificates, purposes, unknownCritical }: CaCertificate,
  { below, now }: { readonly below: number; readonly now: number },
): Problem[] => {
  const flaws: Problem[] = [];
  if (now < notBefore) {
    flaws.push(flaw(`${name} is valid only in ${span(notBefore - now)}`, 'wait, or compare the clocks'));
  }
  if (now >= notAfter) flaws.push(flaw(`${name} expired ${span(now - notAfter)} ago`, 'renew it'));
  if (ca === undefined) {
    flaws.push(flaw(`${name} is no CA`, 'make it with basicConstraints CA:TRUE (RFC 5280 §4.2.1.9)'));
  } else if (ca.pathLength !== undefined && ca.pathLength < below) {
    flaws.push(flaw(`${name} allows ${ca.pathLength} CAs below it, there are ${below}`, 'shorten the chain'));
  }
  if (!signsCertificates) {
    flaws.push(flaw(`${name} may not sign certificates`, 'give it keyUsage keyCertSign (RFC 5280 §4.2.1.3)'));
  }
  // webpki wants the purposes of the leaf in every certificate that names any (contract/proxy.md §3.4).
  const missing = [serverAuth, clientAuth].filter((purpose) => purposes?.includes(purpose) === false);
  if (missing.length > 0 && purposes?.includes(anyPurpose) !== true) {
    flaws.push(flaw(`${name} has an extendedKeyUsage without serverAuth and clientAuth`, 'leave it out'));
  }
  for (const oid of unknownCritical) {
    flaws.push(flaw(`${name} has the critical extension ${oid}, which proxies do not know`, 'leave it out'));
  }
  return flaws;
};

const flaw = (found: string, fix: string): Problem => ({ field: 'issuer', found, fix });

/** The issuer in use and the last one that was refused. */
export interface IssuerState<Issuer> {
  readonly current: Issuer | undefined;
  readonly rejected: Rejection | undefined;
}

export interface Rejection {
  /** Milliseconds since the epoch: when this reason was first seen. */
  readonly at: number;
  readonly problems: readonly Problem[];
}

/** A new issuer replaces the old one only if it was accepted; a refusal leaves the old one in place and is remembered. */
export const offerIssuer = <Issuer>(
  state: IssuerState<Issuer>,
  outcome: Parsed<Issuer>,
  nowMs: number,
): IssuerState<Issuer> =>
  outcome.ok
    ? { current: outcome.value, rejected: undefined }
    : { current: state.current, rejected: { at: nowMs, problems: outcome.problems } };
