import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '@gatehouse/platform/log/log';
import fc from 'fast-check';
import { anIntent, leafHashOf } from '../../../testing/issuance-builder.ts';
import { type Chance, ScriptedDisk } from '../../../testing/scripted-disk.ts';
import type { IssuanceRecord } from '../../core/issued/issuance-record.ts';
import { FileIssuanceLog } from './file-issuance-log.ts';

const path = '/log/issuance.log';

/** Long enough that no timer of the log fires within a test. */
const never = 3_600_000;

/** A clock that moves with each look, so that files set aside have names of their own. */
const aClock = (): (() => number) => {
  let now = 1_780_000_000_000;
  return () => (now += 60_001);
};

const openOn = (disk: ScriptedDisk, maxBytes?: number): Promise<FileIssuanceLog> =>
  FileIssuanceLog.open({
    disk,
    path,
    log: silentLog,
    now: aClock(),
    maxBytes,
    lingerMs: never,
    retryMs: never,
  });

/** What became known outside of the process, which is what must never be lost. */
interface Known {
  /** Intents that were acknowledged, and so perhaps signed. */
  readonly acknowledged: Set<string>;
  readonly refused: Set<string>;
}

const rounds = [['01', '02'], ['03'], ['04', '05']] as const;
const serials = rounds.flat();

/** Three rounds of certificates, completed in between; goes on when some are refused, and ends where the disk dies. */
const issueOn = async (disk: ScriptedDisk, known: Known, maxBytes?: number): Promise<void> => {
  const work = async (): Promise<void> => {
    const log = await openOn(disk, maxBytes);
    for (const round of rounds) {
      const outcomes = round.map(async (serial) => {
        await log.intend(anIntent(serial));
        known.acknowledged.add(serial);
        log.complete(serial, leafHashOf(serial));
      });
      for (const [index, { status }] of (await Promise.allSettled(outcomes)).entries()) {
        if (status === 'rejected') known.refused.add(round[index] ?? '');
      }
    }
    await log.close();
  };
  await Promise.race([work(), disk.died.promise]);
};

const nothingKnown = (): Known => ({ acknowledged: new Set(), refused: new Set() });

/** What a log must hold that is opened after whatever happened; answers the records found. */
const holds = async (disk: ScriptedDisk, { acknowledged }: Known): Promise<readonly IssuanceRecord[]> => {
  const log = await openOn(disk);
  const found = [...log.find({})];
  for (const record of found) {
    assert.ok((serials as readonly string[]).includes(record.serial), `nobody asked for ${record.serial}`);
    const { leafSha256, suspicious, ...intent } = record;
    assert.deepEqual(intent, anIntent(record.serial));
    assert.ok(leafSha256 === undefined || leafSha256 === leafHashOf(record.serial));
    assert.ok(leafSha256 === undefined || acknowledged.has(record.serial), 'it was signed');
  }
  assert.equal(new Set(found.map(({ serial }) => serial)).size, found.length, 'each once');
  for (const serial of acknowledged) {
    assert.ok(
      found.some((record) => record.serial === serial),
      `${serial} is lost`,
    );
  }
  await log.intend(anIntent('99'));
  await log.close();
  const again = await openOn(disk);
  assert.equal([...again.find({})].length, found.length + 1);
  assert.equal([...again.find({ serial: '99' })].length, 1);
  assert.equal(again.damage.lines, log.damage.lines);
  await again.close();
  return found;
};

/** The worst of crashes: nothing that was not synced has reached the platter. */
const worst: Chance = { nat: () => 0 };

interface Case {
  readonly where: string;
  readonly maxBytes: number | undefined;
  /** Every so many bytes: what is peculiar to several files happens between bytes, in operations. */
  readonly step: number;
}

const cases: readonly Case[] = [
  { where: 'in one file', maxBytes: undefined, step: 1 },
  { where: 'while files are set aside', maxBytes: 1_000, step: 7 },
];

