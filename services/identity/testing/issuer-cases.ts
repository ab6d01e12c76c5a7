import { aCa, type Constraints, Extension, KeyUsageFlags, type TestCa } from './ca-builder.ts';

/** What somebody could put into the issuer's files and the bundle. */
export interface IssuerOffer {
  readonly issuer: TestCa;
  /** What lies beside it in `tls.crt`, in this order. */
  readonly others: readonly TestCa[];
  readonly anchors: readonly TestCa[];
  readonly keyMatches: boolean;
}

/** What OpenSSL, asked strictly, makes of a leaf below the offer; `differs` says why not what we make of it. */
export type OpensslVerdict = 'agrees' | { readonly differs: string };

export interface AcceptedCase {
  /** Completes "an issuer is accepted …". */
  readonly title: string;
  readonly offer: () => Promise<IssuerOffer>;
  /** The names of what goes out with each leaf. */
  readonly sends: readonly string[];
  readonly openssl: OpensslVerdict;
}

export interface RefusedCase {
  /** Completes "an issuer is refused if …". */
  readonly title: string;
  readonly offer: () => Promise<IssuerOffer>;
  readonly why: RegExp;
  readonly openssl: OpensslVerdict;
}

export const dayMs = 86_400_000;
export const meshSuffix = 'serviceaccount.identity.gatehouse.cluster.local';

type Parts = NonNullable<Parameters<typeof aCa>[0]>;

const offer = (issuer: TestCa, anchors: readonly TestCa[], others: readonly TestCa[] = []): IssuerOffer => ({
  issuer,
  anchors,
  others,
  keyMatches: true,
});

const below = async (parts: Parts, rootParts: Parts = {}): Promise<IssuerOffer> => {
  const root = await aCa(rootParts);
  return offer(await aCa({ ...parts, parent: root }), [root]);
};

const constrained = (constraints: Constraints) => () => below({ constraints });

/** A chain of so many CAs below a root, the lowest first. */
const aChain = async (length: number, root: TestCa): Promise<readonly [TestCa, ...TestCa[]]> => {
  let chain: readonly [TestCa, ...TestCa[]] = [await aCa({ name: 'ca-1', parent: root })];
  for (let depth = 2; depth <= length; depth += 1) {
    chain = [await aCa({ name: `ca-${depth}`, parent: chain[0] }), ...chain];
  }
  return chain;
};

const deep = async (length: number): Promise<IssuerOffer> => {
  const root = await aCa();
  const [issuer, ...others] = await aChain(length, root);
  return offer(issuer, [root], others);
};

/** The issuer below `top` below a root. */
const underTop = async (top: Parts, issuer: Parts = {}): Promise<IssuerOffer> => {
  const root = await aCa();
  const middle = await aCa({ name: 'top', ...top, parent: root });
  return offer(await aCa({ ...issuer, parent: middle }), [root], [middle]);
};

/** A new root, certified by the old one too, so that those who trust only the old one believe it. */
const crossSigned = async () => {
  const old = await aCa({ name: 'old root' });
  const fresh = await aCa({ name: 'new root' });
  const cross = await aCa({ name: 'new root', keys: fresh, parent: old });
  return { old, fresh, cross, issuer: await aCa({ parent: fresh }) };
};

const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';
const anyPurpose = '2.5.29.37.0';
const unknown = (critical: boolean) => new Extension('1.3.6.1.5.5.7.1.24', critical, new Uint8Array([48, 0]));
const directoryName = Uint8Array.fromHex('3013a411300f310d300b06035504030c0474657374');
const withMinimum = Uint8Array.fromHex('3012820d636c75737465722e6c6f63616c800101');
const anIpSubtree = Uint8Array.fromHex('300a87080a000000ff000000');

