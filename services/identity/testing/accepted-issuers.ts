import { aCa } from './ca-builder.ts';
import {
  aChain,
  anIpSubtree,
  below,
  clientAuth,
  constrained,
  crossSigned,
  deep,
  type IssuerOffer,
  meshSuffix,
  type OpensslVerdict,
  offer,
  serverAuth,
  unknown,
} from './issuer-offers.ts';

export interface AcceptedCase {
  /** Completes "an issuer is accepted …". */
  readonly title: string;
  readonly offer: () => Promise<IssuerOffer>;
  /** The names of what goes out with each leaf. */
  readonly sends: readonly string[];
  readonly openssl: OpensslVerdict;
}

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
