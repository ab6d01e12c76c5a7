import { expectOutcome } from './expectations.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { callUntil, Stage } from './stage.ts';

const policyCount = 200;

/** What is large. */
export const sizes = (): readonly Scenario[] => [
  {
    part: 'size',
    title: `${policyCount} policies with rules on one pod: each path is open to whom its policy names`,
    run: (mesh) =>
      Stage.play(mesh, { http: 8080 }, async (stage) => {
        await stage.pod('backend', { ports: { http: 8080 } });
        const frontend = await stage.pod('frontend');
        const intruder = await stage.pod('intruder');
        const policies = Array.from({ length: policyCount }, (_, index) => {
          const rules = [{ methods: ['GET'], paths: [{ type: 'PathPrefix', value: `/p${index}` }] }];
          const from = index % 2 === 0 ? 'frontend' : 'intruder';
          const policy = allow(stage.namespace, { from, to: 'backend', ports: [8080], rules });
          return { ...policy, metadata: { namespace: stage.namespace, name: `policy-${index}` } };
        });
        await stage.put(...policies);
        const last = policyCount - 2;
        const ms = await callUntil(frontend, stage.toService(8080, { path: `/p${last}` }), '200');
        for (const index of [0, 1, 2, 57, 98, 99, 100, 151, last, last + 1]) {
          const [own, other] = index % 2 === 0 ? [frontend, intruder] : [intruder, frontend];
          const call = stage.toService(8080, { path: `/p${index}/x` });
          expectOutcome(await own.call(call), '200', call.path ?? '');
          expectOutcome(await other.call(call), '403', `${call.path} by the other`);
          expectOutcome(await own.call({ ...call, method: 'POST' }), '403', `POST ${call.path}`);
        }
        expectOutcome(
          await frontend.call(stage.toService(8080, { path: `/p${policyCount}` })),
          '403',
          'beyond',
        );
        return `${Math.round(ms)} ms from the file to the last of them`;
      }),
  },
];
