import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Settled, SettledFiles, type Stamp } from './settled-files.ts';

/** A file written at `at`, in milliseconds, and not touched since unless `renamedAt` says so. */
const stamp = (file: string, at: number, renamedAt = at, size = 10): Stamp => ({
  file,
  size: BigInt(size),
  mtimeNs: BigInt(at) * 1_000_000n,
  ctimeNs: BigInt(renamedAt) * 1_000_000n,
});

const folder = (files: Readonly<Record<string, Stamp>>): ReadonlyMap<string, Stamp> =>
  new Map(Object.entries(files));
const nothing: Settled = { ready: [], gone: [], pending: [], wakeAt: undefined };

/** A folder that was empty when it was looked at first, at time 0, with a quiet time of 50. */
const started = (): SettledFiles => {
  const settled = new SettledFiles(50);
  settled.observe(folder({}), 0);
  return settled;
};

/** Has `a` read at time 100, written at 10. */
const withA = (): SettledFiles => {
  const settled = started();
  settled.observe(folder({ a: stamp('1', 10) }), 10);
  assert.deepEqual(settled.observe(folder({ a: stamp('1', 10) }), 100), { ...nothing, ready: ['a'] });
  return settled;
};

suite('a file', () => {
  test('is ready once its size and mtime have not changed for the quiet time', () => {
    const settled = started();
    assert.deepEqual(settled.observe(folder({ a: stamp('1', 10) }), 10), {
      ...nothing,
      pending: ['a'],
      wakeAt: 60,
    });
    assert.deepEqual(settled.observe(folder({ a: stamp('1', 40) }), 45), {
      ...nothing,
      pending: ['a'],
      wakeAt: 95,
    });
    assert.deepEqual(settled.observe(folder({ a: stamp('1', 40) }), 94), {
      ...nothing,
      pending: ['a'],
      wakeAt: 95,
    });
    assert.deepEqual(settled.observe(folder({ a: stamp('1', 40) }), 95), { ...nothing, ready: ['a'] });
    assert.deepEqual(settled.observe(folder({ a: stamp('1', 40) }), 200), nothing);
  });

  test('that changes only in size is not quiet either', () => {
    const settled = started();
    settled.observe(folder({ a: stamp('1', 10) }), 10);
    assert.deepEqual(settled.observe(folder({ a: stamp('1', 10, 10, 20) }), 70).pending, ['a']);
  });

  test('that was renamed in is ready at once', () => {
    const settled = started();
    assert.deepEqual(settled.observe(folder({ a: stamp('1', 10, 12) }), 13), { ...nothing, ready: ['a'] });
  });

  test('that is empty or has just been made is not taken for one that was renamed in', () => {
    for (const each of [stamp('1', 10, 12, 0), stamp('1', 10)]) {
      assert.deepEqual(started().observe(folder({ a: each }), 13).pending, ['a']);
    }
  });

  test('that was there at the first look has to be quiet, since nobody saw it come', () => {
    const settled = new SettledFiles(50);
    assert.deepEqual(settled.observe(folder({ a: stamp('1', 10, 12) }), 13).pending, ['a']);
  });

  test('that another one was renamed over is ready at once', () => {
    const settled = withA();
    assert.deepEqual(settled.observe(folder({ a: stamp('2', 120, 125) }), 126), { ...nothing, ready: ['a'] });
  });

  test('that is written in place has to be quiet although its mode was changed too', () => {
    const settled = withA();
    assert.deepEqual(settled.observe(folder({ a: stamp('1', 120, 125) }), 126).pending, ['a']);
  });

  test('whose ctime alone changed is read again, since a tool may have set back its mtime', () => {
    const settled = withA();
    assert.deepEqual(settled.observe(folder({ a: stamp('1', 10, 125) }), 126), { ...nothing, ready: ['a'] });
  });

  test('that changed while it was read has to be quiet again', () => {
    const settled = withA();
    settled.again('a', 100);
    assert.deepEqual(settled.observe(folder({ a: stamp('1', 10) }), 120), {
      ...nothing,
      pending: ['a'],
      wakeAt: 150,
    });
    assert.deepEqual(settled.observe(folder({ a: stamp('1', 10) }), 150), { ...nothing, ready: ['a'] });
  });
});

suite('a missing file', () => {
  test('is believed to be gone after the quiet time', () => {
    const settled = withA();
    assert.deepEqual(settled.observe(folder({}), 110), { ...nothing, wakeAt: 160 });
    assert.deepEqual(settled.observe(folder({}), 159), { ...nothing, wakeAt: 160 });
    assert.deepEqual(settled.observe(folder({}), 160), { ...nothing, gone: ['a'] });
    assert.deepEqual(settled.observe(folder({}), 300), nothing);
  });

  test('that comes back in time was never gone, as when an editor deletes and writes', () => {
    const settled = withA();
    settled.observe(folder({}), 110);
    assert.deepEqual(settled.observe(folder({ a: stamp('2', 120) }), 120), {
      ...nothing,
      pending: ['a'],
      wakeAt: 170,
    });
    assert.deepEqual(settled.observe(folder({ a: stamp('2', 120) }), 170), { ...nothing, ready: ['a'] });
  });

  test('that was renamed is gone in the moment in which it is ready under its new name', () => {
    const settled = withA();
    assert.deepEqual(settled.observe(folder({ b: stamp('1', 10, 110) }), 110), {
      ...nothing,
      ready: ['b'],
      gone: ['a'],
    });
  });

  test('that was renamed over another is gone in the moment in which that one is ready', () => {
    const settled = withA();
    settled.observe(folder({ a: stamp('1', 10), b: stamp('2', 100) }), 100);
    settled.observe(folder({ a: stamp('1', 10), b: stamp('2', 100) }), 150);
    assert.deepEqual(settled.observe(folder({ b: stamp('1', 10, 160) }), 160), {
      ...nothing,
      ready: ['b'],
      gone: ['a'],
    });
  });

  test('that was renamed while it was written takes its quiet time along', () => {
    const settled = started();
    settled.observe(folder({ a: stamp('1', 10) }), 10);
    assert.deepEqual(settled.observe(folder({ b: stamp('1', 10) }), 30), {
      ...nothing,
      pending: ['b'],
      wakeAt: 60,
    });
    assert.deepEqual(settled.observe(folder({ b: stamp('1', 10) }), 60), {
      ...nothing,
      ready: ['b'],
      gone: ['a'],
    });
  });

  test('that nobody could look for is not gone', () => {
    const settled = withA();
    for (const now of [110, 500])
      assert.deepEqual(
        settled.observe(folder({}), now, () => true),
        nothing,
      );
    assert.deepEqual(settled.observe(folder({}), 510), { ...nothing, wakeAt: 560 });
  });
});
