import { selects } from '@gatehouse/core/label-selector';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Workload } from '../inbound/model.ts';
import { type ConcerningPolicies, selectorOf } from '../inbound/rows/policy-index.ts';
import type { JudgedCompiler } from './judged-rows.ts';
import type { Judged } from './judgement.ts';

/**
 * The compiler as if the object were stored: it stands among the policies that select the same pods, in place of the one of its
 * name. Other kinds than these two are judged by what they name, which is stored already.
 */
export const withCandidate = (compiler: JudgedCompiler, candidate: Judged): JudgedCompiler => ({
  labelKeys: (namespace) => compiler.labelKeys(namespace),
  portsOf: (compilable) => compiler.portsOf(compilable),
  sourcesOf: (policy) => compiler.sourcesOnce(policy),
  sourcesOnce: (policy) => compiler.sourcesOnce(policy),
  compiledPort: (compilable, port) =>
    compiler.compiledPort(compilable, port, (policy) => compiler.sourcesOnce(policy)),
  policiesFor: (workload) => joined(compiler.policiesFor(workload), workload, candidate),
});

const joined = (policies: ConcerningPolicies, workload: Workload, candidate: Judged): ConcerningPolicies => {
  switch (candidate.kind) {
    case 'Server':
      return { ...policies, servers: replaced(policies.servers, candidate, isFor(candidate, workload)) };
    case 'NetworkAuthenticationPolicy':
      return {
        ...policies,
        networkPolicies: replaced(policies.networkPolicies, candidate, isFor(candidate, workload)),
      };
    default:
      return policies;
  }
};

const isFor = (
  candidate: KubeObject<'Server'> | KubeObject<'NetworkAuthenticationPolicy'>,
  { kind, namespace, labels }: Workload,
): boolean => {
  const selector = candidate.meta.namespace === namespace ? selectorOf(candidate, kind) : undefined;
  return selector !== undefined && selects(selector, labels);
};

const replaced = <T extends KubeObject>(
  objects: readonly T[],
  candidate: T,
  isThere: boolean,
): readonly T[] => [
  ...objects.filter(({ meta }) => meta.name !== candidate.meta.name),
  ...(isThere ? [candidate] : []),
];
