import { randomInt } from 'node:crypto';
import process, { argv, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { isFlat } from './watch/is-flat.ts';
import { soak } from './watch/soak.ts';

/** `npm run fuzz -- watch [--seconds 600] [--seed N]`: ends with index = server and flat memory, or with exit code 1. */
const { values } = parseArgs({
  args: argv.slice(2),
  options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
if (!(seconds >= 1) || !Number.isSafeInteger(seed)) {
  process.stderr.write('--seconds is a number from 1, --seed a whole number\n');
  process.exit(2);
}
const tell = (line: string): void => {
  stdout.write(`${line}\n`);
};
tell(
  `watch soak of ${seconds} s, seed ${seed} (again: npm run fuzz -- watch --seconds ${seconds} --seed ${seed})`,
);
const storms = Math.max(3, Math.min(30, Math.round(seconds / 10)));
const { differences, heaps, changes, faults } = await soak({ seconds, seed, storms, tell });
tell(
  `${changes} changes; faults: ${Object.entries(faults)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')}`,
);
for (const difference of differences) tell(`DIFFERS: ${difference}`);
const flat = isFlat(heaps);
tell(`index ${differences.length === 0 ? '=' : '≠'} server, memory ${flat ? 'flat' : 'GROWS'}, seed ${seed}`);
process.exitCode = differences.length === 0 && flat ? 0 : 1;