export const acceptedCases: readonly AcceptedCase[] = [
  ...(['P-256', 'P-384', 'RSA', 'RSA-3072'] as const).map((key) => ({
    title: `with a key of ${key}`,
    offer: () => below({ key }, { key: key === 'RSA' ? 'P-384' : 'RSA' }),
    sends: ['CN=issuer'],
    openssl: 'agrees' as const,
  })),
  ...(['P-521', 'Ed25519'] as const).map((key) => ({
    title: `below a root with a key of ${key}, which no issuer may have`,
    offer: () => below({}, { key }),
    sends: ['CN=issuer'],
    openssl: 'agrees' as const,
  })),
  {
    title: 'when it is itself an anchor, and is then not sent',
    offer: async () => {
      const root = await aCa();
      return offer(root, [root]);
    },
    sends: [],
    openssl: 'agrees',
  },
  {
    title: 'with its chain in any order; what does not belong to it is not sent',
    offer: async () => {
      const root = await aCa();
      const [issuer, middle, top] = await aChain(3, root);
      const others = [root, await aCa({ name: 'stranger' }), top, middle].filter((one) => one !== undefined);
      return offer(issuer, [root], others);
    },
    sends: ['CN=ca-3', 'CN=ca-2', 'CN=ca-1'],
    openssl: 'agrees',
  },
  {
    title: 'under any of several anchors, also beside one of the same name',
    offer: async () => {
      const { issuer, anchors } = await below({});
      return offer(issuer, [await aCa(), ...anchors]);
    },
    sends: ['CN=issuer'],
    openssl: 'agrees',
  },
  {
    title: 'under the anchor that is still valid when another with the same key has expired',
    offer: async () => {
      const root = await aCa();
      const expired = await aCa({ keys: root, notAfter: Date.now() - 60_000 });
      return offer(await aCa({ parent: root }), [expired, root]);
    },
    sends: ['CN=issuer'],
    openssl: 'agrees',
  },
  {
    title: 'beside an expired anchor that it does not need',
    offer: async () => {
      const { issuer, anchors } = await below({});
      return offer(issuer, [await aCa({ name: 'old', notAfter: Date.now() - 60_000 }), ...anchors]);
    },
    sends: ['CN=issuer'],
    openssl: 'agrees',
  },
  {
    title: 'with the cross certificate by which those who trust only the old root find their way',
    offer: async () => {
      const { old, fresh, cross, issuer } = await crossSigned();
      return offer(issuer, [old, fresh], [cross]);
    },
    sends: ['CN=issuer', 'CN=new root'],
    openssl: 'agrees',
  },
  {
    title: 'through the cross certificate alone while the bundle has only the old root',
    offer: async () => {
      const { old, cross, issuer } = await crossSigned();
      return offer(issuer, [old], [cross]);
    },
    sends: ['CN=issuer', 'CN=new root'],
    openssl: 'agrees',
  },
  {
    title: 'without a cross certificate that leads nowhere any more',
    offer: async () => {
      const { fresh, cross, issuer } = await crossSigned();
      return offer(issuer, [fresh], [cross]);
    },
    sends: ['CN=issuer'],
    openssl: 'agrees',
  },
  {
    title: 'with a root as issuer and its cross certificate',
    offer: async () => {
      const { old, fresh, cross } = await crossSigned();
      return offer(fresh, [old, fresh], [cross]);
    },
    sends: ['CN=new root'],
    openssl: 'agrees',
  },
  {
    title: 'six intermediates deep, as deep as the proxy looks',
    offer: () => deep(6),
    sends: ['CN=ca-6', 'CN=ca-5', 'CN=ca-4', 'CN=ca-3', 'CN=ca-2', 'CN=ca-1'],
    openssl: 'agrees',
  },
  {
    title: 'for servers and clients by name',
    offer: () => below({ purposes: [clientAuth, serverAuth] }),
    sends: ['CN=issuer'],
    openssl: 'agrees',
  },
  {
    title: 'with an extension that nobody knows and nobody must know',
    offer: () => below({ extensions: [unknown(false)] }),
    sends: ['CN=issuer'],
    openssl: 'agrees',
  },
  ...[
    ['cluster.local', 'constrained to the trust domain'],
    ['.CLUSTER.local', 'constrained to what is below the trust domain, in capitals'],
    [meshSuffix, 'constrained to exactly the identities of the mesh'],
    [`gatehouse.${meshSuffix}`, "constrained to the control plane's own namespace"],
  ].map(([base = '', title = '']) => ({
    title,
    offer: constrained({ permitted: ['example.com', base] }),
    sends: ['CN=issuer'],
    openssl: 'agrees' as const,
  })),
  {
    title: 'when other names and one namespace are excluded',
    offer: constrained({ excluded: ['example.com', `kube-system.${meshSuffix}`] }),
    sends: ['CN=issuer'],
    openssl: 'agrees',
  },
  {
    title: 'with constraints on addresses, of which the mesh certifies none',
    offer: constrained({ other: [anIpSubtree] }),
    sends: ['CN=issuer'],
    openssl: 'agrees',
  },
];

