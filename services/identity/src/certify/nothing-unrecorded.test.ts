import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { silentLog } from '@gatehouse/platform/log/log';
import { activeIssuer } from '../../testing/active-issuer.ts';
import { aCa } from '../../testing/ca-builder.ts';
import { aKey, anIdentity, spkiOf } from '../../testing/csr-builder.ts';
import { type DiskScript, ScriptedDisk } from '../../testing/scripted-disk.ts';
import { FileIssuanceLog } from '../ports/issued/file-issuance-log.ts';
import { mintFor } from '../ports/issuer/own-leaf.ts';
import { sha256 } from '../ports/issuer/x509.ts';
import { type ActiveIssuer, type Certifier, issue } from './certify.ts';
import type { RecordedLeaf } from './recorded-leaf.ts';

const path = '/log/issuance.log';
const never = 3_600_000;
const calls = 4;
const pod = { namespace: 'demo', name: 'frontend-0', uid: 'p1' };

let issuer: ActiveIssuer;
before(async () => {
  issuer = activeIssuer(await aCa());
});

interface Outcome {
  readonly signatures: number;
  readonly answers: number;
  readonly refusals: readonly unknown[];
}

/** Asks for identity's own leaf and for those of workloads, two at a time. What is signed must be on the platter by then. */
const issueOn = async (disk: ScriptedDisk): Promise<Outcome> => {
  let signatures = 0;
  let answers = 0;
  const refusals: unknown[] = [];
  const sign = (leaf: RecordedLeaf): Uint8Array => {
    const recorded = disk.durable(path).toString();
    assert.match(recorded, new RegExp(`"serial":"${leaf.serial}"`));
    const signed = issuer.sign(leaf);
    assert.ok(signed instanceof Uint8Array);
    // The TBSCertificate is most of the leaf: SEQUENCE { SEQUENCE { … } …, each with two bytes of length here.
    const length = Buffer.from(signed).readUInt16BE(6);
    assert.match(recorded, new RegExp(`"tbsSha256":"${sha256(signed.subarray(4, 8 + length)).toHex()}"`));
    signatures += 1;
    return signed;
  };
  const work = async (): Promise<void> => {
    const log = await FileIssuanceLog.open({ disk, path, log: silentLog, lingerMs: never, retryMs: never });
    const certifier: Certifier = {
      mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
      profile: { lifetimeMs: 86_400_000, clockSkewMs: 20_000 },
      reviewer: { review: () => assert.fail('issue comes after the review') },
      log,
      queue: { take: async (take) => take() },
      issuer: () => ({ ...issuer, sign }),
      now: Date.now,
    };
    const workload = { identity: anIdentity, spki: spkiOf(aKey), pod };
    const count = async (one: Promise<unknown>): Promise<void> => {
      await one.then(
        () => (answers += 1),
        (error: unknown) => refusals.push(error),
      );
    };
    await count(mintFor(anIdentity, (own) => issue(certifier, own))('', new AbortController().signal));
    for (let call = 1; call < calls; call += 2) {
      await Promise.all([count(issue(certifier, workload)), count(issue(certifier, workload))]);
    }
    await log.close();
  };
  await Promise.race([work(), disk.died.promise]);
  return { signatures, answers, refusals };
};

/** The records that a disk holds for good. */
const recordsOn = async (disk: ScriptedDisk): Promise<number> => {
  const log = await FileIssuanceLog.open({ disk, path, log: silentLog, lingerMs: never });
  const count = [...log.find({})].length;
  await log.close();
  return count;
};

const worst = { nat: () => 0 };

describe('the issuer', () => {
  const scripts: readonly (readonly [string, (bytes: number) => DiskScript])[] = [
    ['the disk is full', (fullAfterBytes) => ({ fullAfterBytes })],
    ['the process dies', (diesAfterBytes) => ({ diesAfterBytes })],
  ];
  for (const [when, script] of scripts) {
    it(`signs nothing that is not on disk, at whatever byte ${when}`, async () => {
      const whole = new ScriptedDisk();
      assert.equal((await issueOn(whole)).signatures, calls + 1);
      const seen = new Set<number>();
      // From after the first line: a log that cannot be begun stops the start.
      for (let bytes = 150; bytes < whole.written; bytes += 3) {
        const disk = new ScriptedDisk(script(bytes));
        const { signatures, answers, refusals } = await issueOn(disk);
        assert.equal(answers, signatures);
        for (const error of refusals) assert.equal((error as { code?: string }).code, 'unavailable');
        const records = await recordsOn(disk.afterCrash(worst));
        assert.ok(signatures <= records, `${signatures} signatures, ${records} records at byte ${bytes}`);
        seen.add(signatures);
      }
      // A disk that failed from the beginning would show nothing.
      assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5]);
    });
  }

  it('signs nothing after a sync that failed, and again after one that did not', async () => {
    const whole = new ScriptedDisk();
    await issueOn(whole);
    for (let sync = 2; sync < whole.syncs; sync += 1) {
      const disk = new ScriptedDisk({ failingSyncs: new Set([sync]) });
      const { signatures, refusals } = await issueOn(disk);
      assert.equal(signatures + refusals.length, calls + 1);
      assert.ok(signatures <= (await recordsOn(disk.afterCrash(worst))));
    }
  });
});
