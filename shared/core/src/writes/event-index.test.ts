import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Moment } from '../moment.ts';
import { EventBook, type EventNote, type EventSeries, eventLimits } from './event-index.ts';

const aNote = (note = 'the issuer is not taken'): EventNote => ({
  type: 'Warning',
  reason: 'IssuerRejected',
  action: 'ReadIssuer',
  note,
});

/** The wall clock of these tests is the other one and a date. */
const wallAt = (ms: number): number => 1_800_000_000_000 + ms;
const at = (ms: number): Moment => ({ wall: wallAt(ms), elapsed: ms });

const sendable = (book: EventBook, now: number): EventSeries => {
  const step = book.next(now);
  assert.equal(step.kind, 'send');
  if (step.kind !== 'send') throw new Error('nothing to send');
  return step.series;
};

describe('the book of Events', () => {
  it('sends a note once, and nothing when there is none', () => {
    const book = new EventBook();
    assert.deepEqual(book.next(0), { kind: 'wait', ms: Number.POSITIVE_INFINITY });
    book.note(aNote(), at(5));
    const series = sendable(book, 5);
    assert.deepEqual(series, {
      event: aNote(),
      count: 1,
      firstAt: wallAt(5),
      lastAt: wallAt(5),
      name: undefined,
    });
    book.done(series, { kind: 'sent', name: 'x' }, 6);
    assert.equal(book.next(6).kind, 'wait');
    assert.equal(
      book.next(6 + eventLimits.refreshMs).kind,
      'wait',
      'what was not repeated is not sent again',
    );
  });

  it('counts what repeats, and brings the series up to date once a minute', () => {
    const book = new EventBook();
    book.note(aNote(), at(0));
    book.done(sendable(book, 0), { kind: 'sent', name: 'x' }, 0);
    for (const ms of [1, 2, 3]) book.note(aNote(), at(ms));
    assert.deepEqual(book.next(3), { kind: 'wait', ms: eventLimits.refreshMs - 3 });
    const series = sendable(book, eventLimits.refreshMs);
    assert.deepEqual(
      [series.count, series.firstAt, series.lastAt, series.name],
      [4, wallAt(0), wallAt(3), 'x'],
    );
    book.note(aNote(), at(eventLimits.refreshMs));
    book.done(series, { kind: 'sent', name: 'x' }, eventLimits.refreshMs);
    assert.equal(sendable(book, 2 * eventLimits.refreshMs).count, 5, 'noted while it was being sent');
  });

  it('begins a new series after a long silence', () => {
    const book = new EventBook();
    book.note(aNote(), at(0));
    book.done(sendable(book, 0), { kind: 'sent', name: 'x' }, 0);
    const later = eventLimits.seriesEndMs + 1;
    book.note(aNote(), at(later));
    assert.deepEqual([sendable(book, later).count, sendable(book, later).name], [1, undefined]);
  });

  it('makes a series anew that the API server has forgotten', () => {
    const book = new EventBook();
    book.note(aNote(), at(0));
    book.done(sendable(book, 0), { kind: 'sent', name: 'x' }, 0);
    book.note(aNote(), at(1));
    const series = sendable(book, eventLimits.refreshMs);
    book.done(series, { kind: 'forgotten' }, eventLimits.refreshMs);
    const again = sendable(book, eventLimits.refreshMs);
    assert.deepEqual([again.count, again.name], [2, undefined]);
  });

  it('tries again after a failure, later and later, and gives up in the end', () => {
    const book = new EventBook();
    book.note(aNote(), at(0));
    let now = 0;
    const waits: number[] = [];
    for (let attempt = 1; attempt <= eventLimits.attempts; attempt += 1) {
      book.done(sendable(book, now), { kind: 'failed' }, now);
      const step = book.next(now);
      if (step.kind === 'wait') waits.push(step.ms);
      now += step.kind === 'wait' && Number.isFinite(step.ms) ? step.ms : 0;
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, Number.POSITIVE_INFINITY]);
  });

  it('goes by time that has passed, and tells by the wall clock, which may be set', () => {
    const book = new EventBook();
    const yesterday = wallAt(-86_400_000);
    book.note(aNote(), at(0));
    book.done(sendable(book, 0), { kind: 'sent', name: 'x' }, 0);
    book.note(aNote(), { wall: yesterday, elapsed: 1 });
    const again = sendable(book, eventLimits.refreshMs);
    assert.deepEqual([again.count, again.firstAt, again.lastAt], [2, wallAt(0), yesterday]);
    book.done(again, { kind: 'sent', name: 'x' }, eventLimits.refreshMs);
    book.note(aNote('another'), { wall: yesterday, elapsed: eventLimits.refreshMs });
    assert.equal(sendable(book, eventLimits.refreshMs).event.note, 'another', 'it does not wait for a day');
  });

  it('gives up at once what was refused', () => {
    const book = new EventBook();
    book.note(aNote(), at(0));
    book.done(sendable(book, 0), { kind: 'refused' }, 0);
    assert.deepEqual(book.next(0), { kind: 'wait', ms: Number.POSITIVE_INFINITY });
  });

  it('sends a burst and then one in ten seconds', () => {
    const book = new EventBook();
    const all = Array.from({ length: eventLimits.burst + 2 }, (_, at) => aNote(`note ${at}`));
    for (const note of all) assert.equal(book.note(note, at(0)), true);
    for (let sent = 0; sent < eventLimits.burst; sent += 1)
      book.done(sendable(book, 0), { kind: 'sent', name: 'x' }, 0);
    assert.deepEqual(book.next(0), { kind: 'wait', ms: eventLimits.refillMs });
    book.done(sendable(book, eventLimits.refillMs), { kind: 'sent', name: 'x' }, eventLimits.refillMs);
    assert.deepEqual(book.next(eventLimits.refillMs), { kind: 'wait', ms: eventLimits.refillMs });
  });

  it('drops what does not fit, but never what repeats', () => {
    const book = new EventBook();
    for (let count = 0; count < eventLimits.waiting; count += 1) {
      assert.equal(book.note(aNote(`${count}`), at(0)), true);
    }
    assert.equal(book.note(aNote('one more'), at(0)), false);
    assert.equal(book.note(aNote('0'), at(1)), true);
  });

  it('does not grow with the number of different notes', () => {
    const book = new EventBook();
    let sent = 0;
    for (let count = 0; count < 2_000; count += 1) {
      const now = count * eventLimits.refillMs;
      assert.equal(book.note(aNote(`${count}`), at(now)), true);
      book.done(sendable(book, now), { kind: 'sent', name: `${count}` }, now);
      sent += 1;
    }
    assert.equal(sent, 2_000);
    const repeated = aNote('0');
    book.note(repeated, at(2_000 * eventLimits.refillMs));
    assert.equal(sendable(book, 2_000 * eventLimits.refillMs).count, 1, 'the first was forgotten');
  });
});
