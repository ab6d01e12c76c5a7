import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { printProblem } from '@gatehouse/core/problem';
import type { EventNote } from '@gatehouse/platform/kube/write/events';
import { silentLog } from '@gatehouse/platform/log/log';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { aCa, type TestCa } from '../../../testing/ca-builder.ts';
import type { IssuerFiles } from './issuer-files.ts';
import { IssuerKeeper } from './issuer-keeper.ts';
import type { KeptIssuer } from './kept-issuer.ts';

const hourMs = 3_600_000;

const write = async (folder: string, issuer: TestCa, names = ['tls.crt', 'tls.key']): Promise<void> => {
  const [certificate = '', key = ''] = names;
  await writeFile(join(folder, certificate), issuer.pem);
  await writeFile(join(folder, key), issuer.keyPem);
};

const aKeeper = async (test: TestContext, files: (folder: string) => Partial<IssuerFiles> = () => ({})) => {
  const folder = await temporaryFolder(test);
  const anchors = join(folder, 'ca-bundle.crt');
  const accepted: KeptIssuer[] = [];
  const events: EventNote[] = [];
  let clock = Date.now();
  const keeper = new IssuerKeeper({
    files: { issuer: { kind: 'folder', path: folder }, anchors: [anchors], ...files(folder) },
    mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
    log: silentLog,
    events: { record: (event) => void events.push(event) },
    pollEveryMs: 2,
    now: () => clock,
    onChange: async (issuer) => void accepted.push(issuer),
  });
  return {
    folder,
    anchors,
    keeper,
    accepted,
    events,
    inUse: () => keeper.usable?.judged.certificate.serial,
    reason: () => keeper.rejected?.problems.map(printProblem).join('; '),
    now: () => clock,
    pass: (ms: number) => {
      clock += ms;
    },
  };
};

const serialOf = ({ der }: TestCa): string => {
  const length = der[0x0e] ?? 0;
  assert.equal(length, 16);
  return der.subarray(0x0f, 0x0f + length).toHex();
};

