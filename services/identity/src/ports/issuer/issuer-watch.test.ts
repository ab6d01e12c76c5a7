import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { silentLog } from '@gatehouse/platform/log/log';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { aCa, type TestCa } from '../../../testing/ca-builder.ts';
import type { IssuerFiles } from './issuer-files.ts';
import { IssuerKeeper } from './issuer-keeper.ts';
import type { KeptIssuer } from './kept-issuer.ts';

const never = 86_400_000;

interface Mounted {
  readonly root: TestCa;
  readonly base: string;
  readonly mount: string;
  readonly anchors: string;
}

/** A keeper that reads its files only when something stirs, on folders that are not there yet. */
const watching = async (
  test: TestContext,
  {
    pollEveryMs = never,
    at = (base: string): Partial<IssuerFiles> => ({ anchors: [join(base, 'roots', 'ca-bundle.crt')] }),
  } = {},
) => {
  const base = await temporaryFolder(test);
  const mount = join(base, 'issuer');
  const accepted: KeptIssuer[] = [];
  let heard = Promise.withResolvers<void>();
  const keeper = new IssuerKeeper({
    files: {
      issuer: { kind: 'folder', path: mount },
      anchors: [join(base, 'roots', 'ca-bundle.crt')],
      ...at(base),
    },
    mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
    log: silentLog,
    now: Date.now,
    pollEveryMs,
    onChange: async (issuer) => {
      accepted.push(issuer);
      heard.resolve();
    },
  });
  const end = new AbortController();
  const running = keeper.run(end.signal);
  test.after(async () => {
    end.abort();
    await running;
  });
  const fixture: Mounted = { root: await aCa(), base, mount, anchors: join(base, 'roots', 'ca-bundle.crt') };
  return {
    ...fixture,
    keeper,
    accepted,
    /** Waits until this very issuer is in use, with so many anchors. */
    until: async (issuer: TestCa, anchors = 1): Promise<void> => {
      for (;;) {
        const last = accepted.at(-1);
        const isIt = last !== undefined && Buffer.from(last.judged.certificate.der).equals(issuer.der);
        if (isIt && last.anchors.length === anchors) return;
        await heard.promise;
        heard = Promise.withResolvers<void>();
      }
    },
  };
};

