import { X509Certificate } from 'node:crypto';
import { derSequence } from '@gatehouse/core/der/der';
import { GatehouseError } from '@gatehouse/core/error';
import type { CertifyRequest } from '../../src/certify/certify.ts';
import { anExtension, commonName, subjectAltName } from '../csr-builder.ts';
import { signToken } from '../token-builder.ts';
import { certifyOracle } from './certify-oracle.ts';
import { Dice } from './dice.ts';
import type { FuzzedMesh, FuzzedWorkload } from './fuzzed-mesh.ts';
import { answerOf, judgeAnswer } from './judge-answer.ts';
import { mutateRequest } from './mutate-request.ts';
import { mutateToken } from './mutate-token.ts';
import { oddRequests } from './odd-requests/odd-requests.ts';
import { oddTokens, payloadOf } from './odd-tokens.ts';
import { dns, writeRequest } from './request-parts.ts';

export interface TrialsOptions {
  readonly mesh: FuzzedMesh;
  readonly cases: number;
  readonly seed: number;
  /** What is tried; the mesh's own when left out. */
  readonly certify?: FuzzedMesh['certify'];
  /** Where to stop; more than 20 would not be read. */
  readonly maxFindings?: number;
  /** Called now and then with the number of cases done. */
  readonly onProgress?: (done: number) => void;
}

export interface Trials {
  readonly certified: number;
  /** Refusals by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Cases by what was done. */
  readonly done: ReadonlyMap<string, number>;
  /** What went wrong, with all that is needed to see it again; none is right. */
  readonly findings: readonly string[];
  /** The signing requests that were certified, by their bytes in hexadecimal, and the names that they were certified for. */
  readonly accepted: ReadonlyMap<string, string>;
}

/** The tokens of a test are no secrets. */
const printRequest = ({ identity, token, certificateSigningRequest: csr }: CertifyRequest): string =>
  `identity ${JSON.stringify(identity)}, CSR ${Buffer.from(csr).toString('hex')}, token ${Buffer.from(token).toString('latin1')}`;

interface Trial {
  readonly what: readonly string[];
  readonly request: CertifyRequest;
}

/** Sends mutated requests, tokens and mixtures of both to Certify, and holds each answer against the oracle's. */
export const runTrials = async ({ mesh, cases, seed, ...options }: TrialsOptions): Promise<Trials> => {
  const { certify = mesh.certify, maxFindings = 20 } = options;
  const dice = new Dice(seed);
  const oracle = certifyOracle(mesh);
  const issuer = new X509Certificate(mesh.issuer);
  const refused: Record<string, number> = {};
  const done = new Map<string, number>();
  const accepted = new Map<string, string>();
  const findings: string[] = [];
  let certified = 0;
  for (let trial = 0; trial < cases && findings.length < maxFindings; trial += 1) {
    const { what, request } = aTrial(mesh, dice);
    mesh.recorded.length = 0;
    const answer = await answerOf(certify, request);
    const entitlement = await oracle(request);
    for (const one of what) done.set(one, (done.get(one) ?? 0) + 1);
    if (answer.kind === 'certified') {
      certified += 1;
      accepted.set(Buffer.from(request.certificateSigningRequest).toString('hex'), request.identity);
    } else {
      const code = answer.error instanceof GatehouseError ? answer.error.code : 'something else';
      refused[code] = (refused[code] ?? 0) + 1;
    }
    const flaw = judgeAnswer({ answer, entitlement, recorded: mesh.recorded, issuer });
    if (flaw !== undefined)
      findings.push(`case ${trial}, ${what.join(', ')}: ${flaw}; ${printRequest(request)}`);
    if (trial % 1_000 === 999) options.onProgress?.(trial + 1);
  }
  return { certified, refused, done, findings, accepted };
};

const aTrial = (mesh: FuzzedMesh, dice: Dice): Trial => {
  const asker = dice.pick(mesh.workloads);
  const kind = dice.below(100);
  if (kind < 20) return withOddRequest(asker, dice);
  if (kind < 55) return withMutatedRequest(asker, dice);
  if (kind < 70) return withOddToken(asker, dice);
  if (kind < 90) return withMutatedToken(asker, dice);
  return mixture(mesh, dice);
};

const goodToken = (asker: FuzzedWorkload): Uint8Array => signToken(asker.signer, payloadOf(asker));

/** As Linkerd's helper writes it, or as short as it can be, or with a critical SAN. */
const goodRequest = ({ identity, key }: FuzzedWorkload, dice: Dice): Uint8Array =>
  writeRequest({
    identity,
    key,
    ...(dice.chance(0.5) ? { subject: commonName(identity) } : {}),
    ...(dice.chance(0.3)
      ? { extensions: [anExtension(subjectAltName, derSequence(dns(identity)), true)] }
      : {}),
  });

const trialOf = (
  what: readonly string[],
  asker: FuzzedWorkload,
  parts: { readonly csr: Uint8Array; readonly token: Uint8Array },
): Trial => ({
  what,
  request: {
    identity: asker.identity,
    token: parts.token,
    certificateSigningRequest: parts.csr,
  },
});

const withOddRequest = (asker: FuzzedWorkload, dice: Dice): Trial => {
  const odd = dice.pick(oddRequests);
  return trialOf([odd.title], asker, { csr: odd.write(asker), token: goodToken(asker) });
};

const withMutatedRequest = (asker: FuzzedWorkload, dice: Dice): Trial => {
  const { what, der } = mutateRequest(goodRequest(asker, dice), asker.key, dice);
  return trialOf(what, asker, { csr: der, token: goodToken(asker) });
};

const withOddToken = (asker: FuzzedWorkload, dice: Dice): Trial => {
  const odd = dice.pick(oddTokens);
  return trialOf([`token: ${odd.title}`], asker, { csr: goodRequest(asker, dice), token: odd.write(asker) });
};

const withMutatedToken = (asker: FuzzedWorkload, dice: Dice): Trial => {
  const { what, token } = mutateToken(asker, dice);
  return trialOf([what], asker, { csr: goodRequest(asker, dice), token });
};

/** Name, request and token of whomever; also names that nobody has. */
const mixture = (mesh: FuzzedMesh, dice: Dice): Trial => {
  const first = dice.pick(mesh.workloads);
  const one = (): FuzzedWorkload => (dice.chance(0.7) ? first : dice.pick(mesh.workloads));
  const { identity } = first;
  const asked = dice.pick([
    ...new Array<string>(8).fill(identity),
    identity.toUpperCase(),
    `${identity}.`,
    `*.${identity}`,
    `${identity}\0`,
    identity.replace('.', '\u3002'),
    `${'a'.repeat(64)}.${identity}`,
    `${'a.'.repeat(120)}${identity}`,
    '',
  ]);
  return {
    what: ['name, request and token of anybody'],
    request: {
      identity: asked,
      token: dice.chance(0.05) ? dice.bytes(dice.below(20_000)) : goodToken(one()),
      certificateSigningRequest: dice.chance(0.05) ? dice.bytes(dice.below(9_000)) : goodRequest(one(), dice),
    },
  };
};
