import assert from 'node:assert/strict';
import test from 'node:test';
import { Admission, type AdmissionBounds } from './admission.ts';

const tick = () => new Promise((resolve) => setImmediate(resolve));

/** Under a clock that stands still, so that a slow machine admits as many as a fast one. */
const anAdmission = (bounds: Partial<AdmissionBounds> = {}) => new Admission(bounds, () => 0);

test('streams are admitted oldest first, as many a tick as the bounds allow', async () => {
  const admission = anAdmission({ builds: 2, bytes: 1_000_000 });
  const admitted: number[] = [];
  for (let index = 0; index < 5; index += 1) {
    admission.enter('a', () => {
      admitted.push(index);
      return { bytes: 10, wasBuilt: true };
    });
  }
  assert.deepEqual(admitted, []);
  await tick();
  assert.deepEqual(admitted, [0, 1]);
  await tick();
  await tick();
  assert.deepEqual(admitted, [0, 1, 2, 3, 4]);
  assert.equal(admission.waiting, 0);
});

test('a tick ends when it has taken its time, whatever was written in it', async () => {
  let clock = 0;
  const admission = new Admission({ tickMs: 5 }, () => clock);
  const admitted: number[] = [];
  for (const ms of [2, 2, 2, 9, 1, 1]) {
    admission.enter('a', () => {
      clock += ms;
      admitted.push(ms);
      return { bytes: 10, wasBuilt: false };
    });
  }
  const ticks: number[][] = [];
  while (admission.waiting > 0) {
    await tick();
    ticks.push(admitted.splice(0));
  }
  assert.deepEqual(ticks, [[2, 2, 2], [9], [1, 1]]);
});

test('clients take turns, however many streams one of them has', async () => {
  const admission = anAdmission({ builds: 4 });
  const admitted: string[] = [];
  for (const from of [...Array<string>(100).fill('many'), 'one', 'two', 'two']) {
    admission.enter(from, () => {
      admitted.push(from);
      return { bytes: 10, wasBuilt: true };
    });
  }
  await tick();
  assert.deepEqual(admitted, ['many', 'one', 'two', 'many']);
  await tick();
  assert.deepEqual(admitted.slice(4), ['two', 'many', 'many', 'many']);
  admission.close();
});

test('bytes count too, and a send of a few bytes is not free', async () => {
  const admission = anAdmission({ builds: 100, bytes: 10_000 });
  const costs = [9_000, 2_000, 1, 1, 1, 1];
  let admitted = 0;
  for (const bytes of costs) {
    admission.enter('a', () => {
      admitted += 1;
      return { bytes, wasBuilt: false };
    });
  }
  await tick();
  assert.equal(admitted, 2);
  await tick();
  assert.equal(admitted, 5);
  await tick();
  assert.equal(admitted, 6);
});

test('a stream that left is passed over, and one that comes later is served too', async () => {
  const admission = anAdmission();
  const admitted: string[] = [];
  const enter = (name: string) =>
    admission.enter('a', () => {
      admitted.push(name);
      return { bytes: 0, wasBuilt: false };
    });
  const gone = enter('gone');
  enter('stays');
  gone.leave();
  await tick();
  enter('late');
  await tick();
  assert.deepEqual(admitted, ['stays', 'late']);
});

test('what is on its way to readers is bounded, and goes on as they read or leave', async () => {
  const admission = anAdmission({ bytesUnderWay: 25 });
  const admitted: number[] = [];
  const places = Array.from({ length: 5 }, (_, index) =>
    admission.enter('a', () => {
      admitted.push(index);
      return { bytes: 10, wasBuilt: false };
    }),
  );
  await tick();
  assert.deepEqual(admitted, [0, 1, 2]);
  await tick();
  assert.deepEqual(admitted, [0, 1, 2]);
  places[1]?.left();
  places[1]?.left();
  await tick();
  assert.deepEqual(admitted, [0, 1, 2, 3]);
  places[0]?.leave();
  await tick();
  assert.deepEqual(admitted, [0, 1, 2, 3, 4]);
  admission.close();
});

test('bytes that leave while they are handed over are not under way', async () => {
  const admission = anAdmission({ bytesUnderWay: 1 });
  let admitted = 0;
  for (let index = 0; index < 5; index += 1) {
    const place = admission.enter('a', () => {
      admitted += 1;
      place.left();
      return { bytes: 10, wasBuilt: false };
    });
  }
  await tick();
  assert.equal(admitted, 5);
});

test('clients that do not read hold the others up for a bounded time', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let clock = 0;
  const admission = new Admission({ bytesUnderWay: 10, patienceMs: 1_000 }, () => clock);
  let admitted = 0;
  for (let index = 0; index < 2; index += 1) {
    admission.enter('a', () => {
      admitted += 1;
      return { bytes: 10, wasBuilt: false };
    });
  }
  await tick();
  clock = 999;
  t.mock.timers.tick(999);
  await tick();
  assert.equal(admitted, 1);
  clock = 1_000;
  t.mock.timers.tick(1);
  await tick();
  assert.equal(admitted, 2);
});

test('nobody is admitted after the end', async () => {
  const admission = anAdmission();
  admission.enter('a', () => assert.fail('admitted after the end'));
  admission.close();
  await tick();
  assert.equal(admission.waiting, 0);
});
