import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { problem } from '@gatehouse/shared/core/problem';
import { aCa, Extension, KeyUsageFlags, type TestCa } from '../../testing/ca-builder.ts';
import { isSignedBy, readCaCertificate } from '../ports/x509.ts';
import { type CaCertificate, type JudgedIssuer, judgeIssuer, offerIssuer } from './issuer-state.ts';

const now = Math.floor(Date.now() / 1000);
const dayMs = 86_400_000;

const facts = ({ der }: TestCa): CaCertificate => {
  const read = readCaCertificate(der);
  assert.ok(read.ok, JSON.stringify(read));
  return read.value;
};

interface Offer {
  readonly issuer: TestCa;
  readonly others?: readonly TestCa[];
  readonly anchors: readonly TestCa[];
  readonly keyMatches?: boolean;
}

const judge = ({ issuer, others = [], anchors, keyMatches = true }: Offer) =>
  judgeIssuer(
    { certificate: facts(issuer), others: others.map(facts), keyMatches },
    { anchors: anchors.map(facts), now, isSignedBy },
  );

const names = ({ intermediates, anchor }: JudgedIssuer): readonly string[] => [
  ...intermediates.map(({ name }) => name),
  `[${anchor.name}]`,
];

const accepted = async (offer: Offer | Promise<Offer>): Promise<JudgedIssuer> => {
  const verdict = judge(await offer);
  assert.ok(verdict.ok, JSON.stringify(verdict));
  return verdict.value;
};

/** A chain of so many CAs below a root, the lowest first. */
const aChain = async (length: number, root: TestCa): Promise<TestCa[]> => {
  const chain: TestCa[] = [];
  for (let depth = 1; depth <= length; depth += 1) {
    chain.unshift(await aCa({ name: `ca-${depth}`, parent: chain[0] ?? root }));
  }
  return chain;
};

