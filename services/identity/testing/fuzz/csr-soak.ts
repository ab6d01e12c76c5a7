import { randomInt } from 'node:crypto';
import process, { argv, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { runTrials } from './certify-trials.ts';
import { aFuzzedMesh } from './fuzzed-mesh.ts';
import { requestReaders } from './request-readers.ts';

/**
 * `npm run fuzz -- csr [--cases 100000] [--seed N]`: mutated signing requests and tokens against Certify. Ends with what
 * held, or with exit code 1 and the cases in which it did not.
 */
const { values } = parseArgs({
  args: argv.slice(2),
  options: { cases: { type: 'string', default: '100000' }, seed: { type: 'string' } },
});
const cases = Number(values.cases);
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
if (!Number.isSafeInteger(cases) || cases < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('--cases is a whole number from 1, --seed a whole number\n');
  process.exit(2);
}
const tell = (line: string): void => {
  stdout.write(`${line}\n`);
};
tell(`${cases} cases, seed ${seed} (again: npm run fuzz -- csr --cases ${cases} --seed ${seed})`);
const start = performance.now();
const mesh = await aFuzzedMesh();
const { certified, refused, done, findings, accepted } = await runTrials({
  mesh,
  cases,
  seed,
  onProgress: (count) => {
    if (count % 10_000 === 0) tell(`${count} cases, ${Math.round((performance.now() - start) / 1_000)} s`);
  },
});
for (const finding of findings) tell(`FOUND: ${finding}`);
tell(
  `${certified} certified, ${Object.entries(refused)
    .map(([code, count]) => `${count} refused with ${code}`)
    .join(', ')}; ${done.size} kinds of change`,
);

/** Each request that is asked about costs a process. */
const asked = 200;
const stride = Math.max(1, Math.floor(accepted.size / asked));
const sample = [...accepted].filter((_, index) => index % stride === 0);
let disagreements = 0;
for (const { name, missing, flawOf } of await requestReaders()) {
  if (missing !== undefined) {
    tell(`${missing}: not asked`);
    continue;
  }
  for (const [hex, identity] of sample) {
    const flaw = await flawOf(Buffer.from(hex, 'hex'), identity);
    if (flaw === undefined) continue;
    disagreements += 1;
    tell(`FOUND: ${name} says of a request that was certified: ${flaw}; identity ${identity}, CSR ${hex}`);
  }
  tell(`${name} read ${sample.length} of the requests that were certified`);
}
const held = findings.length === 0 && disagreements === 0;
tell(
  held
    ? `held in ${cases} cases: no certificate for a name, key or signature that was not proved, no error but the announced; seed ${seed}`
    : `DID NOT HOLD: ${findings.length} findings, ${disagreements} disagreements, seed ${seed}`,
);
process.exitCode = held ? 0 : 1;