for (const { where, maxBytes, step } of cases) {
  describe(`the issuance log ${where}`, () => {
    it('loses nothing acknowledged at whatever byte the process dies', async () => {
      const whole = new ScriptedDisk();
      await issueOn(whole, nothingKnown(), maxBytes);
      assert.ok(whole.written > 2_000);
      let lost = 0;
      for (let bytes = 0; bytes < whole.written; bytes += step) {
        const known = nothingKnown();
        const disk = new ScriptedDisk({ diesAfterBytes: bytes });
        await issueOn(disk, known, maxBytes);
        assert.equal(disk.isDead, true);
        const found = await holds(disk.afterKill(), known);
        lost += found.filter(({ leafSha256 }) => leafSha256 === undefined).length;
        await holds(disk.afterCrash(worst), known);
      }
      assert.ok(lost > 0, 'completions are lost now and then, and only they');
    });

    it('loses nothing acknowledged at whatever operation the process dies', async () => {
      const whole = new ScriptedDisk();
      await issueOn(whole, nothingKnown(), maxBytes);
      for (let operation = 0; operation < whole.operations; operation += 1) {
        const known = nothingKnown();
        const disk = new ScriptedDisk({ diesAtOperation: operation });
        await issueOn(disk, known, maxBytes);
        await holds(disk.afterKill(), known);
        await holds(disk.afterCrash(worst), known);
      }
    });

    it('takes no torn line for a record, however a crash of the machine mixes old and new pages', async () => {
      const whole = new ScriptedDisk();
      await issueOn(whole, nothingKnown(), maxBytes);
      await fc.assert(
        fc.asyncProperty(
          fc.nat(whole.written - 1),
          fc.constantFrom(1, 7, 100_000),
          fc.infiniteStream(fc.nat()),
          async (diesAfterBytes, shortWrites, stream) => {
            const known = nothingKnown();
            const disk = new ScriptedDisk({ diesAfterBytes, shortWrites });
            await issueOn(disk, known, maxBytes);
            const chance: Chance = { nat: (max) => (stream.next().value ?? 0) % (max + 1) };
            const survivor = disk.afterCrash(chance);
            await holds(survivor, known);
          },
        ),
        { numRuns: 200 },
      );
    });

    it('refuses while the disk is full, at whatever byte, and goes on when there is room', async () => {
      const whole = new ScriptedDisk();
      await issueOn(whole, nothingKnown(), maxBytes);
      for (let bytes = 200; bytes < whole.written; bytes += step) {
        const known = nothingKnown();
        const disk = new ScriptedDisk({ fullAfterBytes: bytes });
        await issueOn(disk, known, maxBytes);
        assert.equal(known.acknowledged.size + known.refused.size, serials.length);
        await holds(disk.afterCrash(worst), known);
        disk.freeSpace();
        await holds(disk, known);
      }
    });

    it('never believes a sync after one that failed', async () => {
      const whole = new ScriptedDisk();
      await issueOn(whole, nothingKnown(), maxBytes);
      const first = 2;
      assert.ok(whole.syncs > first + 3);
      for (let sync = first; sync < whole.syncs; sync += 1) {
        const known = nothingKnown();
        const disk = new ScriptedDisk({ failingSyncs: new Set([sync]) });
        await issueOn(disk, known, maxBytes);
        assert.equal(known.acknowledged.size + known.refused.size, serials.length);
        assert.ok(known.refused.size <= 1, 'the next to come is recorded again');
        await holds(disk.afterCrash(worst), known);
        await holds(disk.afterKill(), known);
      }
    });

    it('loses nothing older when a failed sync tears the block that holds it, once it could be written again', async () => {
      const whole = new ScriptedDisk();
      await issueOn(whole, nothingKnown(), maxBytes);
      let fixed = 0;
      for (let sync = 2; sync < whole.syncs; sync += 1) {
        const known = nothingKnown();
        const disk = new ScriptedDisk({ failingSyncs: new Set([sync]), failingSyncsTear: true });
        await issueOn(disk, known, maxBytes);
        if (disk.syncs <= sync + 1) continue;
        fixed += 1;
        await holds(disk.afterCrash(worst), known);
      }
      assert.ok(fixed >= 3);
    });
  });
}
