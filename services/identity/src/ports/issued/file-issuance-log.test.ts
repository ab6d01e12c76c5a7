import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLog } from '@gatehouse/platform/log/log';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import { anIntent, leafHashOf } from '../../../testing/issuance-builder.ts';
import { ScriptedDisk } from '../../../testing/scripted-disk.ts';
import {
  aPath,
  issue,
  lines,
  linesOf,
  opened,
  serials,
  written,
} from '../../../testing/written-issuance-log.ts';
import type { IssuanceRecord } from '../../core/issued/issuance-record.ts';
import { FileIssuanceLog } from './file-issuance-log.ts';

describe('the file of issued certificates', () => {
  it('holds a line for each intent before it is acknowledged, and later one for what was signed', async (test) => {
    const path = await aPath(test);
    const log = await opened(test, path, { now: () => 1_780_000_000_000 });
    await log.intend(anIntent('01'));
    const [begin, intent, ...none] = await lines(path);
    assert.deepEqual(
      { ...begin, sum: '' },
      {
        n: 0,
        kind: 'begin',
        format: 'gatehouse-issuance-log',
        version: 1,
        at: '2026-05-28T20:26:40.000Z',
        sum: '',
      },
    );
    assert.deepEqual(
      { ...intent, sum: '' },
      {
        n: 1,
        kind: 'intent',
        issuedAt: '2026-05-28T20:26:40.123Z',
        identity: 'default.demo.serviceaccount.identity.gatehouse.cluster.local',
        pod: { namespace: 'demo', name: 'frontend-0', uid: 'p1' },
        serial: '01',
        spkiSha256: 'aa',
        tbsSha256: anIntent('01').tbsSha256,
        notBefore: '2026-05-28T20:26:20.000Z',
        notAfter: '2026-05-29T20:27:00.000Z',
        suspicious: null,
        sum: '',
      },
    );
    assert.deepEqual(none, []);
    log.complete('01', 'bb');
    await log.intend(anIntent('02'));
    assert.deepEqual(
      (await lines(path)).slice(2).map(({ n, kind, serial }) => [n, kind, serial]),
      [
        [2, 'signed', '01'],
        [3, 'intent', '02'],
      ],
    );
  });

  it('writes what was signed soon, also when nobody asks for more', async (test) => {
    const path = await aPath(test);
    const log = await opened(test, path, { lingerMs: 1 });
    await issue(log, '01');
    for (;;) if ((await lines(path)).length === 3) return;
  });

  it('takes hundreds at once, each in one line, in their order, in a few flushes', async (test) => {
    const path = await aPath(test);
    let flushes = 0;
    const onFlush = (): void => {
      flushes += 1;
    };
    const log = await opened(test, path, { onFlush });
    const names = Array.from({ length: 500 }, (_, index) => index.toString(16).padStart(4, '0'));
    await Promise.all(names.map((serial) => log.intend(anIntent(serial))));
    assert.deepEqual(
      (await lines(path)).slice(1).map(({ serial }) => serial),
      names,
    );
    assert.ok(flushes <= 2, `${flushes} flushes`);
  });

  it('is remembered by the next process, with the keys of the pods', async (test) => {
    const path = await aPath(test);
    const first = await opened(test, path);
    await issue(first, '01');
    await first.intend(anIntent('02', { pod: undefined }));
    await first.intend(anIntent('03', { spkiSha256: 'bb' }));
    const before = [...first.find({})];
    assert.deepEqual(
      before.map(({ serial, leafSha256 }) => [serial, leafSha256]),
      [
        ['03', undefined],
        ['02', undefined],
        ['01', leafHashOf('01')],
      ],
    );
    await first.close();
    const told: IssuanceRecord[] = [];
    const second = await opened(test, path, { onSuspicious: (record) => void told.push(record) });
    assert.deepEqual([...second.find({})], before);
    await second.intend(anIntent('04', { spkiSha256: 'aa' }));
    assert.deepEqual(
      told.map(({ serial, suspicious }) => [serial, suspicious]),
      [['04', { newerSpkiSha256: 'bb', newerSince: anIntent('03').issuedAt }]],
    );
    await second.close();
    const third = await opened(test, path, { onSuspicious: () => assert.fail('it was told already') });
    assert.deepEqual(
      [...third.find({ suspicious: true })].map(({ serial }) => serial),
      ['04'],
    );
  });

  it('is readable for its owner alone', async (test) => {
    const path = await written(test);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it('is written by one process', async (test) => {
    const path = await aPath(test);
    const first = await opened(test, path);
    await assert.rejects(opened(test, path), { code: 'already-exists', message: /GATEHOUSE_ISSUANCE_LOG/ });
    await first.close();
    await opened(test, path);
  });

  it('cannot be used after its end', async (test) => {
    const path = await written(test);
    const log = await opened(test, path);
    await log.close();
    await assert.rejects(log.intend(anIntent('04')), { code: 'unavailable' });
    assert.equal((await lines(path)).length, 7);
  });
});

describe('a file of issued certificates of limited size', () => {
  it('is set aside, and nothing is forgotten by the next process', async (test) => {
    const path = await aPath(test);
    let now = 1_780_000_000_000;
    const clock = (): number => (now += 1_000);
    const log = await opened(test, path, { maxBytes: 1_500, now: clock });
    const names = Array.from({ length: 12 }, (_, index) => `1${index.toString(16)}`);
    await issue(log, ...names);
    await log.close();
    const files = (await readdir(join(path, '..'))).filter((name) => name.startsWith('issuance.log')).sort();
    assert.ok(files.length > 3, files.join());
    assert.equal(files[0], 'issuance.log');
    assert.match(files[1] ?? '', /^issuance\.log\.20260528T2026\d\d\.\d{3}Z$/);
    const all = [...files.slice(1), 'issuance.log'].map((name) => lines(join(path, '..', name)));
    const numbers = (await Promise.all(all)).flat().map(({ n }) => n);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index),
      'the numbers go on from file to file',
    );
    const again = await opened(test, path);
    assert.deepEqual(serials(again), names.toReversed());
    assert.ok([...again.find({})].every(({ leafSha256 }) => leafSha256 !== undefined));
    assert.equal(again.damage.lines, 0);
  });

  it('keeps as many of those set aside as it is told, the latest', async (test) => {
    const path = await aPath(test);
    let now = 1_780_000_000_000;
    const log = await opened(test, path, { maxBytes: 1_000, keepFiles: 2, now: () => (now += 1_000) });
    await writeFile(`${path}.gz`, 'of somebody else');
    await issue(log, '01', '02', '03', '04', '05', '06', '07', '08', '09');
    await log.close();
    const files = await readdir(join(path, '..'));
    assert.equal(files.filter((name) => /Z$/.test(name)).length, 2);
    assert.ok(files.includes('issuance.log.gz'));
  });

  it('grows on when it cannot be set aside', async () => {
    const disk = new ScriptedDisk();
    disk.rename = () => Promise.reject(Object.assign(new Error('no'), { code: 'EPERM' }));
    const path = '/log/issuance.log';
    const first = new ScriptedDisk();
    const begun = await FileIssuanceLog.open({ path, log: silentLog, disk: first });
    await begun.close();
    disk.put(path, first.content(path));
    const recording = new RecordingLog();
    const log = await FileIssuanceLog.open({ path, log: recording, disk, maxBytes: 100 });
    await issue(log, '01', '02', '03');
    assert.equal(recording.lines('error').length, 1, 'said once a minute');
    assert.deepEqual(serials(log), ['03', '02', '01']);
    await log.close();
    assert.equal(linesOf(disk.content(path).toString()).length, 7);
  });
});

