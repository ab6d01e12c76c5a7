import { test } from 'node:test';
import { isExecutable, whyNoRealMesh } from './rig/prerequisites.ts';
import { RealMesh } from './rig/real-mesh.ts';
import { changes } from './scenarios/change.ts';
import { failures } from './scenarios/failure.ts';
import { printResults, type Result } from './scenarios/result-table.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { seedStory } from './scenarios/seed-story.ts';

/** `npm run test:mesh`: all scenarios, one after another, with the real proxy; ends with one table. */
const { env, platform, pid } = process;
const skip = whyNoRealMesh({ platform, uid: process.geteuid?.(), env, isExecutable });
const wanted = new RegExp(env.GATEHOUSE_E2E_ONLY ?? '');
const scenarios: readonly Scenario[] = [...seedStory(), ...changes(), ...failures()].filter(
  ({ part, title }) => wanted.test(`${part}: ${title}`),
);

test('the mesh with real proxies', { skip: skip ?? false }, async (t) => {
  const results: Result[] = [];
  const mesh = await RealMesh.start({ binary: env.LINKERD2_PROXY_BIN ?? '', pid });
  const removeNamespaces = (): void => mesh.removeNamespaces();
  const interrupt = (): void => process.exit(130);
  process.once('exit', removeNamespaces).once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
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
  } finally {
    const allPassed = results.every(({ verdict }) => verdict === 'pass');
    await mesh.end(allPassed ? 'remove-logs' : 'keep-logs');
    process.off('exit', removeNamespaces).off('SIGINT', interrupt).off('SIGTERM', interrupt);
    console.log(printResults(results));
    if (!allPassed) console.log(`logs: ${mesh.logs}`);
  }
});
