import { GatehouseError } from '@gatehouse/core/error';
import type { ServiceAccountName } from '@gatehouse/core/mesh/service-account-user';
import {
  identityOf,
  isDnsName,
  type Mesh,
  printIdentity,
  type WorkloadIdentity,
} from '@gatehouse/core/mesh/workload-identity';
import { printProblem } from '@gatehouse/core/problem';
import type { IssuanceRecord } from '../core/issued/issuance-record.ts';
import { type Csr, readCsr } from '../core/leaf/csr.ts';
import { type IssuanceProfile, validityOf } from '../core/leaf/issuance-profile.ts';
import { fillTemplate, type LeafOrder, type LeafTemplate } from '../core/leaf/leaf-template.ts';
import { CheckedLeaf } from '../core/leaf/template-rules.ts';
import type { Named } from '../core/token/token-claims.ts';
import { Serials } from '../ports/issuer/serials.ts';
import { isSignedByItsKey, keyIdOf, sha256 } from '../ports/issuer/x509.ts';
import { type IssuanceLog, RecordedLeaf } from './recorded-leaf.ts';

/** What a workload asks for (contract/proxy.md §1.2). */
export interface CertifyRequest {
  /** The name as it is asked for: it becomes an identity when the caller has proved that it is theirs. */
  readonly identity: string;
  readonly token: Uint8Array;
  readonly certificateSigningRequest: Uint8Array;
}

/** A leaf that has been recorded: only such leave this service. */
export interface Certified {
  /** X.509 in DER. */
  readonly leaf: Uint8Array;
  /** X.509 in DER, the leaf's issuer first, the anchor left out. */
  readonly intermediates: readonly Uint8Array[];
  /** Seconds since the epoch: the leaf's notBefore and notAfter. */
  readonly validFrom: number;
  readonly validUntil: number;
}

/** Whose token it was. */
export interface Caller extends ServiceAccountName {
  /** The pod it is bound to, if it is. */
  readonly pod: Named | undefined;
}

/** A caller that waits for its answer. */
export interface Asking {
  /** The client's address, or its network (`holderOf`): places are shared fairly between them. */
  readonly from: string;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
}

/**
 * Says whose token it is. Throws `invalid-argument` for what is not a valid token, `failed-precondition` for one that proves
 * nothing, `unavailable` when it cannot be said now, `cancelled` once the caller has gone.
 */
export interface TokenReviewer {
  review(token: Uint8Array, asking: Asking): Caller | Promise<Caller>;
}

/** What signs: replaced whole when the issuer changes. */
export interface ActiveIssuer {
  readonly template: LeafTemplate;
  readonly intermediates: readonly Uint8Array[];
  /** Whether the name constraints of its chain let a certificate for this name pass. */
  permits(identity: WorkloadIdentity): boolean;
  /** Later where its key is not in this process; throws `unavailable` when nobody could sign. */
  sign(leaf: RecordedLeaf): Uint8Array | Promise<Uint8Array>;
}

/** Does the work of calls, fairly between their addresses. Throws `unavailable` when one would wait too long. */
export interface SigningQueue {
  /** `bytes` are what the call keeps in memory while it waits. */
  take<T>(work: () => T, call: Asking & { readonly bytes: number }): Promise<T>;
}

export interface Certifier {
  readonly mesh: Mesh;
  readonly profile: IssuanceProfile;
  readonly reviewer: TokenReviewer;
  readonly log: IssuanceLog;
  readonly queue: SigningQueue;
  /** The issuer to sign with now; undefined while there is none. */
  issuer(): ActiveIssuer | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
}

const maxTokenBytes = 16 * 1024;
const maxCsrBytes = 8 * 1024;

/** Certifies one workload: read the facts, prove the caller, build the leaf, check it, record it, sign it. */
export const certify = async (
  certifier: Certifier,
  request: CertifyRequest,
  asking: Asking,
): Promise<Certified> => {
  usableIssuer(certifier);
  readFacts(request);
  const { csr, review } = await certifier.queue.take(
    () => ({
      csr: proveKey(request),
      review: certifier.reviewer.review(withoutLineEnd(request.token), asking),
    }),
    { ...asking, bytes: request.token.length + request.certificateSigningRequest.length },
  );
  const caller = await review;
  // The review may have waited for the watch; nobody is left to give a certificate to.
  refuseIfGone(asking.signal);
  const identity = proveIdentity(certifier.mesh, caller, request.identity);
  return issue(certifier, { identity, spki: csr.spki, pod: podOf(caller) }, asking);
};

/** Step 1: everything is there and of a bearable size. */
const readFacts = ({ identity, token, certificateSigningRequest: csr }: CertifyRequest): void => {
  if (identity === '') throw new GatehouseError('invalid-argument', 'the identity is missing');
  if (token.length === 0) throw new GatehouseError('invalid-argument', 'the token is missing');
  if (csr.length === 0) {
    throw new GatehouseError('invalid-argument', 'the certificate signing request is missing');
  }
  if (!isDnsName(identity)) {
    throw new GatehouseError(
      'invalid-argument',
      'the identity is not a valid DNS name: lower-case labels of at most 63 bytes, 253 bytes in all',
    );
  }
  if (token.length > maxTokenBytes) {
    throw new GatehouseError('invalid-argument', `the token is longer than ${maxTokenBytes} bytes`);
  }
  if (csr.length > maxCsrBytes) {
    throw new GatehouseError(
      'invalid-argument',
      `the certificate signing request is longer than ${maxCsrBytes} bytes`,
    );
  }
};

