import { test } from 'node:test';
import { isExecutable, whyNoRealMesh } from './rig/prerequisites.ts';
import { changes } from './scenarios/change.ts';
import { differential } from './scenarios/differential.ts';
import { failures } from './scenarios/failure.ts';
import { printResults, type Result } from './scenarios/result-table.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { seedStory } from './scenarios/seed-story.ts';
import { sizes } from './scenarios/size.ts';
import { passagesOfTime } from './scenarios/time.ts';
import { protocolsAndRules } from './scenarios/what.ts';
import { clients } from './scenarios/who.ts';
import { withRealMesh } from './with-real-mesh.ts';

/** `npm run test:mesh`: all scenarios, one after another, with the real proxy; ends with one table. */
const { env, platform } = process;
const skip = whyNoRealMesh({ platform, uid: process.geteuid?.(), env, isExecutable });
/** Plays only scenarios whose `part: title` matches. */
const wanted = new RegExp(env.GATEHOUSE_E2E_ONLY ?? '');
const scenarios: readonly Scenario[] = [
  ...seedStory(),
  ...clients(),
  ...protocolsAndRules(),
  ...changes(),
  ...passagesOfTime(),
  ...failures(),
  ...sizes(),
  ...differential(),
].filter(({ part, title }) => wanted.test(`${part}: ${title}`));

test('the mesh with real proxies', { skip: skip ?? false }, (t) =>
  withRealMesh(async (mesh) => {
    const results: Result[] = [];
    for (const scenario of scenarios) {
      await t.test(`${scenario.part}: ${scenario.title}`, { timeout: 180_000 }, async () => {
        const started = performance.now();
        const add = (verdict: Result['verdict'], found: string): void => {
          const seconds = (performance.now() - started) / 1_000;
          results.push({ part: scenario.part, title: scenario.title, verdict, seconds, found });
        };
        try {
          add('pass', (await scenario.run(mesh)) ?? '');
        } catch (error) {
          add('FAIL', String(error).split('\n', 1)[0] ?? '');
          throw error;
        }
      });
    }
    console.log(printResults(results));
    return results.every(({ verdict }) => verdict === 'pass') ? 'remove-logs' : 'keep-logs';
  }),
);
