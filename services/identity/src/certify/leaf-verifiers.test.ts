import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { silentLog } from '@gatehouse/platform/log/log';
import { makeCsr } from '@gatehouse/platform/tls/csr';
import { aCa, aKeyPair, type TestCa, type TestKey } from '../../testing/ca-builder.ts';
import { gnutlsVerifier, opensslVerifier } from '../../testing/verifiers/command-line-verifiers.ts';
import { handshakeVerifier, nodeLinkVerifier } from '../../testing/verifiers/node-verifiers.ts';
import { peculiarVerifier } from '../../testing/verifiers/peculiar-verifier.ts';
import {
  type LeafFiles,
  type PresentedLeaf,
  writeLeafFiles,
} from '../../testing/verifiers/presented-leaf.ts';
import { IssuerKeeper } from '../ports/issuer/issuer-keeper.ts';
import { type Caller, certify } from './certify.ts';

const keyKinds = ['P-256', 'P-384', 'RSA', 'RSA-3072', 'RSA-4096'] as const satisfies readonly TestKey[];

/** How a CA and those between it and its root are made, the root first. */
type Chain = readonly [TestKey, ...TestKey[]];

/** Every kind of issuer under every kind of root, with one, two and three intermediates; and the root as its own issuer. */
const chains: readonly Chain[] = [
  ...keyKinds.flatMap((root) =>
    keyKinds.flatMap((issuer): Chain[] => [
      [root, issuer],
      [root, 'P-256', issuer],
      [root, issuer, 'P-384', issuer],
    ]),
  ),
  ...keyKinds.map((root): Chain => [root]),
];

const mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' };
const infix = '.serviceaccount.identity.gatehouse.cluster.local';

/** ServiceAccount and namespace of names that verifiers might stumble over. */
const accounts: readonly (readonly [string, string, string])[] = [
  ['whose ServiceAccount has dots', 'a.b.c', 'demo'],
  ['that begins with digits', '0123', '42'],
  ['whose labels look like an address', '10.0.0.1', '1'],
  ['that looks like Punycode', 'xn--bcher-kva', 'demo'],
  ['with hyphens in a row', 'a--b', 'n--s'],
  ['of one letter each', 'a', 'b'],
  ['with labels of 63 bytes', 'a'.repeat(63), 'b'.repeat(63)],
  ['of 253 bytes', `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}`, 'd'.repeat(13)],
];

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const dayMs = 86_400_000;

/** Makes CAs; the keys, which cost most, once for the root and once for the others. */
const aCaMaker = async () => {
  const pairs = async (): Promise<Map<TestKey, Pick<TestCa, 'keys' | 'algorithm'>>> =>
    new Map(await Promise.all(keyKinds.map(async (kind) => [kind, await aKeyPair(kind)] as const)));
  const [ofRoots, ofOthers] = await Promise.all([pairs(), pairs()]);
  let made = 0;
  return async (kind: TestKey, parent?: TestCa): Promise<TestCa> => {
    const keys = (parent === undefined ? ofRoots : ofOthers).get(kind);
    assert.ok(keys !== undefined);
    made += 1;
    return aCa({
      name: `${kind} ${made}`,
      keys,
      notBefore: Date.now() - 30 * dayMs,
      notAfter: Date.now() + 100 * dayMs,
      ...(parent === undefined ? {} : { parent }),
    });
  };
};

interface Order {
  readonly title: string;
  readonly path: readonly TestCa[];
  readonly serviceAccount?: string;
  readonly namespace?: string;
  /** When it is issued. Default: now. */
  readonly now?: number;
}

