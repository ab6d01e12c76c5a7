import { aCa, type Constraints, Extension, type TestCa } from './ca-builder.ts';

/** What an operator could put into the issuer's files and the bundle. */
export interface IssuerOffer {
  readonly issuer: TestCa;
  /** What lies beside it in `tls.crt`, in this order. */
  readonly others: readonly TestCa[];
  readonly anchors: readonly TestCa[];
  readonly keyMatches: boolean;
}

/** What OpenSSL, asked strictly, makes of a leaf below the offer; `differs` says why not what we make of it. */
export type OpensslVerdict = 'agrees' | { readonly differs: string };

export const dayMs = 86_400_000;
export const meshSuffix = 'serviceaccount.identity.gatehouse.cluster.local';

type Parts = NonNullable<Parameters<typeof aCa>[0]>;

export const offer = (
  issuer: TestCa,
  anchors: readonly TestCa[],
  others: readonly TestCa[] = [],
): IssuerOffer => ({
  issuer,
  anchors,
  others,
  keyMatches: true,
});

export const below = async (parts: Parts, rootParts: Parts = {}): Promise<IssuerOffer> => {
  const root = await aCa(rootParts);
  return offer(await aCa({ ...parts, parent: root }), [root]);
};

export const constrained = (constraints: Constraints) => () => below({ constraints });

/** A chain of so many CAs below a root, the lowest first. */
export const aChain = async (length: number, root: TestCa): Promise<readonly [TestCa, ...TestCa[]]> => {
  let chain: readonly [TestCa, ...TestCa[]] = [await aCa({ name: 'ca-1', parent: root })];
  for (let depth = 2; depth <= length; depth += 1) {
    chain = [await aCa({ name: `ca-${depth}`, parent: chain[0] }), ...chain];
  }
  return chain;
};

export const deep = async (length: number): Promise<IssuerOffer> => {
  const root = await aCa();
  const [issuer, ...others] = await aChain(length, root);
  return offer(issuer, [root], others);
};

/** The issuer below `top` below a root. */
export const underTop = async (top: Parts, issuer: Parts = {}): Promise<IssuerOffer> => {
  const root = await aCa();
  const middle = await aCa({ name: 'top', ...top, parent: root });
  return offer(await aCa({ ...issuer, parent: middle }), [root], [middle]);
};

/** A new root, certified by the old one too, so that those who trust only the old one believe it. */
export const crossSigned = async () => {
  const old = await aCa({ name: 'old root' });
  const fresh = await aCa({ name: 'new root' });
  const cross = await aCa({ name: 'new root', keys: fresh, parent: old });
  return { old, fresh, cross, issuer: await aCa({ parent: fresh }) };
};

export const serverAuth = '1.3.6.1.5.5.7.3.1';
export const clientAuth = '1.3.6.1.5.5.7.3.2';
export const anyPurpose = '2.5.29.37.0';
export const unknown = (critical: boolean) =>
  new Extension('1.3.6.1.5.5.7.1.24', critical, new Uint8Array([48, 0]));
export const directoryName = Uint8Array.fromHex('3013a411300f310d300b06035504030c0474657374');
export const withMinimum = Uint8Array.fromHex('3012820d636c75737465722e6c6f63616c800101');
export const anIpSubtree = Uint8Array.fromHex('300a87080a000000ff000000');
