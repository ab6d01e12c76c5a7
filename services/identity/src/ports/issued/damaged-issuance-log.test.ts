import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import { anIntent } from '../../../testing/issuance-builder.ts';
import { aPath, issue, lines, opened, serials, written } from '../../../testing/written-issuance-log.ts';

describe('what is not a file of issued certificates', () => {
  const foreign: readonly (readonly [string, string])[] = [
    ['a text', 'root:x:0:0:root:/root:/bin/sh\n'],
    ['a line without an end', 'something'],
    ['JSON of others', '{"n":0,"kind":"begin"}\n{"n":1}\n'],
    ['an item of an older Gatehouse', '{"serial":"01","leafSha256":"aa"}\n'],
    ['zeros', '\0'.repeat(5_000)],
  ];
  it('is tried with 5 kinds', () => assert.equal(foreign.length, 5));
  for (const [title, content] of foreign) {
    it(`stops the start and is left as it is: ${title}`, async (test) => {
      const path = await aPath(test);
      await writeFile(path, content);
      await assert.rejects(opened(test, path), {
        code: 'failed-precondition',
        message: /issuance\.log.*is left as it is.*GATEHOUSE_ISSUANCE_LOG/,
      });
      assert.equal(await readFile(path, 'utf8'), content);
    });
  }

  it('stops the start too when it is from a newer version', async (test) => {
    const path = await written(test);
    const [begin = ''] = (await readFile(path, 'utf8')).split('\n');
    const { createHash } = await import('node:crypto');
    const text = begin.replace(/,"sum".*/, '').replace('"version":1', '"version":2');
    const sum = createHash('sha256').update(text).digest('hex').slice(0, 16);
    const newer = `${text},"sum":"${sum}"}\n`;
    await writeFile(path, newer);
    await assert.rejects(opened(test, path), { code: 'failed-precondition', message: /another version/ });
    assert.equal(await readFile(path, 'utf8'), newer);
  });

  it('stops the start when it is a folder or a device', async (test) => {
    const path = await aPath(test);
    await mkdir(path);
    await assert.rejects(opened(test, path), { code: 'failed-precondition', message: /EISDIR/ });
  });

  it('may be an empty file that was made beforehand', async (test) => {
    const path = await aPath(test);
    await writeFile(path, '', { mode: 0o644 });
    await issue(await opened(test, path), '01');
    assert.equal((await lines(path)).length, 2);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });
});

describe('a damaged file of issued certificates', () => {
  interface Damaged {
    readonly title: string;
    readonly damage: (lines: readonly string[]) => string;
    readonly left: readonly string[];
    readonly lines: number;
  }
  const join = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
  // begin, intent 01, signed 01, intent 02, signed 02, intent 03, signed 03
  const cases: readonly Damaged[] = [
    {
      title: 'a bit that flipped in a serial',
      damage: (all) => join(all.with(1, all[1]?.replace('"serial":"01"', '"serial":"11"') ?? '')),
      left: ['03', '02'],
      lines: 1,
    },
    {
      title: 'a line end that became something else, which costs both lines',
      damage: (all) => join(all).replace('}\n{"n":4', '}x{"n":4'),
      left: ['03', '01'],
      lines: 2,
    },
    {
      title: 'a line that was taken out',
      damage: (all) => join(all.toSpliced(3, 1)),
      left: ['03', '01'],
      lines: 1,
    },
    {
      title: 'a line that was put in',
      damage: (all) => join(all.toSpliced(3, 0, 'a remark')),
      left: ['03', '02', '01'],
      lines: 1,
    },
    {
      title: 'a line that was copied',
      damage: (all) => join(all.toSpliced(3, 0, all[0] ?? '')),
      left: ['03', '02', '01'],
      // The copy, and the step from its number to the next.
      lines: 3,
    },
    {
      title: 'a remark at the end',
      damage: (all) => join([...all, 'a remark']),
      left: ['03', '02', '01'],
      lines: 1,
    },
    { title: 'a lost beginning', damage: (all) => join(all.slice(2)), left: ['03', '02'], lines: 1 },
    {
      title: 'zeros in the middle',
      damage: (all) => join(all.with(3, '\0'.repeat(300))),
      left: ['03', '01'],
      lines: 1,
    },
  ];
  it('is one of 8', () => assert.equal(cases.length, 8));
  for (const { title, damage, left, lines: expected } of cases) {
    it(`loses nothing around ${title}`, async (test) => {
      const path = await written(test);
      const changed = damage((await readFile(path, 'utf8')).split('\n').slice(0, -1));
      await writeFile(path, changed);
      const recording = new RecordingLog();
      const log = await opened(test, path, { log: recording });
      assert.deepEqual(serials(log), left);
      assert.equal(log.damage.lines, expected);
      assert.equal(recording.lines('error').length, expected === 0 ? 0 : 1);
      await issue(log, '04');
      await log.close();
      assert.ok((await readFile(path, 'utf8')).startsWith(changed), 'nothing of it was changed');
      const again = await opened(test, path);
      assert.deepEqual(serials(again), ['04', ...left]);
      assert.equal(again.damage.lines, expected);
    });
  }

  it('loses a line that was being written when the process died, and says no more of it', async (test) => {
    const path = await written(test);
    const whole = await readFile(path);
    for (const torn of ['{"n":7,"kind":"int', '\0\0\0\0', '{"n":7,"ki\0\0\0\0}\n']) {
      await writeFile(path, whole);
      await appendFile(path, torn);
      const log = await opened(test, path);
      assert.deepEqual(serials(log), ['03', '02', '01']);
      assert.equal(log.damage.lines, 0);
      assert.deepEqual(await readFile(path), whole);
      await log.close();
    }
  });
});

