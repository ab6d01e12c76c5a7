import { test } from 'node:test';
import { isExecutable, whyNoRealMesh } from './rig/prerequisites.ts';
import type { RealMesh } from './rig/real-mesh.ts';
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

const passed = (results: readonly Result[], wanted: string): boolean =>
  results.some(({ title, verdict }) => title === wanted && verdict === 'pass');

test('the mesh with real proxies', { skip: skip ?? false, concurrency: lanes.length }, async (t) => {
  const results: Result[] = [];
  const play = async (scenario: Scenario, mesh: RealMesh): Promise<void> => {
    const { part, title, without = {} } = scenario;
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
  };
  const playLane = (lane: readonly Scenario[], name: string): Promise<void> =>
    withRealMesh(name, async (mesh) => {
      for (const scenario of lane) {
        const { part, title } = scenario;
        await t.test(`${part}: ${title}`, { timeout: 300_000 }, () => play(scenario, mesh));
      }
      const all = lane.every(({ title }) => passed(results, title));
      return all ? 'remove-logs' : 'keep-logs';
    });
  const played = await Promise.allSettled(
    lanes.map((lane, index) => (lane.length === 0 ? undefined : playLane(lane, `${index + 1}`))),
  );
  const order = lanes.flat().map(({ title }) => title);
  console.log(printResults(results.toSorted((a, b) => order.indexOf(a.title) - order.indexOf(b.title))));
  for (const lane of played) if (lane.status === 'rejected') throw lane.reason;
});
