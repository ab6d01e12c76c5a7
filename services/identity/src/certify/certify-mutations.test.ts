import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { carelessCertifiers } from '../../testing/fuzz/careless-certifiers.ts';
import { runTrials } from '../../testing/fuzz/certify-trials.ts';
import { encodingMutationNames } from '../../testing/fuzz/encoding-mutations.ts';
import { aFuzzedMesh, type FuzzedMesh, type FuzzedWorkload } from '../../testing/fuzz/fuzzed-mesh.ts';
import { answerOf, wordOf } from '../../testing/fuzz/judge-answer.ts';
import { oddRequests } from '../../testing/fuzz/odd-requests/odd-requests.ts';
import { oddTokens, payloadOf } from '../../testing/fuzz/odd-tokens.ts';
import { writeRequest } from '../../testing/fuzz/request-parts.ts';
import { requestReaders } from '../../testing/fuzz/request-readers.ts';
import { signToken } from '../../testing/token-builder.ts';
import type { CertifyRequest } from './certify.ts';

/** Always the same cases here; `npm run fuzz -- csr` draws others. */
const seed = 5;

describe('Certify, whatever it is sent', () => {
  let mesh: FuzzedMesh;
  let asker: FuzzedWorkload;
  before(async () => {
    mesh = await aFuzzedMesh();
    assert.ok(mesh.workloads[0] !== undefined);
    asker = mesh.workloads[0];
  });

  const ask = async (request: Partial<CertifyRequest>): Promise<string> =>
    wordOf(
      await answerOf(mesh.certify, {
        identity: asker.identity,
        token: signToken(asker.signer, payloadOf(asker)),
        certificateSigningRequest: writeRequest(asker),
        ...request,
      }),
    );

  it('knows 186 odd requests and 121 odd tokens', () =>
    assert.deepEqual([oddRequests.length, oddTokens.length], [186, 131]));

  it('answers each odd request as it must', async () => {
    for (const { title, answer, write } of oddRequests) {
      assert.equal(await ask({ certificateSigningRequest: write(asker) }), answer, title);
    }
  });

  it('answers each odd token as it must', async () => {
    for (const { title, answer, write } of oddTokens) {
      assert.equal(await ask({ token: write(asker) }), answer, title);
    }
  });

  it('gives in 2,000 cases nobody what was not proved, and fails only as announced', async () => {
    const { findings, certified, refused, done } = await runTrials({ mesh, cases: 2_000, seed });
    assert.deepEqual(findings, []);
    // Cases of which all are refused, or none reaches the signature, would prove little.
    assert.ok(certified >= 150, `${certified} were certified`);
    assert.deepEqual(Object.keys(refused).sort(), ['failed-precondition', 'invalid-argument']);
    const unseen = encodingMutationNames.filter((name) => !done.has(name));
    assert.deepEqual(unseen, [], 'every way to spoil an element was tried');
  });

  describe('takes requests that', async () => {
    for (const reader of await requestReaders()) {
      it(`${reader.name} reads alike`, { skip: reader.missing ?? false }, async () => {
        const { accepted } = await runTrials({ mesh, cases: 400, seed });
        const some = [...accepted].slice(0, 20);
        assert.equal(some.length, 20);
        for (const [hex, identity] of some) {
          assert.equal(await reader.flawOf(Buffer.from(hex, 'hex'), identity), undefined, hex);
        }
      });
    }
  });
});

describe('the trials of Certify', async () => {
  const mesh = await aFuzzedMesh();
  const careless = carelessCertifiers(mesh);

  it('are tried on 13 careless services', () => assert.equal(careless.length, 13));
  for (const { title, certify } of careless) {
    it(`find one that ${title}`, async () => {
      const { findings } = await runTrials({ mesh, certify, cases: 3_000, seed, maxFindings: 1 });
      assert.equal(findings.length, 1);
    });
  }
});
