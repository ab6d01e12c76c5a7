import { refused, served } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';

const policyCount = 200;

export const policiesOnOnePod = (): Scenario => ({
  part: 'size',
  title: `${policyCount} policies with rules on one pod: each path is open to whom its policy names`,
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080 } }, async (fixture) => {
      await fixture.pod('backend', { ports: { http: 8080 } });
      const frontend = await fixture.pod('frontend');
      const intruder = await fixture.pod('intruder');
      const nameOf = (index: number): string => `policy-${index}`;
      const policies = Array.from({ length: policyCount }, (_, index) => {
        const rules = [{ methods: ['GET'], paths: [{ type: 'PathPrefix', value: `/p${index}` }] }];
        const from = index % 2 === 0 ? 'frontend' : 'intruder';
        const policy = allow(fixture.namespace, { from, to: 'backend', ports: [8080], rules });
        return { ...policy, metadata: { namespace: fixture.namespace, name: nameOf(index) } };
      });
      await fixture.put(...policies);
      const last = policyCount - 2;
      const ms = await fixture.until(frontend, fixture.toService(8080, { path: `/p${last}` }), '200');
      for (const index of [0, 1, 2, 57, 98, 99, 100, 151, last, last + 1]) {
        const [own, other] = index % 2 === 0 ? [frontend, intruder] : [intruder, frontend];
        const call = fixture.toService(8080, { path: `/p${index}/x` });
        await fixture.expect(own, call, served({ route_name: nameOf(index), authz_name: nameOf(index) }));
        await fixture.expect(other, call, refused({ route_name: nameOf(index) }));
        await fixture.expect(own, { ...call, method: 'POST' }, refused({ route_name: 'default' }));
      }
      await fixture.expect(frontend, fixture.toService(8080, { path: `/p${policyCount}` }), refused());
      return `${Math.round(ms)} ms from the file to the last of them`;
    }),
});