describe('a file of issued certificates that cannot be written', () => {
  it('says so, refuses, is tried again without anybody asking, and records the gap', async (test) => {
    const disk = new ScriptedDisk({ fullAfterBytes: 900 });
    const path = '/log/issuance.log';
    const recording = new RecordingLog();
    let now = 1_780_000_000_000;
    const log = await FileIssuanceLog.open({ path, log: recording, disk, retryMs: 1, now: () => now });
    test.after(() => log.close());
    await issue(log, '01');
    await assert.rejects(log.intend(anIntent('02')), {
      code: 'unavailable',
      message: 'the certificate cannot be recorded and was not signed (ENOSPC): try again',
    });
    assert.deepEqual(log.failure, { since: now, why: 'ENOSPC', refused: 1 });
    assert.match(recording.lines('error').join(), /cannot be written: no certificate is signed until it can/);
    now += 5_000;
    disk.freeSpace();
    await recording.until('info', /written again/);
    assert.equal(log.failure, undefined);
    await issue(log, '03');
    assert.deepEqual(serials(log), ['03', '01']);
    const found = linesOf(disk.content(path).toString());
    assert.deepEqual(
      found.map(({ n, kind }) => [n, kind]),
      [
        [0, 'begin'],
        [1, 'intent'],
        [2, 'resumed'],
        [3, 'signed'],
        [4, 'intent'],
      ],
    );
    const { sum: _, ...resumed } = found[2] ?? { sum: '' };
    assert.deepEqual(resumed, {
      n: 2,
      kind: 'resumed',
      at: '2026-05-28T20:26:45.000Z',
      failedSince: '2026-05-28T20:26:40.000Z',
      refused: 1,
      why: 'ENOSPC',
    });
  });
});