/** Kubelet writes none, but a token that went through a shell or an editor ends in one, and it is part of no token. */
const withoutLineEnd = (token: Uint8Array): Uint8Array => {
  let end = token.length;
  while (end > 0 && (token[end - 1] === 0x0a || token[end - 1] === 0x0d)) end -= 1;
  return token.subarray(0, end);
};

/** Step 2: the request is for this name alone, and its author holds the key (which Linkerd does not look at). */
const proveKey = ({ identity, certificateSigningRequest }: CertifyRequest): Csr => {
  const reading = readCsr(certificateSigningRequest, identity);
  switch (reading.kind) {
    case 'malformed':
      throw new GatehouseError(
        'invalid-argument',
        `the certificate signing request is not a valid PKCS#10 in strict DER: ${reading.why}`,
      );
    case 'refused':
      throw new GatehouseError(
        'failed-precondition',
        `the certificate signing request is refused: ${reading.why}`,
      );
    case 'read':
      if (!isSignedByItsKey(reading.csr)) {
        throw new GatehouseError(
          'failed-precondition',
          'the certificate signing request is not signed with its own key',
        );
      }
      return reading.csr;
  }
};

/** Step 4: the caller's own name is the one asked for. Names come from who proved them, never from the request. */
const proveIdentity = (mesh: Mesh, caller: Caller, requested: string): WorkloadIdentity => {
  const proved = identityOf(mesh, caller.namespace, caller.serviceAccount);
  if (printIdentity(proved) === requested) return proved;
  throw new GatehouseError(
    'failed-precondition',
    `the token belongs to another identity: requested ${requested}, proved ${printIdentity(proved)}`,
  );
};

const podOf = ({ namespace, pod }: Caller): IssuanceRecord['pod'] =>
  pod === undefined ? undefined : { namespace, ...pod };

export interface ProvedWorkload {
  readonly identity: WorkloadIdentity;
  readonly spki: Uint8Array;
  readonly pod: IssuanceRecord['pod'];
}

/**
 * Steps 5 to 7, for a workload that has proved itself; also how this service certifies itself. The record comes before
 * the signature (docs/decisions/0016).
 */
export const issue = async (
  certifier: Certifier,
  workload: ProvedWorkload,
  asking: Asking = ourselves,
): Promise<Certified> => {
  const issuer = usableIssuer(certifier);
  const issuedAt = certifier.now();
  const { identity, spki } = workload;
  if (!issuer.permits(identity)) {
    throw new GatehouseError(
      'failed-precondition',
      `the issuer's name constraints do not permit ${printIdentity(identity)}: no proxy would accept the certificate`,
    );
  }
  const order: LeafOrder = {
    identity,
    spki,
    serial: serials.draw(),
    keyId: keyIdOf(spki),
    validity: validityOf(certifier.profile, issuedAt, issuer.template.issuer),
  };
  const checked = CheckedLeaf.check(fillTemplate(issuer.template, order), order, issuer.template.issuer);
  if (!checked.ok) {
    throw new GatehouseError('internal', 'the certificate would break a rule and was not signed', {
      details: { rules: checked.problems.map(printProblem) },
    });
  }
  const recording = RecordedLeaf.record(certifier.log, checked.value, {
    identity,
    pod: workload.pod,
    serial: order.serial.toHex(),
    spkiSha256: sha256(spki).toHex(),
    issuedAt,
    ...order.validity,
  });
  const { notBefore: validFrom, notAfter: validUntil } = order.validity;
  const seal = (recorded: RecordedLeaf): Certified | Promise<Certified> => {
    const finish = (leaf: Uint8Array): Certified => {
      certifier.log.complete(recorded.serial, sha256(leaf).toHex());
      return { leaf, intermediates: issuer.intermediates, validFrom, validUntil };
    };
    const signed = issuer.sign(recorded);
    return signed instanceof Promise ? signed.then(finish) : finish(signed);
  };
  if (recording instanceof RecordedLeaf) return seal(recording);
  const recorded = await recording;
  refuseIfGone(asking.signal);
  // One flush lets many go at once; their signatures must not hold up the handshakes of others.
  return certifier.queue.take(() => seal(recorded), { ...asking, bytes: spki.length });
};

const refuseIfGone = (signal: AbortSignal): void => {
  if (signal.aborted) throw new GatehouseError('cancelled', 'the caller went away while it waited');
};

const ourselves: Asking = { from: 'this service', signal: new AbortController().signal };

const usableIssuer = (certifier: Certifier): ActiveIssuer => {
  const issuer = certifier.issuer();
  if (issuer === undefined) {
    throw new GatehouseError('unavailable', 'there is no usable issuer: /v1/issuer says why');
  }
  return issuer;
};

const serials = new Serials();
