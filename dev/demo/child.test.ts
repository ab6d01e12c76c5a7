import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Child } from './child.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-child-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** A child that runs `source`; `said` resolves with its first line. */
const aChild = async (source: string) => {
  const script = join(folder, `${Math.random()}.ts`);
  await writeFile(script, source);
  const { promise: said, resolve } = Promise.withResolvers<string>();
  const logFile = `${script}.log`;
  return {
    child: new Child({ name: 'it', script, env: { WORD: 'hello' }, logFile, onLine: resolve }),
    said,
    logFile,
  };
};

test('a child gets its own environment only, and what it prints reaches us and its log', async () => {
  const { child, said, logFile } = await aChild(
    `console.log(process.env.WORD, process.env.HOME ?? 'homeless'); setInterval(() => {}, 1000);`,
  );
  child.start();
  assert.equal(await said, 'hello homeless');
  assert.equal(child.failure, undefined);
  await child.stop();
  assert.equal(child.failure, undefined);
  assert.match(await readFile(logFile, 'utf8'), /hello homeless/);
});

test('one that ends by itself is a failure that tells its last words; one that was killed is none, and starts again', async () => {
  const failing = await aChild(`console.error('no such luck'); process.exitCode = 3; console.log('bye');`);
  failing.child.start();
  await failing.said;
  while (failing.child.failure === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.match(failing.child.failure, /it exited with 3/);
  const steady = await aChild(`console.log('up'); setInterval(() => {}, 1000);`);
  steady.child.start();
  await steady.said;
  await steady.child.kill();
  assert.equal(steady.child.failure, undefined);
  steady.child.start();
  await steady.child.stop();
});

test('one that ignores SIGTERM is killed after its grace', async () => {
  const { child, said } = await aChild(
    `process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000);`,
  );
  child.start();
  await said;
  await child.stop(50);
  assert.equal(child.failure, undefined);
});
