import { type Lifetime, type WarningShare, warningShare } from '@gatehouse/core/expiry';
import { printSpan, printTime } from '@gatehouse/core/time-span';
import type { CaCertificate } from './ca-certificate.ts';
import type { JudgedIssuer } from './judge-issuer.ts';

/** What a certificate is to the leaves that are issued now. */
export type CaRole = 'issuer' | 'intermediate' | 'cross' | 'root' | 'other-root';

export interface ExpiryWarning {
  readonly role: CaRole;
  readonly certificate: CaCertificate;
  readonly share: WarningShare;
  /** What ends, when, and what comes of it. */
  readonly found: string;
  readonly fix: string;
}

export interface Trust {
  readonly judged: JudgedIssuer;
  /** The whole bundle. */
  readonly anchors: readonly CaCertificate[];
}

/** Everything with an end of its own, each once; an issuer that is its own anchor is the issuer. */
export const rolesIn = ({ judged, anchors }: Trust): readonly (readonly [CaRole, CaCertificate])[] => {
  const [issuer, ...above] = judged.path;
  const anchor = above.pop() ?? issuer;
  const all: readonly (readonly [CaRole, CaCertificate])[] = [
    ['issuer', issuer],
    ...above.map((each) => ['intermediate', each] as const),
    ['root', anchor],
    ...judged.intermediates.map((each) => ['cross', each] as const),
    ...anchors.map((each) => ['other-root', each] as const),
  ];
  return all.filter(
    ([, { fingerprint }], at) => all.findIndex(([, other]) => other.fingerprint === fingerprint) === at,
  );
};

export const lifetimeOf = ({ notBefore, notAfter }: CaCertificate): Lifetime => ({
  notBefore: notBefore * 1000,
  notAfter: notAfter * 1000,
});

/** What is near its end, and which of several ends is the one that counts. */
export const expiryWarnings = (
  trust: Trust,
  { now, leafLifetimeMs }: { readonly now: number; readonly leafLifetimeMs: number },
): readonly ExpiryWarning[] =>
  rolesIn(trust).flatMap(([role, certificate]) => {
    const share = warningShare(lifetimeOf(certificate), now);
    if (share === undefined) return [];
    return [{ role, certificate, share, ...wordsFor(role, { certificate, trust, now, leafLifetimeMs }) }];
  });

interface Ending {
  readonly certificate: CaCertificate;
  readonly trust: Trust;
  readonly now: number;
  readonly leafLifetimeMs: number;
}

const wordsFor = (role: CaRole, ending: Ending): Pick<ExpiryWarning, 'found' | 'fix'> => {
  const { certificate, now } = ending;
  const end = certificate.notAfter * 1000;
  const when = `at ${printTime(end)}`;
  const isOver = now >= end;
  const ends = isOver ? `expired ${when}` : `ends in ${printSpan(end - now)}, ${when}`;
  switch (role) {
    case 'issuer':
    case 'intermediate':
      return {
        found: `${role} ${certificate.name} ${ends}: ${consequence(ending)}`,
        fix: 'put a new tls.crt and tls.key into the issuer folder or Secret',
      };
    case 'cross':
      return {
        found: `cross certificate ${certificate.name} ${ends}: proxies that have only another root need it`,
        fix: 'give every proxy the bundle with the new root before, or renew it',
      };
    case 'root':
      return {
        found: `root ${certificate.name} ${ends}: no issuer below it is accepted from then on, also by an identity that restarts, and the control plane's services cannot renew`,
        fix: 'rotate the root (docs/identity.md)',
      };
    case 'other-root':
      return {
        found: `root ${certificate.name} ${ends}: the issuer in use does not need it`,
        fix: 'take it out of the bundle once no certificate below it is left',
      };
  }
};

/** Of the ends on the path of the leaves, the first one counts: leaves never outlive it. */
const consequence = ({ certificate, trust, now, leafLifetimeMs }: Ending): string => {
  const { path, chainEnds } = trust.judged;
  if (certificate.notAfter > chainEnds) {
    const first = path.slice(0, -1).find(({ notAfter }) => notAfter === chainEnds);
    return `${first?.name ?? 'another CA of its chain'} ends before it`;
  }
  const end = chainEnds * 1000;
  if (now >= end) return 'no certificate can be issued';
  return end - now < leafLifetimeMs
    ? 'certificates are already cut to it'
    : `certificates are cut to it from ${printTime(end - leafLifetimeMs)} on`;
};
