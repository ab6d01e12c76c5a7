import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { silentLog } from '@gatehouse/shared/log';
import { temporaryFolder } from '@gatehouse/shared/testing/temporary-folder';
import type { IssuanceRecord } from '../core/issuance-record.ts';
import { FileIssuanceLog } from './issuance-log.ts';

const record = (serial: string, about: Partial<IssuanceRecord> = {}): IssuanceRecord => ({
  identity: 'default.demo.serviceaccount.identity.gatehouse.cluster.local',
  pod: { namespace: 'demo', name: 'frontend-0', uid: 'p1' },
  serial,
  spkiSha256: 'aa',
  tbsSha256: 'cc',
  leafSha256: undefined,
  issuedAt: 1_780_000_000_123,
  notBefore: 1_779_999_980,
  notAfter: 1_780_086_420,
  suspicious: undefined,
  ...about,
});

const aPath = async (test: TestContext): Promise<string> => join(await temporaryFolder(test), 'issuance.log');

const serials = (log: FileIssuanceLog): readonly string[] => [...log.find({})].map(({ serial }) => serial);

const lines = async (path: string): Promise<readonly { serial: string }[]> =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { serial: string });

describe('the file of issued certificates', () => {
  it('holds a line for each before it is acknowledged', async (test) => {
    const path = await aPath(test);
    const log = await FileIssuanceLog.open(path, silentLog);
    await log.intend(record('01'));
    assert.deepEqual(await lines(path), [
      {
        issuedAt: '2026-05-28T20:26:40.123Z',
        identity: 'default.demo.serviceaccount.identity.gatehouse.cluster.local',
        pod: { namespace: 'demo', name: 'frontend-0', uid: 'p1' },
        serial: '01',
        spkiSha256: 'aa',
        tbsSha256: 'cc',
        leafSha256: null,
        notBefore: '2026-05-28T20:26:20.000Z',
        notAfter: '2026-05-29T20:27:00.000Z',
        suspicious: null,
      },
    ]);
    await log.close();
  });

  it('takes hundreds at once, each in one line, in their order', async (test) => {
    const path = await aPath(test);
    const log = await FileIssuanceLog.open(path, silentLog);
    const names = Array.from({ length: 500 }, (_, index) => index.toString(16).padStart(4, '0'));
    await Promise.all(names.map((serial) => log.intend(record(serial))));
    assert.deepEqual(
      (await lines(path)).map(({ serial }) => serial),
      names,
    );
    await log.close();
  });

  it('is remembered by the next process', async (test) => {
    const path = await aPath(test);
    const first = await FileIssuanceLog.open(path, silentLog);
    const records = [record('01'), record('02', { pod: undefined })];
    for (const one of records) await first.intend(one);
    await first.close();
    const second = await FileIssuanceLog.open(path, silentLog);
    assert.deepEqual([...second.find({})], records.reverse());
    await second.intend(record('03'));
    assert.deepEqual(serials(second), ['03', '02', '01']);
    assert.equal((await lines(path)).length, 3);
    await second.close();
  });

  it('loses nothing but the line that was being written when the process died', async (test) => {
    const path = await aPath(test);
    const first = await FileIssuanceLog.open(path, silentLog);
    await first.intend(record('01'));
    await first.close();
    const whole = await readFile(path, 'utf8');
    // A crash at any byte of the second line.
    for (let cut = 1; cut < whole.length; cut += 37) {
      await writeFile(path, whole + whole.slice(0, cut));
      const log = await FileIssuanceLog.open(path, silentLog);
      assert.deepEqual(serials(log), ['01']);
      await log.intend(record('02'));
      assert.deepEqual(
        (await lines(path)).map(({ serial }) => serial),
        ['01', '02'],
      );
      await log.close();
    }
  });

  it('passes over lines that somebody else wrote', async (test) => {
    const path = await aPath(test);
    const first = await FileIssuanceLog.open(path, silentLog);
    await first.intend(record('01'));
    await first.close();
    await appendFile(path, 'a remark\n{"serial":"02"}\n');
    const log = await FileIssuanceLog.open(path, silentLog);
    assert.deepEqual(serials(log), ['01']);
    await log.close();
  });

  it('is readable for its owner alone', async (test) => {
    const path = await aPath(test);
    await (await FileIssuanceLog.open(path, silentLog)).close();
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it('acknowledges nothing when it cannot be written', async (test) => {
    const path = await aPath(test);
    const log = await FileIssuanceLog.open(path, silentLog);
    await log.intend(record('01'));
    await log.close();
    await assert.rejects(log.intend(record('02')), { code: 'unavailable' });
    assert.deepEqual(serials(log), ['01']);
    assert.equal((await lines(path)).length, 1);
  });

  it('that is a folder stops the start and names the variable', async (test) => {
    const path = await aPath(test);
    await mkdir(path);
    await assert.rejects(FileIssuanceLog.open(path, silentLog), {
      code: 'failed-precondition',
      message: /issuance\.log.*GATEHOUSE_ISSUANCE_LOG/,
    });
  });
});
