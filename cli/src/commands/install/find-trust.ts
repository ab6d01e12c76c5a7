import { createPrivateKey, hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import { type Problem, printProblem } from '@gatehouse/core/problem';
import { checkBundle, checkIssuer } from '@gatehouse/identity/ports/issuer/check-issuer';
import { makeTrust } from '@gatehouse/identity/ports/issuer/make-ca';
import { issuerName, type Trust, trustRootsName } from '@gatehouse/manifests/objects/trust';
import type { Values } from '@gatehouse/manifests/values/value-fields';
import { readPemBundle, readTrustAnchors } from '@gatehouse/platform/tls/pem-bundle';
import type { Surroundings } from '../../cli.ts';
import type { ValueOptions } from './install-options.ts';
import type { Installed } from './installed.ts';
import { readGivenFile } from './written-options.ts';

/** A year. An operator who wants another lifetime, or renewal without a new root, brings a CA. */
const madeForMs = 365 * 86_400_000;

export interface FoundTrust {
  readonly trust: Trust;
  /** What the user must know about it. */
  readonly notes: readonly string[];
}

export interface TrustQuestion {
  readonly values: Values;
  readonly files: GivenFiles;
  /** Undefined when no cluster was asked. */
  readonly installed: Installed | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Paths. */
export interface GivenFiles {
  readonly anchors: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

export const givenFiles = (options: ValueOptions, { workingDirectory }: Surroundings): GivenFiles => {
  const path = (file: string | undefined) =>
    file === undefined ? undefined : resolve(workingDirectory, file);
  return {
    anchors: path(options.identityTrustAnchorsFile),
    certificate: path(options.identityIssuerCertificateFile),
    key: path(options.identityIssuerKeyFile),
  };
};

/**
 * Where anchors and issuer come from: files that are given, else what the cluster has, else something else that the values name, else a
 * new root. A root that runs is never replaced unasked. Throws what is missing, or what identity would reject.
 */
export const findTrust = async (question: TrustQuestion): Promise<FoundTrust> => {
  const { values, files } = question;
  const { externalCA, issuer } = values.identity;
  if ((files.certificate === undefined) !== (files.key === undefined)) {
    throw usage(
      '--identity-issuer-certificate-file and --identity-issuer-key-file belong together: give both',
    );
  }
  const isExternal = issuer.scheme === 'kubernetes.io/tls';
  if (isExternal && files.certificate !== undefined) {
    throw usage(
      'identity.issuer.scheme=kubernetes.io/tls says that something else writes the issuer: leave out its files',
    );
  }
  if (externalCA && files.anchors !== undefined) {
    throw usage('identity.externalCA=true says that something else writes the anchors: leave out their file');
  }
  if (
    externalCA &&
    !isExternal &&
    files.certificate === undefined &&
    question.installed?.issuer === undefined
  ) {
    throw usage(
      'identity.externalCA=true needs an issuer below that CA: give its files, or set identity.issuer.scheme=kubernetes.io/tls',
    );
  }
  if (isExternal || externalCA) return withoutOwnCa(question);
  return files.certificate !== undefined && files.key !== undefined
    ? fromFiles(question, { certificate: files.certificate, key: files.key })
    : keptOrMade(question);
};

/** Anchors or issuer, or both, are written by something else. */
const withoutOwnCa = async ({ values, files, installed }: TrustQuestion): Promise<FoundTrust> => {
  const issuer =
    files.certificate === undefined || files.key === undefined
      ? undefined
      : await readIssuer({ certificate: files.certificate, key: files.key });
  if (values.identity.externalCA) return { trust: { anchors: undefined, issuer }, notes: [] };
  const anchors = files.anchors === undefined ? installed?.anchors : await readAnchors(files.anchors);
  if (anchors === undefined) {
    throw usage(
      'the roots that the mesh trusts are not known: give --identity-trust-anchors-file, or set identity.externalCA=true ' +
        `where something else writes ConfigMap ${trustRootsName}`,
    );
  }
  return { trust: { anchors, issuer }, notes: [] };
};

const fromFiles = async (
  question: TrustQuestion,
  pair: { readonly certificate: string; readonly key: string },
): Promise<FoundTrust> => {
  const { files, installed } = question;
  const { anchors } = files;
  if (anchors === undefined && installed?.anchors === undefined) {
    throw usage('the issuer needs its root beside it: give --identity-trust-anchors-file');
  }
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-install-'));
  try {
    const bundleFile = anchors ?? join(folder, 'ca-bundle.crt');
    if (anchors === undefined) await writeFile(bundleFile, installed?.anchors ?? '');
    const checked = await checkIssuer(
      { issuer: { kind: 'files', ...pair }, anchors: [bundleFile] },
      checkOptions(question),
    );
    if (!checked.ok) throw unusable(checked.problems);
    const { bundle } = checked.value;
    return {
      trust: { anchors: bundle, issuer: await readIssuer(pair) },
      notes: leftOut(installed, bundle),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
};

const keptOrMade = async (question: TrustQuestion): Promise<FoundTrust> => {
  const { values, files, installed, now } = question;
  const { anchors, issuer } = installed ?? {};
  if (anchors !== undefined && issuer !== undefined) {
    if (files.anchors === undefined) return { trust: { anchors, issuer: undefined }, notes: [] };
    const bundle = await readAnchors(files.anchors);
    const checked = checkBundle({ issuer, anchors: bundle }, checkOptions(question));
    if (!checked.ok) throw unusable(checked.problems);
    return { trust: { anchors: bundle, issuer: undefined }, notes: leftOut(installed, bundle) };
  }
  if (files.anchors !== undefined) {
    throw usage(
      '--identity-trust-anchors-file needs the issuer below it: give its certificate and key files too',
    );
  }
  if (anchors !== undefined || issuer !== undefined) {
    const [there, missing] =
      anchors === undefined
        ? [`Secret ${issuerName}`, `ConfigMap ${trustRootsName}`]
        : [`ConfigMap ${trustRootsName}`, `Secret ${issuerName}`];
    throw new GatehouseError(
      'failed-precondition',
      `${there} exists in the namespace ${values.namespace}, but ${missing} does not: give the certificate files, or delete ` +
        `${there} to start with a new root, which no proxy that runs now will trust`,
    );
  }
  const made = await makeTrust(values.trustDomain, { nowMs: now, lifetimeMs: madeForMs });
  const until = new Date(now + madeForMs).toISOString().slice(0, 10);
  return {
    trust: { anchors: made.root.certificate, issuer: made.issuer },
    notes: [
      `a new trust root was made, valid until ${until}; its key is kept nowhere: docs/identity.md says how to bring a CA of your own`,
    ],
  };
};

const checkOptions = ({ values, now }: TrustQuestion) => ({
  mesh: { controlPlaneNamespace: values.namespace, trustDomain: values.trustDomain },
  now,
});

/** Roots that proxies which run now were started with: what is signed below them by an older issuer is not believed any more. */
const leftOut = (installed: Installed | undefined, bundle: string): readonly string[] => {
  const rootsIn = (pem: string): readonly string[] => {
    const read = readPemBundle(pem);
    return read.ok ? read.value.certificates.map((der) => hash('sha256', der)) : [];
  };
  const kept = new Set(rootsIn(bundle));
  const count = rootsIn(installed?.anchors ?? '').filter((root) => !kept.has(root)).length;
  return count === 0
    ? []
    : [
        `${count === 1 ? 'a root' : `${count} roots`} of the mesh that runs will not be trusted any more: if proxies still have ` +
          'certificates below it, put it beside the new one first (docs/identity.md)',
      ];
};

/** The certificates of the file and its key, and nothing else that may be there. */
const readIssuer = async (files: { readonly certificate: string; readonly key: string }) => {
  const certificate = await readAnchors(files.certificate);
  const text = await readGivenFile(files.key);
  try {
    const key = createPrivateKey(text).export({ type: 'pkcs8', format: 'pem' }).toString();
    return { certificate, key };
  } catch (cause) {
    throw new GatehouseError(
      'invalid-argument',
      `${files.key} holds no private key that can be read: use PEM without a password`,
      { cause },
    );
  }
};

const readAnchors = async (file: string): Promise<string> => {
  await readGivenFile(file);
  return readTrustAnchors(file);
};

const usage = (message: string): GatehouseError => new GatehouseError('invalid-argument', message);

const unusable = (problems: readonly Problem[]): GatehouseError =>
  new GatehouseError(
    'invalid-argument',
    `the issuer cannot be used:\n${problems.map((one) => `  ${printProblem({ ...one, field: '' })}`).join('\n')}`,
  );
