import assert from 'node:assert/strict';
import test from 'node:test';
import { Admission } from './admission.ts';

const tick = () => new Promise((resolve) => setImmediate(resolve));

test('streams are admitted oldest first, as many a tick as the bounds allow', async () => {
  const admission = new Admission({ builds: 2, bytes: 1_000_000 });
  const admitted: number[] = [];
  for (let index = 0; index < 5; index += 1) {
    admission.enter(() => {
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

test('bytes count too, and a send of a few bytes is not free', async () => {
  const admission = new Admission({ builds: 100, bytes: 10_000 });
  const costs = [9_000, 2_000, 1, 1, 1, 1];
  let admitted = 0;
  for (const bytes of costs) {
    admission.enter(() => {
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

test('whoever left is passed over, and who comes later is served too', async () => {
  const admission = new Admission();
  const admitted: string[] = [];
  const enter = (name: string) =>
    admission.enter(() => {
      admitted.push(name);
      return { bytes: 0, wasBuilt: false };
    });
  const leave = enter('gone');
  enter('stays');
  leave();
  await tick();
  enter('late');
  await tick();
  assert.deepEqual(admitted, ['stays', 'late']);
});

test('nobody is admitted after the end', async () => {
  const admission = new Admission();
  admission.enter(() => assert.fail('admitted after the end'));
  admission.close();
  await tick();
  assert.equal(admission.waiting, 0);
});
