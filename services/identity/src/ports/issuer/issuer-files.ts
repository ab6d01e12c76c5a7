import { createPrivateKey } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Parsed, type Problem, parsed, problem } from '@gatehouse/core/problem';
import { readPemBundle } from '@gatehouse/platform/tls/pem-bundle';
import type { CaCertificate } from '../../core/issuer/ca-certificate.ts';
import type { IssuerCandidate } from '../../core/issuer/judge-issuer.ts';
import { readCaCertificate } from './read-ca-certificate.ts';
import { localKey, type ProvidedKey, providedKey, type SigningKey } from './signing-key.ts';

/** Where an issuer may lie. A folder holds `tls.crt` and `tls.key` (cert-manager, kubernetes.io/tls), or Linkerd's `crt.pem` and `key.pem`. The key of a single certificate may be where no file is. */
export type IssuerLocation =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'files'; readonly certificate: string; readonly key: string | ProvidedKey };

export interface IssuerFiles {
  readonly issuer: IssuerLocation;
  /** PEM bundle of trust anchors: the first of these that is there. */
  readonly anchors: readonly [string, ...string[]];
}

/** What was read, for `judgeIssuer`, and the key to sign with should the verdict be good. */
export interface OfferedIssuer {
  readonly candidate: IssuerCandidate;
  readonly signingKey: SigningKey;
  readonly anchors: readonly CaCertificate[];
  /** The same as PEM, written again: TLS libraries do not agree on every text that can be judged. */
  readonly bundle: string;
  /** When that file was last written or put in place: its ctime, which nobody can set, in whole milliseconds. */
  readonly bundleWrittenAt: number;
}

const layouts = [
  { certificate: 'tls.crt', key: 'tls.key' },
  { certificate: 'crt.pem', key: 'key.pem' },
] as const;

/** Every name that a file in the issuer's folder may have. */
export const issuerFileNames: readonly string[] = layouts.flatMap(({ certificate, key }) => [
  certificate,
  key,
]);

/** A mounted Secret that is swapped while it is read, again and again, is no Secret. */
const maxReadings = 3;

/** Reads issuer and bundle as they are now. Whatever is wrong is an answer, never a throw: the old issuer stays in use. */
export const readIssuerFiles = async (files: IssuerFiles): Promise<Parsed<OfferedIssuer>> => {
  for (let reading = 1; ; reading += 1) {
    const before = await followAll(files);
    const read = await readOnce(before);
    // Swapped in between: half of it may be of before, and the old files are removed under our hands.
    if (reading === maxReadings || isDeepStrictEqual(await followAll(files), before)) return read;
  }
};

/** Where the files really lie: kubelet swaps a mounted Secret by renaming the link `..data` that all of them are behind. */
interface Followed {
  /** Of these the first that is there. */
  readonly pairs: readonly { readonly certificate: string; readonly key: string | ProvidedKey }[];
  readonly anchors: IssuerFiles['anchors'];
  readonly issuer: IssuerLocation;
}

const followAll = async ({ issuer, anchors: [first, ...others] }: IssuerFiles): Promise<Followed> => {
  const pairs =
    issuer.kind === 'files'
      ? [issuer]
      : layouts.map(({ certificate, key }) => ({
          certificate: join(issuer.path, certificate),
          key: join(issuer.path, key),
        }));
  return {
    pairs: await Promise.all(
      pairs.map(async ({ certificate, key }) => ({
        certificate: await follow(certificate),
        key: typeof key === 'string' ? await follow(key) : key,
      })),
    ),
    anchors: [await follow(first), ...(await Promise.all(others.map(follow)))],
    issuer,
  };
};

const follow = (path: string): Promise<string> => realpath(path).catch(() => path);

