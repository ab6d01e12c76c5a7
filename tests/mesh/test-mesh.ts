import { test } from 'node:test';
import { isExecutable, whyNoRealMesh } from './rig/prerequisites.ts';
import type { RealMesh, SourceKind } from './rig/real-mesh.ts';
import { audits } from './scenarios/audit.ts';
import { changes } from './scenarios/change.ts';
import { differential } from './scenarios/differential.ts';
import { failures } from './scenarios/failure.ts';
import { grpcStream } from './scenarios/grpc-stream.ts';
import { identityOutages } from './scenarios/identity-outage.ts';
import { linkerdKinds } from './scenarios/linkerd-kinds.ts';
import { Observer } from './scenarios/observer.ts';
import { onCluster } from './scenarios/on-cluster.ts';
import { printResults, type Result } from './scenarios/result-table.ts';
import { rootRotations } from './scenarios/root-rotation.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { seedStory } from './scenarios/seed-story.ts';
import { serviceProfiles } from './scenarios/service-profile.ts';
import { sizes } from './scenarios/size.ts';
import { passagesOfTime } from './scenarios/time.ts';
import { protocolsAndRules } from './scenarios/what.ts';
import { clients } from './scenarios/who.ts';
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
  readonly sourceKind: SourceKind;
  readonly scenarios: readonly Scenario[];
}

/** Lanes run beside each other, on meshes that know nothing of each other: while one waits for time to pass, another is busy. */
const lanes: readonly (readonly Program[])[] = [
  [
    {
      sourceKind: 'folder',
      scenarios: [
        ...seedStory(),
        ...clients(),
        ...protocolsAndRules(),
        ...linkerdKinds(),
        ...serviceProfiles(),
        ...changes(),
        ...audits(),
        grpcStream(),
        ...sizes(),
        ...differential(),
      ],
    },
    { sourceKind: 'cluster with token-review', scenarios: onCluster('token-review') },
    { sourceKind: 'cluster with jwks', scenarios: onCluster('jwks') },
  ],
  [{ sourceKind: 'folder', scenarios: [...failures(), ...identityOutages()] }],
  [{ sourceKind: 'folder', scenarios: [...passagesOfTime(), ...rootRotations()] }],
];
const order = lanes.flat().flatMap(({ scenarios }) => scenarios.map(({ title }) => title));

const passed = (results: readonly Result[], wanted: string): boolean =>
  results.some(({ title, verdict }) => title === wanted && verdict === 'pass');

test('the mesh with real proxies', { skip: skip ?? false, concurrency: lanes.length }, async (t) => {
  const results: Result[] = [];
  const play = async (scenario: Scenario, mesh: RealMesh): Promise<void> => {
    const { part, title, without = {} } = scenario;
    const started = performance.now();
    const observer = new Observer();
    const add = (verdict: Result['verdict'], found: string): void => {
      const seconds = (performance.now() - started) / 1_000;
      results.push({ part, title, verdict, seconds, seen: { ...observer.counts(), ...without }, found });
    };
    try {
      const found = (await scenario.run(mesh, observer)) ?? '';
      observer.close(without);
      add('pass', found);
    } catch (error) {
      add('FAIL', String(error).split('\n', 1)[0] ?? '');
      throw error;
    }
  };
  const playOn = ({ sourceKind, scenarios }: Program, name: string): Promise<void> =>
    withRealMesh({ name, sourceKind }, async (mesh) => {
      for (const scenario of scenarios) {
        const { part, title } = scenario;
        await t.test(`${part}: ${title}`, { timeout: 300_000 }, () => play(scenario, mesh));
      }
      return scenarios.every(({ title }) => passed(results, title)) ? 'remove-logs' : 'keep-logs';
    });
  const playLane = async (programs: readonly Program[], lane: number): Promise<void> => {
    for (const [index, { sourceKind, scenarios }] of programs.entries()) {
      const wanted = scenarios.filter(isWanted);
      if (wanted.length > 0) await playOn({ sourceKind, scenarios: wanted }, `${lane}-${index}`);
    }
  };
  const played = await Promise.allSettled(lanes.map(playLane));
  console.log(printResults(results.toSorted((a, b) => order.indexOf(a.title) - order.indexOf(b.title))));
  for (const lane of played) if (lane.status === 'rejected') throw lane.reason;
});
