import { test } from 'node:test';
import { isExecutable, whyNoRealMesh } from './rig/prerequisites.ts';
import type { Ground, RealMesh } from './rig/real-mesh.ts';
import { changes } from './scenarios/change.ts';
import { differential } from './scenarios/differential.ts';
import { failures } from './scenarios/failure.ts';
import { grpcStream } from './scenarios/grpc-stream.ts';
import { identityOutages } from './scenarios/identity-outage.ts';
import { onCluster } from './scenarios/on-cluster.ts';
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
/** What is played on one mesh, one scenario after another. */
interface Program {
  readonly ground: Ground;
  readonly scenarios: readonly Scenario[];
}

/** Lanes run beside each other, on meshes that know nothing of each other: while one waits for time to pass, another is busy. */
const lanes: readonly (readonly Program[])[] = [
  [
    {
      ground: 'folder',
      scenarios: [
        ...seedStory(),
        ...clients(),
        ...protocolsAndRules(),
        ...changes(),
        grpcStream(),
        ...sizes(),
        ...differential(),
      ],
    },
    { ground: 'cluster with token-review', scenarios: onCluster('token-review') },
    { ground: 'cluster with jwks', scenarios: onCluster('jwks') },
  ],
  [{ ground: 'folder', scenarios: [...failures(), ...identityOutages()] }],
  [{ ground: 'folder', scenarios: [...passagesOfTime(), ...rootRotations()] }],
];
const order = lanes.flat().flatMap(({ scenarios }) => scenarios.map(({ title }) => title));

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
  const playOn = ({ ground, scenarios }: Program, name: string): Promise<void> =>
    withRealMesh({ name, ground }, async (mesh) => {
      for (const scenario of scenarios) {
        const { part, title } = scenario;
        await t.test(`${part}: ${title}`, { timeout: 300_000 }, () => play(scenario, mesh));
      }
      return scenarios.every(({ title }) => passed(results, title)) ? 'remove-logs' : 'keep-logs';
    });
  const playLane = async (programs: readonly Program[], lane: number): Promise<void> => {
    for (const [index, { ground, scenarios }] of programs.entries()) {
      const wanted = scenarios.filter(isWanted);
      if (wanted.length > 0) await playOn({ ground, scenarios: wanted }, `${lane}-${index}`);
    }
  };
  const played = await Promise.allSettled(lanes.map(playLane));
  console.log(printResults(results.toSorted((a, b) => order.indexOf(a.title) - order.indexOf(b.title))));
  for (const lane of played) if (lane.status === 'rejected') throw lane.reason;
});
