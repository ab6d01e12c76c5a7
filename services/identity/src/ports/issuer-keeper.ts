import { setTimeout as sleep } from 'node:timers/promises';
import { type Parsed, parsed, printProblem } from '@gatehouse/shared/core/problem';
import {
  identityOf,
  identitySuffix,
  type Mesh,
  printIdentity,
} from '@gatehouse/shared/core/workload-identity';
import type { Log } from '@gatehouse/shared/log';
import { accountOf, serviceNames } from '@gatehouse/shared/service';
import type { ActiveIssuer } from '../certify.ts';
import { bundleSequence } from '../core/bundle-sequence.ts';
import type { CaCertificate } from '../core/ca-certificate.ts';
import { type IssuerState, offerIssuer, type Rejection } from '../core/issuer-state.ts';
import { type JudgedIssuer, judgeIssuer, type WantedNames } from '../core/judge-issuer.ts';
import { makeLeafTemplate } from '../core/leaf-template.ts';
import { permitName } from '../core/name-constraints.ts';
import { signatureAlgorithmOf } from '../core/signature-algorithm.ts';
import { type IssuerFiles, type OfferedIssuer, readIssuerFiles } from './issuer-files.ts';
import { isSignedBy, signLeaf } from './x509.ts';

/** An issuer that was accepted, with the bundle it was judged by. */
export interface KeptIssuer extends ActiveIssuer {
  readonly judged: JudgedIssuer;
  /** Everything that this mesh trusts. */
  readonly anchors: readonly CaCertificate[];
  /** The same as the file has it: PEM. */
  readonly bundle: string;
  /** Rises when the bundle changes: `spiffe_sequence`. */
  readonly sequence: number;
}

export interface IssuerKeeperOptions {
  readonly files: IssuerFiles;
  /** Whose names the issuer must be allowed to certify. */
  readonly mesh: Mesh;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called after a new issuer or bundle was taken, which is in use by then. */
  readonly onChange: (issuer: KeptIssuer) => Promise<void>;
  /** How often the files are read; 10 s when left out. */
  readonly pollEveryMs?: number;
}

/**
 * Holds the issuer in use. Its files are read again and again; what they offer is taken if it passes the whole check, and
 * otherwise the old issuer stays and the reason is kept for everybody to see.
 */
export class IssuerKeeper {
  readonly #options: IssuerKeeperOptions;
  #state: IssuerState<KeptIssuer> = { current: undefined, rejected: undefined };
  #fingerprint = '';

  constructor(options: IssuerKeeperOptions) {
    this.#options = options;
  }

  /** The issuer to sign with now; undefined while there is none, or it has expired. */
  get usable(): KeptIssuer | undefined {
    const { current } = this.#state;
    return current !== undefined && this.#options.now() < current.judged.chainEnds * 1000
      ? current
      : undefined;
  }

  /** The issuer that was taken last, also when it has expired since. */
  get current(): KeptIssuer | undefined {
    return this.#state.current;
  }

  /** Why the files as they are now were not taken; undefined when they were. */
  get rejected(): Rejection | undefined {
    return this.#state.rejected;
  }

  /** Looks at the files until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { pollEveryMs = 10_000 } = this.#options;
    while (!signal.aborted) {
      // An abort ends the sleep; what the loop does then is to end.
      await sleep(pollEveryMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.check();
    }
  }

  /** Reads the files and takes what they offer, if it can be taken. */
  async check(): Promise<void> {
    const { log, now, onChange } = this.#options;
    const offered = await this.#offer();
    const before = this.#state;
    const isSame =
      offered.ok && before.current !== undefined && fingerprintOf(offered.value) === this.#fingerprint;
    if (isSame && before.rejected === undefined) return;
    // The same files judged well again after a refusal: only the refusal is forgotten.
    const outcome = isSame && before.current !== undefined ? parsed(before.current) : offered;
    const after = offerIssuer(before, outcome, now());
    if (after.rejected !== undefined) {
      const reason = after.rejected.problems.map(printProblem).join('; ');
      // One reason is said once, not every ten seconds; its time is when it was first seen.
      if (before.rejected?.problems.map(printProblem).join('; ') === reason) return;
      log.warn({ reason, keeps: before.current?.judged.certificate.name ?? null }, 'the issuer is not taken');
    }
    this.#state = after;
    if (!outcome.ok || isSame) return;
    this.#fingerprint = fingerprintOf(outcome.value);
    const { certificate, anchor } = outcome.value.judged;
    const until = new Date(certificate.notAfter * 1000).toISOString();
    log.info(
      { issuer: certificate.name, serial: certificate.serial, anchor: anchor.name, until },
      'issuer taken',
    );
    await onChange(outcome.value);
  }

  async #offer(): Promise<Parsed<KeptIssuer>> {
    const offered = await readIssuerFiles(this.#options.files);
    if (!offered.ok) return offered;
    const { candidate, anchors } = offered.value;
    const now = Math.floor(this.#options.now() / 1000);
    const judged = judgeIssuer(candidate, {
      anchors,
      now,
      names: wantedNames(this.#options.mesh),
      isSignedBy,
    });
    if (!judged.ok) return judged;
    const { bundle, bundleWrittenAt } = offered.value;
    const sequence = bundleSequence({ bundle, writtenAt: bundleWrittenAt }, this.#state.current);
    return parsed({ ...keep(judged.value, offered.value), sequence });
  }
}

const wantedNames = (mesh: Mesh): WantedNames => ({
  suffix: identitySuffix(mesh),
  own: serviceNames.map((service) =>
    printIdentity(identityOf(mesh, mesh.controlPlaneNamespace, accountOf(service))),
  ),
});

const keep = (
  judged: JudgedIssuer,
  { privateKey, anchors, bundle }: OfferedIssuer,
): Omit<KeptIssuer, 'sequence'> => {
  const { certificate, intermediates, chainEnds } = judged;
  const { key, subject, keyId } = certificate;
  if (typeof key !== 'string') throw new TypeError('judgeIssuer lets no other key pass');
  const algorithm = signatureAlgorithmOf(key);
  return {
    judged,
    anchors,
    bundle,
    template: makeLeafTemplate({ name: subject, keyId, algorithm, chainEnds }),
    intermediates: intermediates.map(({ der }) => der),
    permits: (identity) => permitName(judged.constraints, identity),
    sign: (leaf) => signLeaf(leaf, privateKey),
  };
};

/** Changes with anything that clients are given. The key needs no part: it belongs to the certificate. */
const fingerprintOf = ({ judged, bundle }: KeptIssuer): string =>
  [judged.certificate, ...judged.intermediates].map(({ der }) => der.toBase64()).join() + bundle;