describe('the issuer that is kept', () => {
  for (const names of [
    ['tls.crt', 'tls.key'],
    ['crt.pem', 'key.pem'],
  ]) {
    it(`is read from ${names.join(' and ')}`, async (test) => {
      const { keeper, folder, anchors, inUse, accepted } = await aKeeper(test);
      const root = await aCa();
      const issuer = await aCa({ parent: root });
      await write(folder, issuer, names);
      await writeFile(anchors, root.pem);
      await keeper.check();
      assert.equal(inUse(), serialOf(issuer));
      assert.equal(accepted.length, 1);
      assert.equal(keeper.usable?.bundle, root.pem);
    });
  }

  it('is read from two files, as the embedded CA has them', async (test) => {
    const { keeper, folder, anchors, inUse } = await aKeeper(test, (at) => ({
      issuer: { kind: 'files', certificate: join(at, 'issuer.crt'), key: join(at, 'issuer.key') },
    }));
    const root = await aCa();
    const issuer = await aCa({ parent: root });
    await write(folder, issuer, ['issuer.crt', 'issuer.key']);
    await writeFile(anchors, root.pem);
    await keeper.check();
    assert.equal(inUse(), serialOf(issuer));
  });

  it('hands a bundle on as it was read, whatever form it has in its file', async (test) => {
    const { keeper, folder, anchors } = await aKeeper(test);
    const [root, other] = [await aCa(), await aCa()];
    await write(folder, await aCa({ parent: root }));
    const texts = [
      other.pem.trimEnd() + root.pem,
      (other.pem + root.pem).replaceAll(/^/gm, '    '),
      `# roots\n${other.pem}\n${root.keyPem}${root.pem}`,
    ];
    for (const text of texts) {
      await writeFile(anchors, text);
      await keeper.check();
      assert.equal(keeper.usable?.bundle, other.pem + root.pem, text);
    }
    assert.equal(keeper.changes.accepted, 1);
  });

  it('takes the second bundle where the first is missing', async (test) => {
    const { keeper, folder, inUse } = await aKeeper(test, (at) => ({
      anchors: [join(at, 'missing.crt'), join(at, 'ca.crt')],
    }));
    const root = await aCa();
    const issuer = await aCa({ parent: root });
    await write(folder, issuer);
    await writeFile(join(folder, 'ca.crt'), root.pem);
    await keeper.check();
    assert.equal(inUse(), serialOf(issuer));
  });

  it('is not accepted twice', async (test) => {
    const { keeper, folder, anchors, accepted } = await aKeeper(test);
    const root = await aCa();
    await write(folder, await aCa({ parent: root }));
    await writeFile(anchors, root.pem);
    await keeper.check();
    await keeper.check();
    assert.equal(accepted.length, 1);
  });

  it('is replaced when a mounted Secret is swapped', async (test) => {
    const { keeper, folder, anchors, inUse, accepted } = await aKeeper(test);
    const root = await aCa();
    await writeFile(anchors, root.pem);
    const mount = async (name: string, issuer: TestCa): Promise<void> => {
      await mkdir(join(folder, name));
      await write(join(folder, name), issuer);
      await symlink(name, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    const [old, fresh] = [await aCa({ parent: root }), await aCa({ parent: root })];
    await mount('..1', old);
    await symlink('..data/tls.crt', join(folder, 'tls.crt'));
    await symlink('..data/tls.key', join(folder, 'tls.key'));
    await keeper.check();
    assert.equal(inUse(), serialOf(old));
    await mount('..2', fresh);
    await keeper.check();
    assert.equal(inUse(), serialOf(fresh));
    assert.equal(accepted.length, 2);
  });

  it('changes with the bundle too: what others are told to trust is part of it', async (test) => {
    const { keeper, folder, anchors, accepted } = await aKeeper(test);
    const [root, next] = [await aCa(), await aCa({ name: 'next root' })];
    await write(folder, await aCa({ parent: root }));
    await writeFile(anchors, root.pem);
    await keeper.check();
    await writeFile(anchors, root.pem + next.pem);
    await keeper.check();
    assert.equal(accepted.length, 2);
    assert.deepEqual(
      keeper.usable?.anchors.map(({ name }) => name),
      ['CN=root', 'CN=next root'],
    );
  });

  it('stays in use while what the files offer is rejected, and the reason is told until they are good again', async (test) => {
    const { keeper, folder, anchors, inUse, reason, accepted } = await aKeeper(test);
    const root = await aCa();
    const issuer = await aCa({ parent: root });
    await write(folder, issuer);
    await writeFile(anchors, root.pem);
    await keeper.check();
    const other = await aCa();
    const cases: readonly [string, RegExp, () => Promise<void>][] = [
      [
        'a key of another',
        /private key belongs to another/,
        () => writeFile(join(folder, 'tls.key'), other.keyPem),
      ],
      ['no key', /tls\.key cannot be read \(ENOENT\)/, () => rm(join(folder, 'tls.key'))],
      ['an empty key', /tls\.key holds no private key/, () => writeFile(join(folder, 'tls.key'), '')],
      ['no issuer', /holds neither tls\.crt nor crt\.pem/, () => rm(join(folder, 'tls.crt'))],
      ['an empty issuer', /tls\.crt holds no certificate/, () => writeFile(join(folder, 'tls.crt'), '')],
      [
        'half an issuer',
        /tls\.crt ends within a certificate/,
        () => writeFile(join(folder, 'tls.crt'), issuer.pem.slice(0, 300)),
      ],
      [
        'a broken issuer',
        /tls\.crt holds a certificate, number 1, that cannot be read/,
        () => writeFile(join(folder, 'tls.crt'), issuer.pem.replace(/\n.{8}/, '\nAAAAAAAA')),
      ],
      [
        'an issuer of another root',
        /not signed by the key of CN=root/,
        async () => write(folder, await aCa({ parent: other })),
      ],
      [
        'a leaf',
        /CN=issuer is not a CA/,
        async () => write(folder, await aCa({ parent: root, isCa: false })),
      ],
      ['no bundle', /ca-bundle\.crt cannot be read \(ENOENT\)/, () => rm(anchors)],
      ['an empty bundle', /ca-bundle\.crt holds no certificate/, () => writeFile(anchors, '')],
      ['a bundle without its root', /not signed by the key of CN=root/, () => writeFile(anchors, other.pem)],
    ];
    assert.equal(cases.length, 12);
    for (const [title, why, spoil] of cases) {
      await spoil();
      await keeper.check();
      assert.equal(inUse(), serialOf(issuer), title);
      assert.match(reason() ?? '', why, title);
      await write(folder, issuer);
      await writeFile(anchors, root.pem);
      await keeper.check();
      assert.equal(reason(), undefined, title);
    }
    assert.equal(accepted.length, 1, 'the same issuer all along');
  });

  it('tells by Events what is accepted and what is not, each once', async (test) => {
    const { keeper, folder, anchors, events } = await aKeeper(test);
    const check = async (): Promise<void> => {
      for (let count = 0; count < 3; count += 1) await keeper.check();
    };
    await check();
    const root = await aCa();
    await write(folder, await aCa({ parent: root }));
    await writeFile(anchors, root.pem);
    await check();
    await write(folder, await aCa({ parent: root, isCa: false }));
    await check();
    await write(folder, await aCa({ parent: root, name: 'next' }));
    await check();
    await writeFile(anchors, root.pem + (await aCa({ name: 'next root' })).pem);
    await check();
    assert.deepEqual(
      events.map(({ type, reason, note }) => [
        type,
        reason,
        note.replace(/serial \w+|2\d{3}-\S+Z|\/\S+/g, '…'),
      ]),
      [
        [
          'Warning',
          'IssuerRejected',
          "the issuer's files are rejected, there is no other: issuer: … holds neither tls.crt nor crt.pem that can be read: mount the issuer Secret there, or correct GATEHOUSE_ISSUER_DIR",
        ],
        ['Normal', 'IssuerAccepted', 'the issuer is CN=issuer, …, below CN=root, good until …'],
        [
          'Warning',
          'IssuerRejected',
          "the issuer's files are rejected, CN=issuer stays in use: issuer: CN=issuer is not a CA: make it with basicConstraints CA:TRUE (RFC 5280 §4.2.1.9)",
        ],
        ['Normal', 'IssuerAccepted', 'the issuer is CN=next, …, below CN=root, good until …'],
        [
          'Normal',
          'IssuerAccepted',
          'the chain or the bundle of trust anchors has changed: 2 anchors, the issuer is still CN=next',
        ],
      ],
    );
    assert.deepEqual(keeper.changes, { accepted: 3, rejected: 2 });
  });

  it('keeps the time at which a reason was first seen', async (test) => {
    const { keeper, pass } = await aKeeper(test);
    await keeper.check();
    const first = keeper.rejected?.at;
    pass(hourMs);
    await keeper.check();
    assert.equal(keeper.rejected?.at, first);
  });

  it('never shows in a reason what a key file holds', async (test) => {
    const { keeper, folder, anchors, reason } = await aKeeper(test);
    const root = await aCa();
    const issuer = await aCa({ parent: root });
    await write(folder, issuer);
    await writeFile(anchors, root.pem);
    await writeFile(join(folder, 'tls.key'), issuer.keyPem.replace('PRIVATE', 'PRIVAT'));
    await keeper.check();
    const secret = issuer.keyPem.split('\n')[1] ?? '';
    assert.equal(secret.length > 20, true);
    assert.equal(reason()?.includes(secret), false);
  });

  it('is of no use before there is one, and after its chain has ended', async (test) => {
    const { keeper, folder, anchors, now, pass } = await aKeeper(test);
    await keeper.check();
    assert.equal(keeper.usable, undefined);
    const root = await aCa();
    await write(folder, await aCa({ parent: root, notAfter: now() + hourMs }));
    await writeFile(anchors, root.pem);
    await keeper.check();
    pass(hourMs - 2_000);
    assert.notEqual(keeper.usable, undefined);
    pass(2_000);
    assert.equal(keeper.usable, undefined);
    assert.notEqual(keeper.current, undefined, 'but it can still be asked about');
  });

  it('is of no use while a clock that was set back shows a time before its own, and is again afterwards', async (test) => {
    const { keeper, folder, anchors, inUse, accepted, events, pass } = await aKeeper(test);
    const root = await aCa({ notBefore: Date.now() - 1000 * hourMs });
    const issuer = await aCa({ parent: root, notBefore: Date.now() - hourMs });
    await write(folder, issuer);
    await writeFile(anchors, root.pem);
    await keeper.check();
    pass(-2 * hourMs);
    assert.equal(keeper.usable, undefined, 'at once, not with the next look at the files');
    assert.match(keeper.whyUnusable().join(), /^CN=issuer is valid only from \S+$/);
    await keeper.check();
    assert.equal(keeper.usable, undefined);
    assert.match(keeper.whyUnusable().join(), /^CN=issuer is valid only from \S+$/, 'said once');
    assert.match(
      events.at(-1)?.note ?? '',
      /rejected, there is no other: issuer: CN=issuer is valid only from/,
    );
    pass(2 * hourMs);
    await keeper.check();
    assert.equal(inUse(), serialOf(issuer));
    assert.equal(accepted.length, 1);
  });

  it('is accepted once its time has come, without the files having changed', async (test) => {
    const { keeper, folder, anchors, inUse, pass, reason } = await aKeeper(test);
    const root = await aCa({ notAfter: Date.now() + 1000 * hourMs });
    const times = { notBefore: Date.now() + hourMs, notAfter: Date.now() + 100 * hourMs };
    const issuer = await aCa({ parent: root, ...times });
    await write(folder, issuer);
    await writeFile(anchors, root.pem);
    await keeper.check();
    assert.match(reason() ?? '', /valid only from/);
    pass(hourMs);
    await keeper.check();
    assert.equal(inUse(), serialOf(issuer));
  });

  it('is looked for again and again until the end', async (test) => {
    const { keeper, folder, anchors, accepted } = await aKeeper(test);
    const end = new AbortController();
    const running = keeper.run(end.signal);
    test.after(async () => {
      end.abort();
      await running;
    });
    const root = await aCa();
    for (const count of [1, 2]) {
      await write(folder, await aCa({ parent: root }));
      await writeFile(anchors, root.pem);
      while (accepted.length < count) await sleep(2);
    }
  });
});
