import { compareBytes } from '@gatehouse/core/der/der';
import { type Parsed, type Problem, parsed } from '@gatehouse/core/problem';
import type { ChainValidity } from '../leaf/issuance-profile.ts';
import { type CaCertificate, isSelfIssued } from './ca-certificate.ts';
import { flaw, flawsOf } from './ca-flaws.ts';
import { coverNames, isBeyondProxies, type NameConstraints, permitName } from './name-constraints.ts';

/** At least the issuer itself, which may be an anchor. */
export type Path = readonly [CaCertificate, ...CaCertificate[]];

/** A key and certificate that offer themselves as issuer, with what else was in the file. */
export interface IssuerCandidate {
  readonly certificate: CaCertificate;
  readonly others: readonly CaCertificate[];
  /** Whether the private key belongs to the certificate. */
  readonly keyMatches: boolean;
}

/** An issuer whose every leaf a proxy with these anchors will accept now. */
export interface JudgedIssuer extends ChainValidity {
  readonly certificate: CaCertificate;
  /** From the issuer to its anchor. */
  readonly path: Path;
  /**
   * What goes out with each leaf: the issuer first, the anchor left out; empty if the issuer is itself an anchor. After
   * its own path come certificates by which proxies that have only another anchor of the bundle find their way.
   */
  readonly intermediates: readonly CaCertificate[];
  readonly anchor: CaCertificate;
  /** Those of its own path: names that they do not let pass must not be certified. */
  readonly constraints: readonly NameConstraints[];
}

/** The names that an issuer is wanted for. */
export interface WantedNames {
  /** What every workload's name ends in, after a dot. */
  readonly suffix: string;
  /** Those without which there is no mesh: the control plane's own. */
  readonly own: readonly string[];
}

export interface JudgeOptions {
  readonly anchors: readonly CaCertificate[];
  /** Seconds since the epoch. */
  readonly now: number;
  readonly names: WantedNames;
  /** Whether the signature of `child` verifies with the key of `parent`. */
  readonly isSignedBy: (child: CaCertificate, parent: CaCertificate) => boolean;
}

/** webpki gives up beyond six (contract/proxy.md §3.4). */
const maxIntermediates = 6;

/** Certificates of which no path makes use are not looked at forever: webpki stops after a hundred signatures. */
const maxOffered = 16;

/** With more than these in a handshake, verifiers of other makers begin to refuse (GnuTLS, 16 with the leaf). */
const maxSent = 8;

const same = (left: Uint8Array, right: Uint8Array): boolean => compareBytes(left, right) === 0;

const isSame = (left: CaCertificate, right: CaCertificate): boolean => same(left.der, right.der);

/** Two certificates of one CA: renewed, or cross-signed. webpki lets such stand only once in a path. */
const isSameCa = (left: CaCertificate, right: CaCertificate): boolean =>
  same(left.subject, right.subject) && same(left.spki, right.spki);

/** Whether the candidate may sign leaves from now on; otherwise everything that speaks against it. */
export const judgeIssuer = (candidate: IssuerCandidate, options: JudgeOptions): Parsed<JudgedIssuer> => {
  const { certificate, keyMatches } = candidate;
  const { anchors, now } = options;
  const problems = [...flawsOf(certificate, { below: 0, now })];
  if (typeof certificate.key !== 'string') {
    problems.push(flaw(`its key is ${certificate.key.unsupported}`, 'use ECDSA P-256, ECDSA P-384 or RSA'));
  }
  if (!keyMatches) {
    problems.push(flaw('the private key belongs to another certificate', 'replace both together'));
  }
  if (candidate.others.length > maxOffered) {
    const count = candidate.others.length + 1;
    problems.push(flaw(`${count} certificates lie beside its key`, 'leave only the issuer and its chain'));
  }
  if (problems.length > 0) return { ok: false, problems };
  if (anchors.length === 0) {
    return { ok: false, problems: [flaw('there is no trust anchor', 'fill the bundle of trust anchors')] };
  }
  const others = candidate.others.filter(
    (other) => ![certificate, ...anchors].some((known) => isSame(known, other)),
  );
  const found = walkUp([certificate], { ...options, others });
  const [path] = found.paths;
  if (path === undefined) return { ok: false, problems: withoutRepeats(found.problems) };
  const besides = others
    .filter((other) => isSameCa(other, certificate) && flawsOf(other, { below: 0, now }).length === 0)
    .flatMap((other) => walkUp([other], { ...options, others }).paths);
  return parsed(judged(path, [...found.paths, ...besides]));
};

