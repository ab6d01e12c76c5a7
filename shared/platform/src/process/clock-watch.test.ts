import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Moment } from '@gatehouse/core/moment';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import { Metrics } from '../metrics/metrics.ts';
import { ClockWatch } from './clock-watch.ts';

/** What is told when the clocks show these moments, one a look. */
const watched = async (...moments: readonly Moment[]) => {
  const log = new RecordingLog();
  const metrics = new Metrics('test');
  const end = new AbortController();
  let at = 0;
  let looks = 0;
  const watch = new ClockWatch({
    log,
    metrics,
    moment: () => moments[at] ?? assert.fail('there are no more moments'),
    sleep: async () => {
      if (at === moments.length - 1) end.abort();
      else at += 1;
    },
  });
  watch.onJump(() => {
    looks += 1;
  });
  await watch.run(end.signal);
  return { looks, lines: log.lines('warn'), metrics: await metrics.text() };
};

const hour = 3_600_000;

test('a clock that is set back, or jumps forward, is told, and those that wait for a date look again', async () => {
  const { looks, lines, metrics } = await watched(
    { wall: 50 * hour, elapsed: 0 },
    { wall: 50 * hour + 1_000, elapsed: 1_000 },
    { wall: 48 * hour + 2_000, elapsed: 2_000 },
    { wall: 48 * hour + 3_000, elapsed: 3_000 },
    { wall: 51 * hour + 4_000, elapsed: 4_000 },
  );
  assert.equal(looks, 2);
  assert.deepEqual(lines, ['the clock was set back by 2 hours', 'the clock jumped forward by 3 hours']);
  assert.match(metrics, /gatehouse_clock_jumps_total\{direction="back"[^}]*\} 1/);
  assert.match(metrics, /gatehouse_clock_jumps_total\{direction="forward"[^}]*\} 1/);
});

test('a clock that is slewed, and a process that was held up, are no jumps', async () => {
  const { looks, lines } = await watched(
    { wall: 0, elapsed: 0 },
    { wall: 1_400, elapsed: 1_000 },
    { wall: 91_400, elapsed: 91_000 },
  );
  assert.deepEqual([looks, lines], [0, []]);
});