/** As kubelet mounts a Secret or ConfigMap: a folder with a time in its name, reached by the link `..data`. */
const project = async (
  mount: string,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<void> => {
  await mkdir(join(mount, name), { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    await writeFile(join(mount, name, file), content);
    await symlink(join('..data', file), join(mount, file)).catch(() => {});
  }
  await symlink(name, join(mount, '..data_tmp'));
  await rename(join(mount, '..data_tmp'), join(mount, '..data'));
};

const secretOf = (issuer: TestCa, names = ['tls.crt', 'tls.key']): Readonly<Record<string, string>> => {
  const [certificate = '', key = ''] = names;
  return { [certificate]: issuer.pem, [key]: issuer.keyPem };
};

const place = async (folder: string, files: Readonly<Record<string, string>>): Promise<void> => {
  await mkdir(folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) await writeFile(join(folder, file), content);
};

describe('an issuer that is watched', () => {
  for (const names of [
    ['tls.crt', 'tls.key'],
    ['crt.pem', 'key.pem'],
  ]) {
    it(`is seen in a mounted Secret (${names.join(', ')}) that appears, is swapped, and swapped again`, async (test) => {
      const { root, mount, anchors, until } = await watching(test);
      await place(join(anchors, '..'), { 'ca-bundle.crt': root.pem });
      for (const at of ['..2026_01', '..2026_02', '..2026_03']) {
        const issuer = await aCa({ parent: root });
        await project(mount, at, secretOf(issuer, names));
        await until(issuer);
        // Kubelet removes what it replaced.
        if (at !== '..2026_01') await rm(join(mount, '..2026_01'), { recursive: true, force: true });
      }
    });
  }

  it('is seen when its files are renamed in, and when they are written in place', async (test) => {
    const { root, mount, anchors, until } = await watching(test);
    const [first, second, third] = [
      await aCa({ parent: root }),
      await aCa({ parent: root }),
      await aCa({ parent: root }),
    ];
    await place(join(anchors, '..'), { 'ca-bundle.crt': root.pem });
    await place(mount, secretOf(first));
    await until(first);
    await place(mount, { '.crt': second.pem, '.key': second.keyPem });
    await rename(join(mount, '.key'), join(mount, 'tls.key'));
    await rename(join(mount, '.crt'), join(mount, 'tls.crt'));
    await until(second);
    await place(mount, secretOf(third));
    await until(third);
  });

  it('is seen when the bundle alone changes, in a mounted ConfigMap and in a file', async (test) => {
    const { root, mount, anchors, until } = await watching(test);
    const next = await aCa({ name: 'next root' });
    const roots = join(anchors, '..');
    const issuer = await aCa({ parent: root });
    await place(mount, secretOf(issuer));
    await project(roots, '..1', { 'ca-bundle.crt': root.pem });
    await until(issuer, 1);
    await project(roots, '..2', { 'ca-bundle.crt': root.pem + next.pem });
    await until(issuer, 2);
    await rm(anchors);
    await writeFile(anchors, root.pem);
    await until(issuer, 1);
    await writeFile(anchors, root.pem + next.pem);
    await until(issuer, 2);
  });

  it('is seen again after its folder was removed, moved away, and made again', async (test) => {
    const { root, base, mount, anchors, until } = await watching(test);
    await place(join(anchors, '..'), { 'ca-bundle.crt': root.pem });
    const remove = [
      () => rm(mount, { recursive: true }),
      () => rename(mount, join(base, 'elsewhere')),
      () => rm(mount, { recursive: true }),
    ];
    for (const away of remove) {
      const issuer = await aCa({ parent: root });
      await place(mount, secretOf(issuer));
      await until(issuer);
      await away();
    }
    const last = await aCa({ parent: root });
    await project(mount, '..1', secretOf(last));
    await until(last);
  });

  it('is seen when a link that leads to its folder is turned', async (test) => {
    const { root, base, mount, anchors, until } = await watching(test);
    await place(join(anchors, '..'), { 'ca-bundle.crt': root.pem });
    for (const version of ['v1', 'v2']) {
      const issuer = await aCa({ parent: root });
      await place(join(base, version), secretOf(issuer));
      await symlink(version, join(base, 'link'));
      await rename(join(base, 'link'), mount);
      await until(issuer);
    }
  });

  it('is never read in halves, whichever half is written first', async (test) => {
    const { root, mount, anchors, accepted, until } = await watching(test);
    await place(join(anchors, '..'), { 'ca-bundle.crt': root.pem });
    const all: TestCa[] = [];
    for (let count = 0; count < 6; count += 1) {
      const issuer = await aCa({ parent: root });
      all.push(issuer);
      const files = Object.entries(secretOf(issuer));
      for (const [name, content] of count % 2 === 0 ? files : files.toReversed()) {
        await place(mount, { [name]: content });
      }
      await until(issuer);
    }
    const signers = accepted.map(({ judged }) => judged.certificate.fingerprint);
    assert.equal(new Set(signers).size, all.length);
  });

  it('is found by polling alone where nothing can be watched', async (test) => {
    const { root, mount, anchors, until } = await watching(test, { pollEveryMs: 5 });
    const issuer = await aCa({ parent: root });
    await place(join(anchors, '..'), { 'ca-bundle.crt': root.pem });
    await place(mount, secretOf(issuer));
    await until(issuer);
  });

  it('is not read again for what happens beside it', async (test) => {
    const { root, mount, anchors, keeper, until } = await watching(test);
    await place(join(anchors, '..'), { 'ca-bundle.crt': root.pem });
    const issuer = await aCa({ parent: root });
    await place(mount, secretOf(issuer));
    await until(issuer);
    let reads = 0;
    const check = keeper.check.bind(keeper);
    keeper.check = async () => {
      reads += 1;
      await check();
    };
    for (let count = 0; count < 20; count += 1) await place(mount, { 'other.log': `${count}` });
    const next = await aCa({ parent: root });
    await place(mount, secretOf(next));
    await until(next);
    assert.ok(reads <= 4, `${reads} reads for one change`);
  });
});

describe('a bundle that is being written', () => {
  it('is not mistaken for a shorter one', async (test) => {
    const { root, mount, anchors, keeper, until } = await watching(test);
    const next = await aCa({ name: 'next root' });
    const issuer = await aCa({ parent: root });
    await place(mount, secretOf(issuer));
    await place(join(anchors, '..'), { 'ca-bundle.crt': root.pem + next.pem });
    await until(issuer, 2);
    await writeFile(anchors, root.pem + next.pem.slice(0, 200));
    while (keeper.rejected === undefined) await keeper.check();
    assert.match(keeper.rejected.problems[0]?.found ?? '', /ca-bundle\.crt ends within a certificate/);
    assert.equal(keeper.current?.anchors.length, 2);
  });
});
