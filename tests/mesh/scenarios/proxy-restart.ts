import assert from 'node:assert/strict';
import { refused, served, wordOf } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { leafShownBy } from './shown-leaves.ts';

export const proxyRestart = (): Scenario => ({
  part: 'time',
  title: 'a proxy that was killed comes back with its policy, and admits nobody else meanwhile',
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080 } }, async (fixture) => {
      const backend = await fixture.pod('backend', { ports: { http: 8080 } });
      const frontend = await fixture.pod('frontend');
      const onlooker = await fixture.pod('onlooker', { meshed: false });
      const intruder = await fixture.pod('intruder');
      await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await fixture.until(frontend, fixture.toService(8080), '200');
      const { serial } = await leafShownBy(onlooker, backend);
      const before = await observer.look([backend]);
      await backend.proxy?.end();
      backend.proxy?.start();
      const since = performance.now();
      const words: string[] = [];
      for (let calls = 0; calls < 5; calls += 1) {
        words.push(wordOf(await intruder.call({ host: backend.address, port: 8080, speaks: 'http1' })));
      }
      observer.check('client', () =>
        assert.ok(!words.includes('200'), `intruder got in: ${words.join(' ')}`),
      );
      await backend.untilReady();
      const { seen } = observer.since(before, await observer.look([backend]));
      observer.check('application', () => assert.deepEqual(seen, []));
      await fixture.until(frontend, fixture.toService(8080), '200');
      const ms = performance.now() - since;
      await fixture.expect(intruder, fixture.toService(8080), refused());
      await fixture.expect(frontend, fixture.toService(8080), served());
      const after = await leafShownBy(onlooker, backend);
      observer.check('proxy', () => assert.notEqual(after.serial, serial, 'it has a certificate of its own'));
      return `${Math.round(ms)} ms`;
    }),
});
