import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import { compareText } from '@gatehouse/core/resources/creation-order';
import { type ObjectRef, refOf } from '../inbound/model.ts';
import { portsOf } from '../inbound/rows/policy-index.ts';
import type { RowCompiler } from '../inbound/rows/row-compiler.ts';
import { classKey, narrowed } from '../inbound/rows/workload-class.ts';
import { hasProxy, type Target, workloadOf } from '../inbound/workload-of.ts';
import { type ListedPorts, listedPorts } from './listed-ports.ts';

/** What is known of a workload before any of its ports is compiled. */
export interface WorkloadSurvey {
  /** Workloads with the same key have the same ports, and the same rows on them. */
  readonly key: string;
  readonly ports: ListedPorts;
  /** The Servers and NetworkAuthenticationPolicies that select it by its labels, whatever their ports. */
  readonly selectedBy: readonly ObjectRef[];
}

export interface SurveyOptions {
  readonly compiler: Pick<RowCompiler, 'labelKeys' | 'policiesFor' | 'portsOf'>;
  readonly mesh: Mesh;
  /** So many ports are listed at most. */
  readonly limit: number;
}

/** The key alone, which costs little beside the rest. */
export const surveyKey = (target: Target, { compiler, mesh }: Omit<SurveyOptions, 'limit'>): string => {
  const workload = narrowed(workloadOf(target), compiler.labelKeys(target.meta.namespace));
  // Only what a pod has beside its labels says whether it has a proxy, once they are narrowed to those that select.
  return `${hasProxy(target, mesh)} ${classKey(workload)}`;
};

export const surveyWorkload = (target: Target, options: SurveyOptions): WorkloadSurvey => {
  const { compiler, mesh, limit } = options;
  const workload = workloadOf(target);
  const policies = compiler.policiesFor(workload);
  const objects = [...policies.servers, ...policies.networkPolicies];
  const { boundaries } = compiler.portsOf({ workload, policies });
  const named = objects.map((object) => portsOf(object, workload.kind));
  const meshed = hasProxy(target, mesh);
  return {
    key: surveyKey(target, options),
    ports: listedPorts({ workload, isMeshed: meshed, named, boundaries, limit }),
    selectedBy: objects.map(refOf).sort((a, b) => compareText(`${a.kind}/${a.name}`, `${b.kind}/${b.name}`)),
  };
};
