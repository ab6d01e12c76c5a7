import { printProblem } from '@gatehouse/core/problem';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import { found, type Judgement, type PolicyFinding } from './judgement.ts';

/** Every problem of a rejected object. */
export const rejectedFindings = ({ spec }: KubeObject): readonly PolicyFinding[] =>
  isRejected(spec)
    ? spec.rejected.map((problem) =>
        found('Rejected', printProblem(problem), { field: problem.field, fix: problem.fix }),
      )
    : [];

/** Of a rejected object that selects no pods. */
export const rejectedJudgement = (object: KubeObject): Judgement => ({
  state: 'Rejected',
  selection: undefined,
  selectedSources: undefined,
  findings: rejectedFindings(object),
});