export const refusedCases: readonly RefusedCase[] = [
  {
    title: 'it is not a CA',
    offer: () => below({ isCa: false }),
    why: /CN=issuer is not a CA/,
    openssl: 'agrees',
  },
  {
    title: 'it may not sign certificates',
    offer: () => below({ usages: KeyUsageFlags.digitalSignature }),
    why: /may not sign/,
    openssl: 'agrees',
  },
  {
    title: 'it has expired',
    offer: () => below({ notAfter: Date.now() - 60_000 }),
    why: /CN=issuer expired at 20/,
    openssl: 'agrees',
  },
  {
    title: 'it is not valid yet',
    offer: () => below({ notBefore: Date.now() + dayMs, notAfter: Date.now() + 2 * dayMs }),
    why: /valid only from 20/,
    openssl: 'agrees',
  },
  {
    title: 'it comes with the key of another',
    offer: async () => ({ ...(await below({})), keyMatches: false }),
    why: /private key belongs to another/,
    openssl: { differs: 'it is shown no key' },
  },
  {
    title: 'it is only for clients',
    offer: () => below({ purposes: [clientAuth] }),
    why: /extendedKeyUsage without/,
    openssl: 'agrees',
  },
  {
    title: 'it is for any purpose, which webpki does not take for the one at hand',
    offer: () => below({ purposes: [anyPurpose] }),
    why: /extendedKeyUsage without/,
    openssl: 'agrees',
  },
  {
    title: 'it has an unknown critical extension',
    offer: () => below({ extensions: [unknown(true)] }),
    why: /critical extension 1\.3\.6\.1\.5\.5\.7\.1\.24/,
    openssl: 'agrees',
  },
  {
    title: 'it has an extension twice',
    offer: () => below({ extensions: [unknown(false), unknown(false)] }),
    why: /has the extension 1\.3\.6\.1\.5\.5\.7\.1\.24 twice/,
    openssl: { differs: 'it looks for repetitions only where it reads the extension' },
  },
  {
    title: 'it meets an empty bundle',
    offer: async () => ({ ...(await below({})), anchors: [] }),
    why: /no trust anchor/,
    openssl: 'agrees',
  },
  {
    title: 'it has a root that nobody trusts',
    offer: async () => ({ ...(await below({})), anchors: [await aCa({ name: 'other root' })] }),
    why: /does not chain to a trust anchor/,
    openssl: 'agrees',
  },
  {
    title: 'it names an anchor that did not sign it',
    offer: async () => ({ ...(await below({})), anchors: [await aCa()] }),
    why: /not signed by the key of CN=root/,
    openssl: 'agrees',
  },
  {
    title: 'it names an anchor whose key is of another kind',
    offer: async () => ({ ...(await below({})), anchors: [await aCa({ key: 'RSA' })] }),
    why: /not signed by the key of CN=root/,
    openssl: 'agrees',
  },
  {
    title: "it writes its root's name in another way, since proxies compare bytes",
    offer: () => below({ writesIssuerAs: 'utf8String' }),
    why: /does not chain to a trust anchor/,
    openssl: { differs: 'it compares names as people read them (RFC 5280 §7.1)' },
  },
  {
    title: 'it lacks an intermediate',
    offer: async () => {
      const { issuer, anchors } = await deep(2);
      return offer(issuer, anchors);
    },
    why: /CN=ca-2 does not chain/,
    openssl: 'agrees',
  },
  {
    title: 'it stands below a CA that allows none below it',
    offer: () => underTop({ pathLength: 0 }),
    why: /CN=top allows 0 CAs below it, there are 1/,
    openssl: 'agrees',
  },
  {
    title: 'it stands below a CA that allows none below it but itself, which webpki counts too',
    offer: async () => {
      const root = await aCa();
      const top = await aCa({ name: 'top', pathLength: 0, parent: root });
      return offer(await aCa({ name: 'top', parent: top }), [root], [top]);
    },
    why: /CN=top allows 0 CAs below it, there are 1/,
    openssl: { differs: 'self-issued certificates do not count (RFC 5280 §4.2.1.9)' },
  },
  {
    title: 'it stands too deep below its root',
    offer: async () => {
      const root = await aCa({ pathLength: 1 });
      const [issuer, ...others] = await aChain(2, root);
      return offer(issuer, [root], others);
    },
    why: /CN=root allows 1 CAs below it, there are 2/,
    openssl: 'agrees',
  },
  {
    title: 'it stands below a certificate that is not a CA',
    offer: () => underTop({ isCa: false }),
    why: /CN=top is not a CA/,
    openssl: 'agrees',
  },
  {
    title: 'it stands below an expired CA',
    offer: () => underTop({ notAfter: Date.now() - 60_000 }),
    why: /CN=top expired/,
    openssl: 'agrees',
  },
  {
    title: 'its anchor has expired',
    offer: () => below({}, { notAfter: Date.now() - 60_000 }),
    why: /CN=root expired/,
    openssl: 'agrees',
  },
  {
    title: 'it is signed with SHA-1',
    offer: () => below({ hash: 'SHA-1' }),
    why: /algorithm that proxies refuse/,
    openssl: { differs: 'the security level of its command takes SHA-1' },
  },
  {
    title: 'it is signed with RSA-PSS',
    offer: () => below({}, { key: 'RSA-PSS' }),
    why: /algorithm that proxies refuse/,
    openssl: { differs: 'it knows RSA-PSS' },
  },
  {
    title: 'its root has a short key',
    offer: () => below({}, { key: 'RSA-1024' }),
    why: /CN=root has a key that proxies do not verify with/,
    openssl: { differs: 'the security level of its command takes 1024 bits' },
  },
  ...(['P-521', 'Ed25519', 'RSA-1024'] as const).map((key) => ({
    title: `it has a key of ${key}`,
    offer: () => below({ key }),
    why: /its key is (?:ECDSA secp521r1|ed25519|RSA 1024)/,
    openssl: { differs: 'it takes what it can verify' },
  })),
  {
    title: 'it stands seven deep',
    offer: () => deep(7),
    why: /more than 6 intermediates/,
    openssl: { differs: 'it looks a hundred deep' },
  },
  {
    title: 'it is signed in a circle',
    offer: async () => {
      const first = await aCa({ name: 'a' });
      const second = await aCa({ name: 'b', parent: first });
      const issuer = await aCa({ name: 'a', keys: first, parent: second });
      return offer(issuer, [await aCa()], [second, issuer]);
    },
    why: /does not chain to a trust anchor/,
    openssl: 'agrees',
  },
  {
    title: 'the same CA stands in its path twice',
    offer: async () => {
      const root = await aCa();
      const top = await aCa({ name: 'top', parent: root });
      const middle = await aCa({ name: 'middle', parent: top });
      const again = await aCa({ name: 'middle', keys: middle, parent: await aCa({ name: 'other' }) });
      return offer(await aCa({ parent: again }), [await aCa({ name: 'unrelated' })], [again, middle, top]);
    },
    why: /does not chain to a trust anchor/,
    openssl: 'agrees',
  },
  {
    title: 'more lies beside it than any chain needs',
    offer: async () => {
      const root = await aCa();
      const others = await Promise.all(
        Array.from({ length: 17 }, (_, at) => aCa({ name: `x${at}`, parent: root })),
      );
      return offer(await aCa({ parent: root }), [root], others);
    },
    why: /18 certificates lie beside its key/,
    openssl: { differs: 'it has no such bound' },
  },
  {
    title: 'it may certify other names only',
    offer: constrained({ permitted: ['example.com'] }),
    why: /CN=issuer forbids the names of this mesh/,
    openssl: 'agrees',
  },
  {
    title: 'the names of the mesh are excluded',
    offer: constrained({ permitted: ['cluster.local'], excluded: [`.${meshSuffix}`] }),
    why: /CN=issuer forbids the names of this mesh/,
    openssl: 'agrees',
  },
  {
    title: "its root's constraints forbid the names of the mesh",
    offer: () => below({}, { constraints: { excluded: ['local'] } }),
    why: /CN=root forbids the names of this mesh/,
    openssl: 'agrees',
  },
  {
    title: "it may certify workloads of one namespace, and that is not the control plane's",
    offer: constrained({ permitted: [`demo.${meshSuffix}`] }),
    why: /CN=issuer forbids gatehouse-identity\.gatehouse\.serviceaccount/,
    openssl: 'agrees',
  },
  {
    title: 'it has a DNS name of its own that its root forbids',
    offer: () => below({ dnsNames: ['ca.example.com'] }, { constraints: { permitted: ['cluster.local'] } }),
    why: /CN=root forbids ca\.example\.com/,
    openssl: 'agrees',
  },
  {
    title: 'its constraints are on directory names, which proxies cannot compare',
    offer: constrained({ other: [directoryName] }),
    why: /name constraints of a kind/,
    openssl: 'agrees',
  },
  {
    title: 'its constraints cannot be read by proxies',
    offer: constrained({ other: [withMinimum] }),
    why: /a list of subtrees cannot be read/,
    openssl: 'agrees',
  },
];
