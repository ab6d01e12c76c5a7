import { Type } from 'typebox';
import type { CheckContext } from './check-context.ts';
import { type Check, count, type Finding, ok, warning } from './finding.ts';

const Policies = Type.Object({
  items: Type.Array(
    Type.Object({
      object: Type.Object({ kind: Type.String(), namespace: Type.String(), name: Type.String() }),
      state: Type.String(),
      findings: Type.Array(Type.Object({ message: Type.String(), fix: Type.String() })),
    }),
  ),
  continue: Type.Optional(Type.String()),
});

const objects: Check<CheckContext> = {
  name: 'Policies without effect',
  run: async (context) => {
    const policy = await context.api('policy');
    const findings: Finding[] = [];
    let total = 0;
    let mark: string | undefined;
    do {
      const query = { limit: 500, continue: mark, namespace: context.of };
      const page = await policy.json(Policies, '/v1/policies', query);
      total += page.items.length;
      for (const { object, state, findings: why } of page.items) {
        if (!withoutEffect.has(state)) continue;
        const { message = 'nothing says why', fix = 'gatehouse policy shows it' } = why[0] ?? {};
        const withoutDot = (sentence: string): string => sentence.replace(/\.$/, '');
        findings.push(
          warning(
            `${object.kind} ${object.namespace}/${object.name} is ${state}: ${withoutDot(message)}`,
            withoutDot(fix),
          ),
        );
      }
      mark = page.continue;
    } while (mark !== undefined);
    if (total === 0) return ok('there is no policy object yet');
    if (findings.length === 0) return ok(`${count(total, 'policy object')}, and each has an effect`);
    const more = findings.length - mostObjects;
    return more <= 0
      ? findings
      : [
          ...findings.slice(0, mostObjects),
          warning(`${more} more have none`, 'gatehouse policy -A shows all'),
        ];
  },
};

const mostObjects = 10;

/** Of the states of a judgement: what its author wanted does not happen, or only in part. */
const withoutEffect: ReadonlySet<string> = new Set(['PartlyEnforced', 'MatchesNothing', 'Open', 'Rejected']);

export const policyChecks: readonly Check<CheckContext>[] = [objects];
