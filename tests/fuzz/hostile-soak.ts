import { randomInt } from 'node:crypto';
import process, { argv, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { measure } from './hostile/attack.ts';
import { attacks } from './hostile/attacks.ts';

/**
 * `npm run fuzz -- hostile [NAME …] [--share 1] [--seed N]`: what attackers, tenants and odd inputs may try. Says for each
 * what held and what it cost, and ends with exit code 1 if something did not hold.
 */
const names = attacks.map(({ name }) => name);
const { values, positionals } = parseArgs({
  args: argv.slice(2),
  allowPositionals: true,
  options: { share: { type: 'string', default: '1' }, seed: { type: 'string' } },
});
const share = Number(values.share);
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const unknown = positionals.filter((name) => !names.includes(name));
if (!(share > 0 && share <= 10) || !Number.isSafeInteger(seed) || unknown.length > 0) {
  process.stderr.write(
    `--share is a number above 0, at most 10; --seed a whole number; names are ${names.join(', ')}\n`,
  );
  process.exit(2);
}
const tell = (line: string): void => void stdout.write(`${line}\n`);
tell(`share ${share}, seed ${seed} (again: npm run fuzz -- hostile --share ${share} --seed ${seed})`);
let broken = 0;
for (const attack of attacks) {
  if (positionals.length > 0 && !positionals.includes(attack.name)) continue;
  const { tried, held, findings, seconds, cpuSeconds } = await measure(attack, { share, seed });
  const verdict = findings.length === 0 ? 'held' : 'BROKEN';
  const cost = `${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of CPU`;
  tell(
    `${attack.name.padEnd(10)}${verdict.padEnd(8)}${`${tried}`.padStart(7)} tried  ${cost.padEnd(26)}${held}`,
  );
  for (const finding of findings) tell(`FOUND: ${attack.name}: ${finding}`);
  broken += findings.length;
}
process.exitCode = broken === 0 ? 0 : 1;
