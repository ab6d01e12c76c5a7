import { runTrials } from '@gatehouse/identity/testing/fuzz/certify-trials';
import { Dice } from '@gatehouse/identity/testing/fuzz/dice';
import { aFuzzedMesh, type FuzzedWorkload } from '@gatehouse/identity/testing/fuzz/fuzzed-mesh';
import { answerOf, wordOf } from '@gatehouse/identity/testing/fuzz/judge-answer';
import { oddRequests } from '@gatehouse/identity/testing/fuzz/odd-requests/odd-requests';
import { oddTokens, payloadOf } from '@gatehouse/identity/testing/fuzz/odd-tokens';
import { writeRequest } from '@gatehouse/identity/testing/fuzz/request-parts';
import { signToken } from '@gatehouse/identity/testing/token-builder';
import { type Attack, partOf } from './attack.ts';

const goodToken = (asker: FuzzedWorkload): Uint8Array => signToken(asker.signer, payloadOf(asker));

/** Whether two tokens have the same bytes behind their base64url, whose last characters have bits that mean nothing. */
const isSameToken = (a: Uint8Array, b: Uint8Array): boolean => {
  const decoded = (token: Uint8Array): string =>
    Buffer.from(token)
      .toString('latin1')
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString('hex'))
      .join('.');
  return decoded(a) === decoded(b);
};

/** A pod that would like another name: every odd token that is known, and bits of a good one flipped. */
export const tokens: Attack = {
  name: 'tokens',
  run: async ({ share, seed }) => {
    const mesh = await aFuzzedMesh();
    const dice = new Dice(seed);
    const asker = dice.pick(mesh.workloads);
    const certificateSigningRequest = writeRequest(asker);
    const ask = async (token: Uint8Array): Promise<string> =>
      wordOf(await answerOf(mesh.certify, { identity: asker.identity, token, certificateSigningRequest }));
    const findings: string[] = [];
    for (const { title, answer, write } of oddTokens) {
      const found = await ask(write(asker));
      if (found !== answer) findings.push(`${title}: ${found} instead of ${answer}`);
    }
    const good = goodToken(asker);
    const flips = partOf(2_400, share);
    let harmless = 0;
    for (let flip = 0; flip < flips; flip += 1) {
      const token = Uint8Array.from(good);
      const bit = dice.below(good.length * 8);
      token[bit >> 3] = (token[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const found = await ask(token);
      if (found !== 'certified') continue;
      if (isSameToken(good, token)) harmless += 1;
      else findings.push(`bit ${bit} flipped: certified`);
    }
    const tried = oddTokens.length + flips;
    return { tried, findings, held: `nobody had another name by one (${harmless} flips changed nothing)` };
  },
};

/** A pod that would like another certificate: every odd signing request that is known, and mutations of good calls. */
export const requests: Attack = {
  name: 'CSRs',
  run: async ({ share, seed }) => {
    const mesh = await aFuzzedMesh();
    const asker = new Dice(seed).pick(mesh.workloads);
    const findings: string[] = [];
    for (const { title, answer, write } of oddRequests) {
      const request = {
        identity: asker.identity,
        token: goodToken(asker),
        certificateSigningRequest: write(asker),
      };
      const found = wordOf(await answerOf(mesh.certify, request));
      if (found !== answer) findings.push(`${title}: ${found} instead of ${answer}`);
    }
    const cases = partOf(6_000, share);
    const trials = await runTrials({ mesh, cases, seed });
    findings.push(...trials.findings);
    const tried = oddRequests.length + cases;
    return { tried, findings, held: `${trials.certified} certified, each for what was proved` };
  },
};