const judged = (path: Path, all: readonly Path[]): JudgedIssuer => {
  const intermediates = path.slice(0, -1);
  const sent = [...intermediates];
  for (const other of all.flatMap((each) => each.slice(0, -1))) {
    if (sent.length < maxSent && !sent.some((known) => isSame(known, other))) sent.push(other);
  }
  const [certificate] = path;
  return {
    certificate,
    path,
    intermediates: sent,
    anchor: path.at(-1) ?? certificate,
    chainBegins: Math.max(certificate.notBefore, ...intermediates.map(({ notBefore }) => notBefore)),
    chainEnds: Math.min(certificate.notAfter, ...intermediates.map(({ notAfter }) => notAfter)),
    constraints: path.flatMap(({ constraints }) => constraints ?? []),
  };
};

interface Walk extends JudgeOptions {
  readonly others: readonly CaCertificate[];
}

interface Found {
  /** From the issuer to an anchor; the shortest first. */
  readonly paths: readonly Path[];
  /** Why no path was found, or not this way. */
  readonly problems: readonly Problem[];
}

/** Every path on from `path` to an anchor in which everything holds (RFC 5280 §6.1). */
const walkUp = (path: Path, walk: Walk): Found => {
  const top = path.at(-1) ?? path[0];
  if (walk.anchors.some((anchor) => isSame(anchor, top))) return atAnchor(path, walk);
  if (path.length > maxIntermediates) {
    return nowhere(flaw(`more than ${maxIntermediates} intermediates`, 'shorten the chain'));
  }
  if (top.signedWith === undefined) {
    return nowhere(
      flaw(
        `${top.name} is signed with an algorithm that proxies refuse`,
        'sign it with SHA-256 (not RSA-PSS)',
      ),
    );
  }
  const found = parentsOf(path, walk).map(([kind, parent]) => climb(path, { parent, kind }, walk));
  if (found.length === 0) {
    return nowhere(
      flaw(`${top.name} does not chain to a trust anchor`, 'add its CA to the bundle or to the chain'),
    );
  }
  return {
    paths: found.flatMap(({ paths }) => paths).toSorted((a, b) => a.length - b.length),
    problems: found.flatMap(({ problems }) => problems),
  };
};

type Kind = 'anchor' | 'intermediate';

const parentsOf = (path: Path, { anchors, others }: Walk): readonly (readonly [Kind, CaCertificate])[] => {
  const top = path.at(-1) ?? path[0];
  const named = (kind: Kind, all: readonly CaCertificate[]) =>
    all.filter(({ subject }) => same(subject, top.issuer)).map((parent) => [kind, parent] as const);
  return [
    ...named('anchor', anchors),
    ...named('intermediate', others).filter(([, parent]) => !path.some((below) => isSameCa(below, parent))),
  ];
};

const climb = (
  path: Path,
  { parent, kind }: { readonly parent: CaCertificate; readonly kind: Kind },
  walk: Walk,
): Found => {
  const top = path.at(-1) ?? path[0];
  if (!walk.isSignedBy(top, parent)) {
    return nowhere(
      flaw(`${top.name} is not signed by the key of ${parent.name}`, 'add the CA that signed it'),
    );
  }
  // Self-issued certificates do not count towards a path length (RFC 5280 §4.2.1.9), but webpki counts them below
  // intermediates; of anchors it does not look at the path length, which other verifiers do.
  const below = kind === 'anchor' ? path.filter((each) => !isSelfIssued(each)).length : path.length;
  const problems = flawsOf(parent, { below, now: walk.now });
  return problems.length > 0 ? { paths: [], problems } : walkUp([...path, parent], walk);
};

/** The last step: whether every CA of the path lets those below it have the names that they have. */
const atAnchor = (path: Path, { names }: Walk): Found => {
  const problems: Problem[] = [];
  for (const [at, ca] of path.entries()) {
    const { constraints } = ca;
    if (constraints === undefined) continue;
    const below = path.slice(0, at);
    const otherNames = below.flatMap((each) => each.otherNames);
    const wanted = [...below.flatMap(({ dnsNames }) => dnsNames), ...names.own];
    const forbidden = wanted.find((name) => !permitName([constraints], name));
    if (isBeyondProxies(constraints, otherNames)) {
      problems.push(
        flaw(
          `${ca.name} has name constraints of a kind that makes proxies refuse everything below it`,
          'constrain DNS names only',
        ),
      );
    } else if (coverNames([constraints], names.suffix) === 'none') {
      problems.push(
        flaw(
          `${ca.name} forbids the names of this mesh by its nameConstraints`,
          `permit the DNS name ${names.suffix}`,
        ),
      );
    } else if (forbidden !== undefined) {
      problems.push(flaw(`${ca.name} forbids ${forbidden} by its nameConstraints`, 'permit that name too'));
    }
  }
  return problems.length > 0 ? { paths: [], problems } : { paths: [path], problems: [] };
};

const nowhere = (problem: Problem): Found => ({ paths: [], problems: [problem] });

const withoutRepeats = (problems: readonly Problem[]): readonly Problem[] =>
  problems.filter(({ found }, at) => problems.findIndex((other) => other.found === found) === at);
