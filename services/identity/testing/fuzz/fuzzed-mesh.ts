import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Change } from '@gatehouse/core/resources/changes';
import { silentLog } from '@gatehouse/platform/log/log';
import { aPod, aServiceAccount } from '@gatehouse/testing/builders';
import type { Certified, Certifier, CertifyRequest } from '../../src/certify/certify.ts';
import { certify } from '../../src/certify/certify.ts';
import { KnownCallers } from '../../src/core/token/known-callers.ts';
import type { TokenClaims } from '../../src/core/token/token-claims.ts';
import { JwksReviewer } from '../../src/ports/token/jwks-reviewer.ts';
import { TokenKeys } from '../../src/ports/token/token-keys.ts';
import type { Standing } from '../../src/ports/token/watched-callers.ts';
import { activeIssuer } from '../active-issuer.ts';
import { aCa } from '../ca-builder.ts';
import { aTokenSigner, type TokenSigner, tokenAudience, tokenIssuer } from '../token-builder.ts';
import type { Asker } from './odd-requests/rows.ts';
import type { TokenAsker } from './odd-tokens.ts';

export interface FuzzedWorkload extends Asker, TokenAsker {}

/** A mesh with three workloads and the service that certifies them, all of it real but the wire, the files of the issuer and the clock. */
export interface FuzzedMesh {
  readonly workloads: readonly FuzzedWorkload[];
  /** Those whose tokens are believed. */
  readonly signers: readonly TokenSigner[];
  /** The certificate of what signs the leaves, in DER. */
  readonly issuer: Uint8Array;
  /** What the issuance log was told, oldest first; to be emptied by its reader. */
  readonly recorded: Recorded[];
  readonly nowMs: number;
  readonly certifier: Certifier;
  readonly certify: (request: CertifyRequest) => Promise<Certified>;
}

/** Before the signature what is to be signed, after it the SHA-256 of the leaf in hexadecimal. */
export type Recorded =
  | { readonly kind: 'intended'; readonly serial: string; readonly tbsSha256: string }
  | { readonly kind: 'completed'; readonly serial: string; readonly leafSha256: string };

const accounts = [
  { namespace: 'demo', serviceAccount: 'default', pod: 'frontend-0' },
  { namespace: 'demo', serviceAccount: 'a.b.c', pod: 'dotted-0' },
  { namespace: 'blue', serviceAccount: '0robot', pod: 'robot-0' },
] as const;

const p256 = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

export const aFuzzedMesh = async (): Promise<FuzzedMesh> => {
  const nowMs = Date.now();
  const signer = aTokenSigner('ES256', 'first');
  const secondSigner = aTokenSigner('RS256', 'second');
  const stranger = aTokenSigner('ES256', 'first');
  const ca = await aCa();
  const issuer = activeIssuer(ca);
  const recorded: Recorded[] = [];
  const certifier: Certifier = {
    mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
    profile: { lifetimeMs: 86_400_000, clockSkewMs: 20_000 },
    reviewer: new JwksReviewer({
      keys: await keysOf([signer, secondSigner], nowMs),
      callers: knownCallers(nowMs),
      secondOpinion: undefined,
      audience: tokenAudience,
      requirePodBoundToken: true,
      leewayMs: 20_000,
      now: () => nowMs,
    }),
    log: {
      intend: ({ serial, tbsSha256 }) => void recorded.push({ kind: 'intended', serial, tbsSha256 }),
      complete: (serial, leafSha256) => recorded.push({ kind: 'completed', serial, leafSha256 }),
    },
    queue: { take: async (work) => work() },
    issuer: () => issuer,
    now: () => nowMs,
  };
  const keys = accounts.map(p256);
  const identityOf = ({ serviceAccount, namespace }: (typeof accounts)[number]): string =>
    `${serviceAccount}.${namespace}.serviceaccount.identity.gatehouse.cluster.local`;
  const patient = new AbortController().signal;
  return {
    workloads: accounts.map((account, index) => {
      const neighbour = (index + 1) % accounts.length;
      return {
        identity: identityOf(account),
        key: keys[index] ?? p256(),
        other: {
          identity: identityOf(accounts[neighbour] ?? account),
          key: keys[neighbour] ?? p256(),
        },
        namespace: account.namespace,
        serviceAccount: { name: account.serviceAccount, uid: `uid-of-${account.serviceAccount}` },
        pod: { name: account.pod, uid: `uid-of-${account.pod}` },
        former: { name: account.pod, uid: `former-uid-of-${account.pod}` },
        deleted: { name: `${account.pod}-gone`, uid: `uid-of-${account.pod}-gone` },
        ...{ signer, secondSigner, stranger, nowMs },
      };
    }),
    signers: [signer, secondSigner],
    issuer: ca.der,
    recorded,
    nowMs,
    certifier,
    certify: (request) => certify(certifier, request, { from: '10.0.0.1', signal: patient }),
  };
};

const keysOf = async (signers: readonly TokenSigner[], nowMs: number): Promise<TokenKeys> => {
  const set = { keys: signers.map(({ jwk }) => jwk) };
  const keys = new TokenKeys({
    source: { name: 'the fuzz', read: async () => ({ issuer: tokenIssuer, set }) },
    maxStalenessMs: 90_000,
    log: silentLog,
    now: () => nowMs,
    elapsed: () => 0,
  });
  await keys.refresh();
  return keys;
};

/**
 * What the watch has shown: every pod had a predecessor of its name, and a neighbour that is gone, both for longer than
 * tokens outlive them. Who is unknown is refused at once: waiting for the watch is another test's business.
 */
const knownCallers = (nowMs: number) => {
  const callers = new KnownCallers();
  const podsOf = (uid: (name: string) => string, suffix = '') =>
    accounts.map(({ namespace, serviceAccount, pod }) => {
      const name = `${pod}${suffix}`;
      return aPod({ namespace, name, serviceAccount, uid: uid(name) });
    });
  const reset = (pods: ReturnType<typeof podsOf>): Change[] => [
    { type: 'reset', kind: 'Pod', objects: pods },
    {
      type: 'reset',
      kind: 'ServiceAccount',
      objects: accounts.map(({ namespace, serviceAccount: name }) =>
        aServiceAccount({ namespace, name, uid: `uid-of-${name}` }),
      ),
    },
  ];
  const longAgo = -3_600_000;
  const former = podsOf((name) => `former-uid-of-${name}`);
  const gone = podsOf((name) => `uid-of-${name}`, '-gone');
  callers.apply(reset([...former, ...gone]), longAgo);
  callers.apply(reset(podsOf((name) => `uid-of-${name}`)), longAgo);
  return {
    judge: (claims: TokenClaims): Standing => {
      const seen = callers.look(claims, { wall: nowMs, elapsed: 0 });
      return seen.kind === 'unseen'
        ? { kind: 'unseen', why: `there is no ${seen.what}`, uid: seen.uid }
        : seen;
    },
    remember: (): void => {},
  };
};
