import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { paginate } from '@gatehouse/platform/http/page';
import type { Heard, PeerQuery, PeerQuestion, Replicas } from '@gatehouse/platform/replicas/replicas';
import { anIntent } from '../../../testing/issuance-builder.ts';
import { type IssuanceRecord, newestFirst } from '../../core/issued/issuance-record.ts';
import { printItem } from '../rest/issuance-item.ts';
import { MemoryIssuanceLog } from './issuance-log.ts';
import { KeysElsewhere } from './keys-elsewhere.ts';

const start = Date.parse('2026-11-22T10:00:00Z');

/** Another replica, which answers as `/internal/v1/certificates` does. */
class Other implements Pick<Replicas, 'ask'> {
  readonly issued = new MemoryIssuanceLog();
  readonly asked: PeerQuery[] = [];
  isDown = false;

  async ask<A>(question: PeerQuestion<A>, query: PeerQuery): Promise<Heard<A>> {
    this.asked.push(query);
    if (this.isDown) return { answers: [], partial: [{ replica: 'other', reason: 'down' }] };
    const { since, until, limit } = query;
    const found = this.issued.find({
      since: Date.parse(String(since)),
      until: until === undefined ? undefined : Date.parse(String(until)),
    });
    const page = paginate(found, newestFirst, { limit: Number(limit) });
    const answer = question.read(JSON.parse(JSON.stringify({ ...page, items: page.items.map(printItem) })));
    assert.ok(answer !== undefined);
    return { answers: [{ replica: 'other', answer }], partial: [] };
  }
}

const two = () => {
  const clock = { now: start, ahead: 0 };
  const told: IssuanceRecord[] = [];
  const here = new MemoryIssuanceLog((record) => void told.push(record));
  const there = new Other();
  const keys = new KeysElsewhere({
    replicas: there,
    learn: (record) => here.learn(record),
    now: () => clock.now + clock.ahead,
    elapsed: () => clock.now,
  });
  let serial = 0;
  const issue = (log: MemoryIssuanceLog, spkiSha256: string, uid = 'p1'): void => {
    serial += 1;
    clock.now += 1_000;
    const pod = { namespace: 'demo', name: uid, uid };
    log.intend(anIntent(serial.toString(16).padStart(6, '0'), { spkiSha256, pod, issuedAt: clock.now }));
  };
  return { clock, told, here, there, keys, issue };
};

describe('the keys that other replicas have certified', () => {
  it('make the older one suspicious that was only used here', async () => {
    const { told, here, there, keys, issue } = two();
    issue(here, 'a');
    issue(there.issued, 'b');
    await keys.poll();
    issue(here, 'a');
    assert.deepEqual(
      told.map(({ spkiSha256, suspicious }) => [spkiSha256, suspicious?.newerSpkiSha256]),
      [['a', 'b']],
    );
  });

  it('are told of when the other replica is gone, each once', async () => {
    const { here, there, keys, issue } = two();
    issue(here, 'a');
    issue(there.issued, 'b');
    issue(here, 'c');
    await keys.poll();
    await keys.poll();
    there.isDown = true;
    await keys.poll();
    const found = [...here.find({})].map(({ spkiSha256, learnedFrom }) => [spkiSha256, learnedFrom]);
    assert.deepEqual(found, [
      ['c', undefined],
      ['b', 'other'],
      ['a', undefined],
    ]);
  });

  it('leave a restart alone that happened elsewhere before', async () => {
    const { told, here, there, keys, issue } = two();
    issue(there.issued, 'a');
    issue(here, 'b');
    await keys.poll();
    issue(here, 'b');
    assert.deepEqual(told, []);
    issue(here, 'a');
    assert.equal(told.length, 1);
  });

  it('are all learned, page by page', async () => {
    const { told, here, there, keys, issue } = two();
    for (let pod = 0; pod < 2_500; pod += 1) issue(there.issued, 'b', `p${pod}`);
    for (let pod = 0; pod < 2_500; pod += 1) issue(there.issued, 'c', `p${pod}`);
    await keys.poll();
    for (let pod = 0; pod < 2_500; pod += 1) issue(here, 'b', `p${pod}`);
    assert.equal(told.length, 2_500);
    assert.equal(there.asked.length, 6);
  });

  it('are asked for again with a little overlap, and longer after a failure', async () => {
    const { clock, there, keys } = two();
    const sinceOf = (): number => start - Date.parse(String(there.asked.at(-1)?.since));
    await keys.poll();
    assert.equal(sinceOf(), 86_400_000);
    await keys.poll();
    assert.equal(sinceOf(), 60_000);
    there.isDown = true;
    clock.now += 300_000;
    await keys.poll();
    await keys.poll();
    assert.equal(sinceOf(), 60_000);
    clock.now += 3_600_000;
    await keys.poll();
    there.isDown = false;
    await keys.poll();
    assert.equal(clock.now - start + sinceOf(), 600_000);
  });

  it('are learned after our clock was ahead and is set back, those that were issued meanwhile too', async () => {
    const { clock, told, here, there, keys, issue } = two();
    issue(here, 'a');
    await keys.poll();
    clock.ahead = 7_200_000;
    await keys.poll();
    issue(there.issued, 'b');
    await keys.poll();
    clock.ahead = 0;
    await keys.poll();
    issue(here, 'a');
    assert.deepEqual(
      told.map(({ suspicious }) => suspicious?.newerSpkiSha256),
      ['b'],
    );
  });
});