const readOnce = async (files: Followed): Promise<Parsed<OfferedIssuer>> => {
  const located = await locate(files);
  if (!located.ok) return located;
  const { certificate, key } = located.value;
  const bundle = await readFirst(files.anchors, 'the bundle of trust anchors');
  if (!bundle.ok) return bundle;
  const chain = readCertificates(certificate);
  const anchors = readCertificates(bundle.value);
  const signingKey = readKey(key);
  const problems = [chain, anchors, signingKey].flatMap((part): readonly Problem[] =>
    part.ok ? [] : part.problems,
  );
  if (!chain.ok || !anchors.ok || !signingKey.ok) return { ok: false, problems };
  const [first, ...others] = chain.value.certificates;
  if (first === undefined) throw new TypeError('a bundle that was read holds a certificate');
  const keyMatches = await isKeyOf(signingKey.value, first);
  if (!keyMatches.ok) return keyMatches;
  return parsed({
    candidate: { certificate: first, others, keyMatches: keyMatches.value },
    signingKey: signingKey.value,
    anchors: anchors.value.certificates,
    bundle: anchors.value.pem,
    bundleWrittenAt: await writtenAt(bundle.value),
  });
};

interface File {
  readonly path: string;
  readonly text: string;
}

/** Gone in this moment: as if just written. */
const writtenAt = async ({ path }: File): Promise<number> =>
  Math.floor((await stat(path).catch(() => ({ ctimeMs: Date.now() }))).ctimeMs);

const locate = async ({
  pairs,
  issuer,
}: Followed): Promise<Parsed<{ readonly certificate: File; readonly key: File | ProvidedKey }>> => {
  for (const pair of pairs) {
    const certificate = await readText(pair.certificate, 'the issuer certificate');
    if (!certificate.ok) {
      if (issuer.kind === 'files') return certificate;
      continue;
    }
    if (typeof pair.key !== 'string') return parsed({ certificate: certificate.value, key: pair.key });
    const key = await readText(pair.key, 'the issuer key');
    return key.ok ? parsed({ certificate: certificate.value, key: key.value }) : key;
  }
  return problem(
    'issuer',
    `${issuer.kind === 'folder' ? issuer.path : 'the place of the issuer'} holds neither tls.crt nor crt.pem that can be read`,
    'mount the issuer Secret there, or correct GATEHOUSE_ISSUER_DIR',
  );
};

const readText = async (path: string, what: string): Promise<Parsed<File>> => {
  try {
    return parsed({ path, text: await readFile(path, 'utf8') });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return problem(
      'issuer',
      `${what} ${path} cannot be read (${code})`,
      'put it there, readable for this process',
    );
  }
};

/** If none can be read, the first one's problem is told. */
const readFirst = async (
  [path, ...others]: readonly [string, ...string[]],
  what: string,
): Promise<Parsed<File>> => {
  const first = await readText(path, what);
  if (first.ok) return first;
  for (const other of others) {
    const next = await readText(other, what);
    if (next.ok) return next;
  }
  return first;
};

const readCertificates = ({
  path,
  text,
}: File): Parsed<{ readonly certificates: readonly CaCertificate[]; readonly pem: string }> => {
  const bundle = readPemBundle(text);
  if (!bundle.ok) return { ok: false, problems: bundle.problems.map((one) => inFile(path, one)) };
  const certificates: CaCertificate[] = [];
  const problems: Problem[] = [];
  for (const der of bundle.value.certificates) {
    const read = readCaCertificate(der);
    if (read.ok) certificates.push(read.value);
    else problems.push(...read.problems.map((one) => inFile(`${path}:`, one)));
  }
  return problems.length === 0 ? parsed({ certificates, pem: bundle.value.pem }) : { ok: false, problems };
};

/** The problem as a sentence that begins so. */
const inFile = (start: string, { found, fix }: Problem): Problem => ({
  field: 'issuer',
  found: `${start} ${found}`,
  fix,
});

const isKeyOf = async (key: SigningKey, certificate: CaCertificate): Promise<Parsed<boolean>> => {
  try {
    return parsed(await key.isKeyOf(certificate));
  } catch (error) {
    return problem(
      'issuer',
      `its key cannot be used (${String(error)})`,
      'see that what holds the key answers',
    );
  }
};

const readKey = (key: File | ProvidedKey): Parsed<SigningKey> => {
  if ('crypto' in key) return parsed(providedKey(key));
  const { path, text } = key;
  try {
    return parsed(localKey(createPrivateKey(text)));
  } catch {
    // The cause is not repeated: some of OpenSSL's messages quote what they read.
    return problem('issuer', `${path} holds no private key that can be read`, 'use PEM, not encrypted');
  }
};
