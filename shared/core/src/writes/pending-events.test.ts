import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Moment } from '../moment.ts';
import { type EventNote, type EventSeries, eventLimits, PendingEvents } from './pending-events.ts';

const aNote = (note = 'the issuer is rejected'): EventNote => ({
  type: 'Warning',
  reason: 'IssuerRejected',
  action: 'ReadIssuer',
  note,
});

/** The wall clock of these tests is the other one and a date. */
const wallAt = (ms: number): number => 1_800_000_000_000 + ms;
const at = (ms: number): Moment => ({ wall: wallAt(ms), elapsed: ms });

const sendable = (pending: PendingEvents, now: number): EventSeries => {
  const step = pending.next(now);
  assert.equal(step.kind, 'send');
  if (step.kind !== 'send') throw new Error('nothing to send');
  return step.series;
};

/** One token more. */
const refillMs = 1_000 / eventLimits.rate.perSecond;

describe('pending Events', () => {
  it('sends a note once, and nothing when there is none', () => {
    const pending = new PendingEvents();
    assert.deepEqual(pending.next(0), { kind: 'wait', ms: Number.POSITIVE_INFINITY });
    pending.note(aNote(), at(5));
    const series = sendable(pending, 5);
    assert.deepEqual(series, {
      event: aNote(),
      count: 1,
      firstAt: wallAt(5),
      lastAt: wallAt(5),
      name: undefined,
    });
    pending.done(series, { kind: 'sent', name: 'x' }, 6);
    assert.equal(pending.next(6).kind, 'wait');
    assert.equal(
      pending.next(6 + eventLimits.refreshMs).kind,
      'wait',
      'what was not repeated is not sent again',
    );
  });

  it('counts what repeats, and brings the series up to date once a minute', () => {
    const pending = new PendingEvents();
    pending.note(aNote(), at(0));
    pending.done(sendable(pending, 0), { kind: 'sent', name: 'x' }, 0);
    for (const ms of [1, 2, 3]) pending.note(aNote(), at(ms));
    assert.deepEqual(pending.next(3), { kind: 'wait', ms: eventLimits.refreshMs - 3 });
    const series = sendable(pending, eventLimits.refreshMs);
    assert.deepEqual(
      [series.count, series.firstAt, series.lastAt, series.name],
      [4, wallAt(0), wallAt(3), 'x'],
    );
    pending.note(aNote(), at(eventLimits.refreshMs));
    pending.done(series, { kind: 'sent', name: 'x' }, eventLimits.refreshMs);
    assert.equal(sendable(pending, 2 * eventLimits.refreshMs).count, 5, 'noted while it was being sent');
  });

  it('begins a new series after a long silence', () => {
    const pending = new PendingEvents();
    pending.note(aNote(), at(0));
    pending.done(sendable(pending, 0), { kind: 'sent', name: 'x' }, 0);
    const later = eventLimits.seriesEndMs + 1;
    pending.note(aNote(), at(later));
    assert.deepEqual([sendable(pending, later).count, sendable(pending, later).name], [1, undefined]);
  });

  it('makes a series again that the API server has forgotten', () => {
    const pending = new PendingEvents();
    pending.note(aNote(), at(0));
    pending.done(sendable(pending, 0), { kind: 'sent', name: 'x' }, 0);
    pending.note(aNote(), at(1));
    const series = sendable(pending, eventLimits.refreshMs);
    pending.done(series, { kind: 'forgotten' }, eventLimits.refreshMs);
    const again = sendable(pending, eventLimits.refreshMs);
    assert.deepEqual([again.count, again.name], [2, undefined]);
  });

  it('tries again after a failure, later and later, and gives up in the end', () => {
    const pending = new PendingEvents();
    pending.note(aNote(), at(0));
    let now = 0;
    const waits: number[] = [];
    for (let attempt = 1; attempt <= eventLimits.attempts; attempt += 1) {
      pending.done(sendable(pending, now), { kind: 'failed' }, now);
      const step = pending.next(now);
      if (step.kind === 'wait') waits.push(step.ms);
      now += step.kind === 'wait' && Number.isFinite(step.ms) ? step.ms : 0;
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, Number.POSITIVE_INFINITY]);
  });

  it('goes by time that has passed, and tells by the wall clock, which may be set', () => {
    const pending = new PendingEvents();
    const yesterday = wallAt(-86_400_000);
    pending.note(aNote(), at(0));
    pending.done(sendable(pending, 0), { kind: 'sent', name: 'x' }, 0);
    pending.note(aNote(), { wall: yesterday, elapsed: 1 });
    const again = sendable(pending, eventLimits.refreshMs);
    assert.deepEqual([again.count, again.firstAt, again.lastAt], [2, wallAt(0), yesterday]);
    pending.done(again, { kind: 'sent', name: 'x' }, eventLimits.refreshMs);
    pending.note(aNote('another'), { wall: yesterday, elapsed: eventLimits.refreshMs });
    assert.equal(
      sendable(pending, eventLimits.refreshMs).event.note,
      'another',
      'it does not wait for a day',
    );
  });

  it('gives up at once what was refused', () => {
    const pending = new PendingEvents();
    pending.note(aNote(), at(0));
    pending.done(sendable(pending, 0), { kind: 'refused' }, 0);
    assert.deepEqual(pending.next(0), { kind: 'wait', ms: Number.POSITIVE_INFINITY });
  });

  it('sends a burst and then one in ten seconds', () => {
    const pending = new PendingEvents();
    const all = Array.from({ length: eventLimits.rate.burst + 2 }, (_, at) => aNote(`note ${at}`));
    for (const note of all) assert.equal(pending.note(note, at(0)), true);
    for (let sent = 0; sent < eventLimits.rate.burst; sent += 1)
      pending.done(sendable(pending, 0), { kind: 'sent', name: 'x' }, 0);
    assert.deepEqual(pending.next(0), { kind: 'wait', ms: refillMs });
    pending.done(sendable(pending, refillMs), { kind: 'sent', name: 'x' }, refillMs);
    assert.deepEqual(pending.next(refillMs), { kind: 'wait', ms: refillMs });
  });

  it('drops what does not fit, but never what repeats', () => {
    const pending = new PendingEvents();
    for (let count = 0; count < eventLimits.waiting; count += 1) {
      assert.equal(pending.note(aNote(`${count}`), at(0)), true);
    }
    assert.equal(pending.note(aNote('one more'), at(0)), false);
    assert.equal(pending.note(aNote('0'), at(1)), true);
  });

  it('does not grow with the number of different notes', () => {
    const pending = new PendingEvents();
    let sent = 0;
    for (let count = 0; count < 2_000; count += 1) {
      const now = count * refillMs;
      assert.equal(pending.note(aNote(`${count}`), at(now)), true);
      pending.done(sendable(pending, now), { kind: 'sent', name: `${count}` }, now);
      sent += 1;
    }
    assert.equal(sent, 2_000);
    const repeated = aNote('0');
    pending.note(repeated, at(2_000 * refillMs));
    assert.equal(sendable(pending, 2_000 * refillMs).count, 1, 'the first was forgotten');
  });
});