describe('an issuer that offers itself', () => {
  for (const key of ['P-256', 'P-384', 'RSA'] as const) {
    it(`is taken with a key of ${key}, whatever key its root has`, async () => {
      const root = await aCa({ key: key === 'RSA' ? 'P-384' : 'RSA' });
      const issuer = await aCa({ key, parent: root });
      const judged = await accepted({ issuer, anchors: [root] });
      assert.equal(judged.certificate.key, key);
      assert.deepEqual(names(judged), ['CN=issuer', '[CN=root]']);
    });
  }

  it('is taken when it is itself an anchor, and is then not sent', async () => {
    const root = await aCa();
    const judged = await accepted({ issuer: root, anchors: [root] });
    assert.deepEqual(names(judged), ['[CN=root]']);
    assert.equal(judged.chainEnds, judged.certificate.notAfter);
  });

  it('is taken with its chain in any order; what does not belong to it is not sent', async () => {
    const root = await aCa();
    const [issuer, middle, top] = await aChain(3, root);
    assert.ok(issuer && middle && top);
    const stranger = await aCa({ name: 'stranger' });
    const judged = await accepted({ issuer, others: [root, stranger, top, middle], anchors: [root] });
    assert.deepEqual(names(judged), ['CN=ca-3', 'CN=ca-2', 'CN=ca-1', '[CN=root]']);
  });

  it('is taken under any of several anchors, also beside one of the same name', async () => {
    const old = await aCa();
    const root = await aCa();
    const issuer = await aCa({ parent: root });
    const judged = await accepted({ issuer, anchors: [old, root] });
    assert.deepEqual(judged.anchor.der, root.der);
  });

  it('is taken under the anchor that is still valid when another with the same key has expired', async () => {
    const root = await aCa();
    const expired = await aCa({ keys: root, notAfter: Date.now() - 1000 });
    const issuer = await aCa({ parent: root });
    const judged = await accepted({ issuer, anchors: [expired, root] });
    assert.deepEqual(judged.anchor.der, root.der);
  });

  it('ends with the first of its chain, the anchor aside', async () => {
    const root = await aCa({ notAfter: Date.now() + dayMs });
    const top = await aCa({ name: 'top', parent: root, notAfter: Date.now() + 2 * dayMs });
    const issuer = await aCa({ parent: top, notAfter: Date.now() + 3 * dayMs });
    const judged = await accepted({ issuer, others: [top], anchors: [root] });
    assert.equal(judged.chainEnds, facts(top).notAfter);
  });

  it('is taken six intermediates deep, as deep as the proxy looks', async () => {
    const root = await aCa();
    const [issuer, ...others] = await aChain(6, root);
    assert.ok(issuer);
    assert.equal((await accepted({ issuer, others, anchors: [root] })).intermediates.length, 6);
  });

  const root = aCa();
  const below = async (parts: Parameters<typeof aCa>[0]): Promise<Offer> => ({
    issuer: await aCa({ ...parts, parent: await root }),
    anchors: [await root],
  });
  const critical = [new Extension('1.3.6.1.5.5.7.1.24', true, new Uint8Array([0x30, 0]))];

  const bad: readonly [string, RegExp, () => Promise<Offer>][] = [
    ['is no CA', /CN=issuer is no CA/, () => below({ isCa: false })],
    ['may not sign certificates', /may not sign/, () => below({ usages: KeyUsageFlags.digitalSignature })],
    ['has expired', /CN=issuer expired \d+ s ago/, () => below({ notAfter: Date.now() - 5000 })],
    [
      'is not valid yet',
      /valid only in 99 days/,
      () => below({ notBefore: Date.now() + 99.5 * dayMs, notAfter: Date.now() + 100 * dayMs }),
    ],
    [
      'comes with the key of another',
      /private key belongs to another/,
      async () => ({ ...(await below({})), keyMatches: false }),
    ],
    ['is only for clients', /extendedKeyUsage without/, () => below({ purposes: ['1.3.6.1.5.5.7.3.2'] })],
    [
      'has an unknown critical extension',
      /1\.3\.6\.1\.5\.5\.7\.1\.24/,
      () => below({ extensions: critical }),
    ],
    ['meets an empty bundle', /no trust anchor/, async () => ({ ...(await below({})), anchors: [] })],
    [
      'has a root that nobody trusts',
      /does not chain to a trust anchor/,
      async () => ({ ...(await below({})), anchors: [await aCa({ name: 'other root' })] }),
    ],
    [
      'names an anchor that did not sign it',
      /not signed by the key of CN=root/,
      async () => ({ ...(await below({})), anchors: [await aCa()] }),
    ],
    [
      'names an anchor whose key is of another kind',
      /not signed by the key of CN=root/,
      async () => ({ ...(await below({})), anchors: [await aCa({ key: 'RSA' })] }),
    ],
    [
      'lacks an intermediate',
      /CN=ca-2 does not chain/,
      async () => {
        const [issuer] = await aChain(2, await root);
        assert.ok(issuer);
        return { issuer, anchors: [await root] };
      },
    ],
    [
      'stands below a CA that allows none below it',
      /allows 0 CAs below it, there are 1/,
      async () => {
        const top = await aCa({ name: 'top', parent: await root, pathLength: 0 });
        return { issuer: await aCa({ parent: top }), others: [top], anchors: [await root] };
      },
    ],
    [
      'stands too deep below its root',
      /CN=root allows 1 CAs below it, there are 2/,
      async () => {
        const anchor = await aCa({ pathLength: 1 });
        const [issuer, ...others] = await aChain(2, anchor);
        assert.ok(issuer);
        return { issuer, others, anchors: [anchor] };
      },
    ],
    [
      'stands below a certificate that is no CA',
      /CN=leaf is no CA/,
      async () => {
        const leaf = await aCa({ name: 'leaf', parent: await root, isCa: false });
        return { issuer: await aCa({ parent: leaf }), others: [leaf], anchors: [await root] };
      },
    ],
    [
      'stands below an expired CA',
      /CN=top expired/,
      async () => {
        const top = await aCa({ name: 'top', parent: await root, notAfter: Date.now() - 5000 });
        return { issuer: await aCa({ parent: top }), others: [top], anchors: [await root] };
      },
    ],
    [
      'has an anchor that has expired',
      /CN=root expired/,
      async () => {
        const anchor = await aCa({ notAfter: Date.now() - 5000 });
        return { issuer: await aCa({ parent: anchor }), anchors: [anchor] };
      },
    ],
    ['is signed with SHA-1', /algorithm that proxies refuse/, () => below({ hash: 'SHA-1' })],
    [
      'stands seven deep',
      /more than 6 intermediates/,
      async () => {
        const [issuer, ...others] = await aChain(7, await root);
        assert.ok(issuer);
        return { issuer, others, anchors: [await root] };
      },
    ],
    [
      'is signed in a circle',
      /does not chain to a trust anchor/,
      async () => {
        const first = await aCa({ name: 'a' });
        const second = await aCa({ name: 'b', parent: first });
        const issuer = await aCa({ name: 'a', keys: first, parent: second });
        return { issuer, others: [second, issuer], anchors: [await root] };
      },
    ],
  ];

  it('has 20 known ways to be refused', () => assert.equal(bad.length, 20));
  for (const [title, why, offer] of bad) {
    it(`is refused if it ${title}`, async () => {
      const verdict = judge(await offer());
      assert.equal(verdict.ok, false);
      if (!verdict.ok) assert.match(verdict.problems.map(({ found }) => found).join('; '), why);
    });
  }
});

describe('the issuer in use', () => {
  const none = { current: undefined, rejected: undefined };
  const refusal = problem('issuer', 'it is no CA', 'make it one');

  it('is replaced by one that was accepted, and an earlier refusal is over', () => {
    const refused = offerIssuer(none, refusal, 1);
    assert.deepEqual(offerIssuer(refused, { ok: true, value: 'new' }, 2), {
      current: 'new',
      rejected: undefined,
    });
  });

  it('stays when another is refused, and the reason is remembered', () => {
    const old = offerIssuer<string>(none, { ok: true, value: 'old' }, 1);
    assert.deepEqual(offerIssuer(old, refusal, 2), {
      current: 'old',
      rejected: { at: 2, problems: [{ field: 'issuer', found: 'it is no CA', fix: 'make it one' }] },
    });
  });
});