/** Puts the CAs into files, lets the service take its issuer from there, and certifies a workload. */
const presentIn = (folder: string) => {
  let written = 0;
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  };
  return async ({
    title,
    path,
    serviceAccount = 'default',
    namespace = 'demo',
    now = Date.now(),
  }: Order): Promise<PresentedLeaf> => {
    const [root, ...between] = path;
    const issuer = path.at(-1);
    assert.ok(root !== undefined && issuer !== undefined);
    const number = written++;
    const files = {
      certificate: await write(
        `${number}.crt`,
        [...between]
          .reverse()
          .map(({ pem }) => pem)
          .join('') || root.pem,
      ),
      key: await write(`${number}.key`, issuer.keyPem),
      anchors: await write(`${number}.anchors`, root.pem),
    };
    const keeper = new IssuerKeeper({
      files: { issuer: { kind: 'files', ...files }, anchors: [files.anchors] },
      mesh,
      log: silentLog,
      now: () => now,
      onChange: async () => {},
    });
    await keeper.check();
    assert.equal(keeper.rejected, undefined, title);
    const caller: Caller = { namespace, serviceAccount, pod: { name: 'frontend-0', uid: 'p1' } };
    const identity = `${serviceAccount}.${namespace}${infix}`;
    const { leaf, intermediates } = await certify(
      {
        mesh,
        profile: { lifetimeMs: dayMs, clockSkewMs: 20_000 },
        reviewer: { review: () => caller },
        log: { intend: () => {}, complete: () => {} },
        queue: { take: async (work) => work() },
        issuer: () => keeper.usable,
        now: () => now,
      },
      { identity, token: Buffer.from('token'), certificateSigningRequest: makeCsr(key, identity) },
      { from: '10.0.0.1', signal: new AbortController().signal },
    );
    return { title, identity, key, leaf, intermediates, root: root.der };
  };
};

const verifiers = [
  await opensslVerifier(),
  await gnutlsVerifier(),
  handshakeVerifier,
  nodeLinkVerifier,
  peculiarVerifier,
];

type Shown = readonly [PresentedLeaf, LeafFiles];

describe('what Certify issues', () => {
  const good: Shown[] = [];
  const bad: Shown[] = [];
  let folder = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-leaves-'));
    const make = await aCaMaker();
    const present = presentIn(folder);
    const show = async (leaf: PresentedLeaf): Promise<Shown> => [
      leaf,
      await writeLeafFiles(folder, good.length + bad.length, leaf),
    ];
    const pathOf = async (kinds: Chain): Promise<TestCa[]> => {
      const path: TestCa[] = [];
      for (const kind of kinds) path.push(await make(kind, path.at(-1)));
      return path;
    };
    for (const kinds of chains) {
      good.push(
        await show(await present({ title: `a chain of ${kinds.join(' → ')}`, path: await pathOf(kinds) })),
      );
    }
    const path = await pathOf(['P-384', 'RSA', 'P-256']);
    for (const [title, serviceAccount, namespace] of accounts) {
      good.push(await show(await present({ title: `a name ${title}`, path, serviceAccount, namespace })));
    }
    const leaf = await present({ title: 'good', path });
    const [, ...stranger] = await pathOf(['P-384', 'RSA', 'P-256']);
    const lastByte = leaf.leaf.at(-1) ?? 0;
    const flawed: PresentedLeaf[] = [
      { ...leaf, title: 'for another name', identity: `other.demo${infix}` },
      { ...leaf, title: 'under another root', root: (await pathOf(['P-384']))[0]?.der ?? leaf.root },
      { ...leaf, title: 'without its intermediates', intermediates: [] },
      { ...leaf, title: "with somebody else's intermediates", intermediates: stranger.map(({ der }) => der) },
      { ...leaf, title: 'with a bit of its signature changed', leaf: leaf.leaf.with(-1, lastByte ^ 1) },
      await present({ title: 'of last week', path, now: Date.now() - 7 * dayMs }),
      await present({ title: 'of next week', path, now: Date.now() + 7 * dayMs }),
    ];
    for (const one of flawed) bad.push(await show(one));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('is shown in 88 good and 7 bad ways', () => assert.deepEqual([good.length, bad.length], [88, 7]));

  for (const { name, missing, refusal } of verifiers) {
    it(`is accepted by ${name}, under every kind of issuer and for every name`, {
      skip: missing ?? false,
    }, async () => {
      const refusals: string[] = [];
      for (const [leaf, files] of good) {
        const found = await refusal(leaf, files);
        if (found !== undefined) refusals.push(`${leaf.title}: ${found}`);
      }
      assert.deepEqual(refusals, []);
    });

    it(`is refused by ${name} when something is wrong with it`, { skip: missing ?? false }, async () => {
      for (const [leaf, files] of bad) {
        assert.notEqual(await refusal(leaf, files), undefined, `${name} accepts one ${leaf.title}`);
      }
    });
  }
});
