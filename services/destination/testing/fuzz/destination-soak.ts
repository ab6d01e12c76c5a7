import { randomInt } from 'node:crypto';
import process, { argv, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { streamsAgree } from './streams-agree.ts';

/**
 * `npm run fuzz -- destination [--steps 10000] [--seed N]`: random objects, changes and clients, against a server that starts anew
 * after each step. Ends with how many steps held, or with exit code 1 and the smallest history that shows what did not.
 */
const { values } = parseArgs({
  args: argv.slice(2),
  options: { steps: { type: 'string', default: '10000' }, seed: { type: 'string' } },
});
const wanted = Number(values.steps);
const seed = values.seed === undefined ? randomInt(2 ** 30) : Number(values.seed);
if (!Number.isSafeInteger(wanted) || wanted < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('--steps is a whole number from 1, --seed a whole number\n');
  process.exit(2);
}
stdout.write(`destination: ${wanted} steps, seed ${seed}\n`);
let steps = 0;
const onStep = (): void => {
  steps += 1;
};
for (let batch = 0; steps < wanted; batch += 1) {
  const details = await fc.check(streamsAgree({ onStep }), { numRuns: 100, seed: seed + batch });
  if (details.failed) {
    stdout.write(`DOES NOT HOLD:\n${details.errorInstance}\n${fc.defaultReportMessage(details)}\n`);
    process.exit(1);
  }
  stdout.write(`${steps} steps held\n`);
}
