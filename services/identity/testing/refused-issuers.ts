import { aCa, KeyUsageFlags } from './ca-builder.ts';
import {
  aChain,
  anyPurpose,
  below,
  clientAuth,
  constrained,
  dayMs,
  deep,
  directoryName,
  type IssuerOffer,
  meshSuffix,
  type OpensslVerdict,
  offer,
  underTop,
  unknown,
  withMinimum,
} from './issuer-offers.ts';

export interface RefusedCase {
  /** Completes "an issuer is refused if …". */
  readonly title: string;
  readonly offer: () => Promise<IssuerOffer>;
  readonly why: RegExp;
  readonly openssl: OpensslVerdict;
}

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
