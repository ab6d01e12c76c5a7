import { test } from 'node:test';
import { isExecutable, whyNoRealMesh } from './rig/prerequisites.ts';
import { changes } from './scenarios/change.ts';
import { differential } from './scenarios/differential.ts';
import { failures } from './scenarios/failure.ts';
import { grpcStream } from './scenarios/grpc-stream.ts';
import { identityOutages } from './scenarios/identity-outage.ts';
import { printResults, type Result } from './scenarios/result-table.ts';
import { rootRotations } from './scenarios/root-rotation.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { seedStory } from './scenarios/seed-story.ts';
import { sizes } from './scenarios/size.ts';
import { passagesOfTime } from './scenarios/time.ts';
import { protocolsAndRules } from './scenarios/what.ts';
import { clients } from './scenarios/who.ts';
import { Witness } from './scenarios/witness.ts';
import { withRealMesh } from './with-real-mesh.ts';

/**
 * `npm run test:mesh`: all scenarios with the real proxy; ends with one table. `npm run test:mesh -- REGEXP` plays only those
 * whose `part: title` matches.
 */
const { argv, env, platform } = process;
const skip = whyNoRealMesh({ platform, uid: process.geteuid?.(), env, isExecutable });
const wanted = new RegExp(argv[2] ?? '');
const isWanted = ({ part, title }: Scenario): boolean => wanted.test(`${part}: ${title}`);
/** Meshes that know nothing of each other: while one waits for time to pass, another is busy. */
const lanes: readonly (readonly Scenario[])[] = [
  [
    ...seedStory(),
    ...clients(),
    ...protocolsAndRules(),
    ...changes(),
    grpcStream(),
    ...sizes(),
    ...differential(),
  ],
  [...failures(), ...identityOutages()],
  [...passagesOfTime(), ...rootRotations()],
].map((lane) => lane.filter(isWanted));

test('the mesh with real proxies', { skip: skip ?? false, concurrency: lanes.length }, async (t) => {
  const play = async (lane: readonly Scenario[], name: string): Promise<readonly Result[]> => {
    const results: Result[] = [];
    if (lane.length === 0) return results;
    await withRealMesh(name, async (mesh) => {
      for (const scenario of lane) {
        const { part, title, without = {} } = scenario;
        await t.test(`${part}: ${title}`, { timeout: 300_000 }, async () => {
          const started = performance.now();
          const witness = new Witness();
          const add = (verdict: Result['verdict'], found: string): void => {
            const seconds = (performance.now() - started) / 1_000;
            results.push({ part, title, verdict, seconds, seen: { ...witness.counts(), ...without }, found });
          };
          try {
            const found = (await scenario.run(mesh, witness)) ?? '';
            witness.close(without);
            add('pass', found);
          } catch (error) {
            add('FAIL', String(error).split('\n', 1)[0] ?? '');
            throw error;
          }
        });
      }
      return results.every(({ verdict }) => verdict === 'pass') ? 'remove-logs' : 'keep-logs';
    });
    return results;
  };
  const played = await Promise.all(lanes.map((lane, index) => play(lane, `${index + 1}`)));
  console.log(printResults(played.flat()));
});
