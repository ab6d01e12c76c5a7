import assert from 'node:assert/strict';
import { refused, served, wordOf } from './expectations.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { leafShownBy } from './shown-leaves.ts';
import { Stage } from './stage.ts';

export const proxyRestart = (): Scenario => ({
  part: 'time',
  title: 'a proxy that was killed comes back with its policy, and admits nobody else meanwhile',
  run: (mesh, witness) =>
    Stage.play({ mesh, witness, ports: { http: 8080 } }, async (stage) => {
      const backend = await stage.pod('backend', { ports: { http: 8080 } });
      const frontend = await stage.pod('frontend');
      const onlooker = await stage.pod('onlooker', { meshed: false });
      const intruder = await stage.pod('intruder');
      await stage.put(allow(stage.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await stage.until(frontend, stage.toService(8080), '200');
      const { serial } = await leafShownBy(onlooker, backend);
      const before = await witness.look([backend]);
      await backend.proxy?.end();
      backend.proxy?.start();
      const since = performance.now();
      const words: string[] = [];
      for (let calls = 0; calls < 5; calls += 1) {
        words.push(wordOf(await intruder.call({ host: backend.address, port: 8080, speaks: 'http1' })));
      }
      witness.check('client', () => assert.ok(!words.includes('200'), `intruder got in: ${words.join(' ')}`));
      await backend.untilReady();
      const { seen } = witness.since(before, await witness.look([backend]));
      witness.check('application', () => assert.deepEqual(seen, []));
      await stage.until(frontend, stage.toService(8080), '200');
      const ms = performance.now() - since;
      await stage.expect(intruder, stage.toService(8080), refused());
      await stage.expect(frontend, stage.toService(8080), served());
      const after = await leafShownBy(onlooker, backend);
      witness.check('proxy', () => assert.notEqual(after.serial, serial, 'it has a certificate of its own'));
      return `${Math.round(ms)} ms`;
    }),
});
