import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptedCases } from '../../../testing/accepted-issuers.ts';
import { aCa, type TestCa } from '../../../testing/ca-builder.ts';
import { dayMs, type IssuerOffer, meshSuffix } from '../../../testing/issuer-offers.ts';
import { refusedCases } from '../../../testing/refused-issuers.ts';
import { readCaCertificate } from '../../ports/issuer/read-ca-certificate.ts';
import { isSignedBy } from '../../ports/issuer/x509.ts';
import { type JudgedIssuer, judgeIssuer } from './judge-issuer.ts';

const now = (): number => Math.floor(Date.now() / 1000);
const own = ['identity', 'destination', 'policy'].map(
  (service) => `gatehouse-${service}.gatehouse.${meshSuffix}`,
);

/** As the issuer's files are read: what cannot be read is refused before it is judged. */
const judge = ({ issuer, others, anchors, keyMatches }: IssuerOffer) => {
  const [first, ...rest] = [issuer, ...others, ...anchors].map(({ der }) => readCaCertificate(der));
  assert.ok(first);
  for (const read of [first, ...rest]) if (!read.ok) return read;
  const [certificate, ...more] = [first, ...rest].flatMap((read) => (read.ok ? [read.value] : []));
  assert.ok(certificate);
  return judgeIssuer(
    { certificate, others: more.slice(0, others.length), keyMatches },
    { anchors: more.slice(others.length), now: now(), names: { suffix: meshSuffix, own }, isSignedBy },
  );
};

const accepted = (offer: IssuerOffer): JudgedIssuer => {
  const verdict = judge(offer);
  assert.ok(verdict.ok, JSON.stringify(verdict));
  return verdict.value;
};

describe('an issuer is accepted', () => {
  it('in 24 known ways', () => assert.equal(acceptedCases.length, 24));
  for (const { title, offer, sends } of acceptedCases) {
    it(title, async () => {
      const { intermediates } = accepted(await offer());
      assert.deepEqual(
        intermediates.map(({ name }) => name),
        sends,
      );
    });
  }
});

describe('an issuer is refused', () => {
  it('in 38 known ways', () => assert.equal(refusedCases.length, 38));
  for (const { title, offer, why } of refusedCases) {
    it(`if ${title}`, async () => {
      const verdict = judge(await offer());
      assert.equal(verdict.ok, false);
      if (!verdict.ok) assert.match(verdict.problems.map(({ found }) => found).join('; '), why);
    });
  }

  it('with everything at once that speaks against it, each thing once', async () => {
    const root = await aCa();
    const issuer = await aCa({ parent: root, isCa: false, notAfter: Date.now() - dayMs });
    const verdict = judge({ issuer, others: [], anchors: [root, root], keyMatches: false });
    assert.deepEqual(verdict.ok || verdict.problems.map(({ found }) => found.replace(/at 20.*/, 'at …')), [
      'CN=issuer expired at …',
      'CN=issuer is not a CA',
      'the private key belongs to another certificate',
    ]);
  });
});

describe('the chain of an issuer', () => {
  const offered = (issuer: TestCa, anchors: readonly TestCa[], others: readonly TestCa[] = []) =>
    accepted({ issuer, anchors, others, keyMatches: true });

  it('begins with the last and ends with the first of its path, the anchor aside', async () => {
    const root = await aCa({ notBefore: Date.now() - 1_000, notAfter: Date.now() + dayMs });
    const top = await aCa({
      name: 'top',
      parent: root,
      notBefore: Date.now() - 1_800_000,
      notAfter: Date.now() + 2 * dayMs,
    });
    const issuer = await aCa({ parent: top, notAfter: Date.now() + 3 * dayMs });
    const judged = offered(issuer, [root], [top]);
    const [, above] = judged.intermediates;
    assert.deepEqual([judged.chainBegins, judged.chainEnds], [above?.notBefore, above?.notAfter]);
  });

  it('does not end with a cross certificate that only some proxies need', async () => {
    const old = await aCa({ name: 'old' });
    const root = await aCa();
    const cross = await aCa({ keys: root, parent: old, name: 'root', notAfter: Date.now() + dayMs });
    const judged = offered(await aCa({ parent: root }), [old, root], [cross]);
    assert.deepEqual(
      [judged.intermediates.length, judged.anchor.name, judged.chainEnds],
      [2, 'CN=root', judged.certificate.notAfter],
    );
  });

  it('leads to the anchor that signed it, not to its namesake', async () => {
    const [namesake, root] = [await aCa(), await aCa()];
    const judged = offered(await aCa({ parent: root }), [namesake, root]);
    assert.deepEqual(judged.anchor.der, root.der);
  });

  it('brings the constraints of all its CAs, by which single names are refused later', async () => {
    const root = await aCa({ constraints: { permitted: ['cluster.local'] } });
    const issuer = await aCa({
      parent: root,
      constraints: { excluded: [`kube-system.${meshSuffix}`] },
    });
    assert.deepEqual(offered(issuer, [root]).constraints, [
      { permitted: [], excluded: [{ kind: 'dns', base: `kube-system.${meshSuffix}` }] },
      { permitted: [{ kind: 'dns', base: 'cluster.local' }], excluded: [] },
    ]);
  });
});
