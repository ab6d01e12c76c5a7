import { randomInt } from 'node:crypto';
import process, { argv, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { policyProperties } from './properties.ts';
import { soakPolicies } from './soak.ts';

/**
 * `npm run fuzz -- policy [--runs 20000] [--seconds 3600] [--seed N]`: random policies, requests, mistakes and histories
 * against the compiler of inbound policy. Ends with what held, or with exit code 1 and the smallest case that shows what did not.
 */
const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    runs: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '3600' },
    seed: { type: 'string' },
  },
});
const runs = Number(values.runs);
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? randomInt(2 ** 30) : Number(values.seed);
if (!Number.isSafeInteger(runs) || runs < 1 || !(seconds >= 1) || !Number.isSafeInteger(seed)) {
  process.stderr.write('--runs is a whole number from 1, --seconds a number from 1, --seed a whole number\n');
  process.exit(2);
}
const tell = (line: string): void => {
  stdout.write(`${line}\n`);
};
tell(`policy: ${runs} cases of each property, ${seconds} s at most, seed ${seed}`);
const failed = soakPolicies({
  properties: policyProperties,
  runs,
  seed,
  withinMs: seconds * 1_000,
  now: () => performance.now(),
  tell,
});
tell(
  `${policyProperties.length - failed.length} of ${policyProperties.length} properties held; again: npm run fuzz -- policy --runs ${runs} --seconds ${seconds} --seed ${seed}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