describe('a file of issued certificates that others change while it is written', () => {
  it('goes on in a new one when it is renamed, as logrotate does', async (test) => {
    const path = await written(test);
    const log = await opened(test, path);
    await rename(path, `${path}.1`);
    await issue(log, '04');
    assert.deepEqual(
      (await lines(path)).map(({ n, kind }) => [n, kind]),
      [
        [7, 'begin'],
        [8, 'intent'],
      ],
    );
    assert.equal((await lines(`${path}.1`)).length, 7);
    await rename(path, `${path}.2`);
    // The `create` of logrotate.
    await writeFile(path, '', { mode: 0o640 });
    await issue(log, '05');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(serials(log), ['05', '04', '03', '02', '01']);
    assert.equal(log.damage.lines, 0);
  });

  it('says so when it is deleted, and goes on in a new one', async (test) => {
    const path = await written(test);
    const recording = new RecordingLog();
    const log = await opened(test, path, { log: recording });
    await rm(path);
    await issue(log, '04');
    assert.equal((await lines(path)).length, 2);
    assert.match(recording.lines('error').join(), /the issuance log was deleted/);
    assert.equal(log.damage.lines, 1);
  });

  it('says so when it is cut, and goes on at its end', async (test) => {
    const path = await written(test);
    const recording = new RecordingLog();
    const log = await opened(test, path, { log: recording });
    // What copytruncate of logrotate does.
    await truncate(path, 0);
    await issue(log, '04');
    assert.deepEqual(
      (await lines(path)).map(({ kind }) => kind),
      ['intent'],
    );
    assert.match(recording.lines('error').join(), /the issuance log was cut/);
  });

  it('keeps what another program wrote into it', async (test) => {
    const path = await written(test);
    const log = await opened(test, path);
    await appendFile(path, 'a remark\n');
    await issue(log, '04');
    assert.match(await readFile(path, 'utf8'), /\na remark\n\{"n":7,"kind":"intent"/);
    assert.equal(log.damage.lines, 1);
  });

  it('signs nothing while another process writes it too', async (test) => {
    const path = await written(test);
    const copy = await aPath(test);
    await writeFile(copy, await readFile(path));
    const other = await opened(test, copy);
    await issue(other, '04');
    await other.close();
    const log = await opened(test, path);
    await writeFile(path, await readFile(copy));
    await assert.rejects(log.intend(anIntent('05')), {
      code: 'unavailable',
      message: /another process writes it/,
    });
    assert.match(log.failure?.why ?? '', /another process/);
  });
});
