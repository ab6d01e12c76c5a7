import { shortObject } from '../print/policy-words.ts';
import type {
  Enforcement,
  ObjectName,
  PolicyAnswers,
  PolicyItem,
  Row,
  SelectedBy,
} from './policy-answers.ts';

/** So many policy objects are spoken of below a table; `gatehouse policy -o yaml` has all. */
const mostObjects = 8;

/** Every policy object, of one namespace or of all that the caller may see. */
export const allPolicies = async (
  answers: PolicyAnswers,
  namespace: string | undefined,
): Promise<readonly PolicyItem[]> => {
  const items: PolicyItem[] = [];
  let next: string | undefined;
  do {
    const page = await answers.policies({ namespace, continue: next });
    items.push(...page.items);
    next = page.continue;
  } while (next !== undefined);
  return items;
};

/** What objects do not do, a sentence each. */
export const findingNotes = (policies: readonly PolicyItem[], withNamespace: boolean): readonly string[] => {
  const told = policies.filter(({ findings }) => findings.length > 0);
  const more = told.length - mostObjects;
  return [
    ...told.slice(0, mostObjects).map(({ object, state, findings }) => {
      const name = withNamespace ? `${object.namespace}/${shortObject(object)}` : shortObject(object);
      const [first, ...others] = findings;
      const rest =
        others.length === 0 ? '' : ` (and ${others.length} more finding${others.length === 1 ? '' : 's'})`;
      return `${name} ${state}: ${first?.message}${rest}`;
    }),
    ...(more > 0 ? [`${more} more policy objects do not do all that they say: -o yaml has them.`] : []),
  ];
};

/** Those that select one of the workloads, for a list that leaves out the others. */
export const policiesOn = (
  workloads: readonly { readonly selectedBy: readonly SelectedBy[] }[],
  policies: readonly PolicyItem[],
): readonly PolicyItem[] => {
  const selecting = new Set(
    workloads.flatMap(({ selectedBy }) => selectedBy.map((object) => `${object.namespace}/${keyOf(object)}`)),
  );
  return policies.filter(({ object }) => selecting.has(`${object.namespace}/${keyOf(object)}`));
};

interface Selected {
  readonly enforcement: Enforcement;
  readonly selectedBy: readonly SelectedBy[];
  /** What is said of its ports anyway. */
  readonly rows: readonly (Row | null | undefined)[];
}

/** The same of the objects that select a workload, as far as its ports do not say it. */
export const notesOfSelecting = async (
  { selectedBy, rows, enforcement }: Selected,
  answers: PolicyAnswers,
): Promise<readonly string[]> => {
  if (enforcement.state === 'not-enforced') return [];
  const said = new Set(rows.flatMap((row) => row?.conditions.map(({ reason }) => reason) ?? []));
  const wanted = selectedBy.filter(({ findings = [] }) => findings.some((reason) => !said.has(reason)));
  const [first] = wanted;
  if (first === undefined) return [];
  const names = new Set(wanted.map(keyOf));
  const policies = await allPolicies(answers, first.namespace);
  const unsaid = policies
    .filter(({ object }) => names.has(keyOf(object)))
    .map((policy) => ({
      ...policy,
      findings: policy.findings.filter((finding) => !said.has(finding.reason) && !isOfOthers(finding)),
    }));
  return findingNotes(unsaid, false);
};

/** About other pods that an object selects: the caller asked about one workload only. */
const isOfOthers = ({ field }: PolicyItem['findings'][number]): boolean =>
  field === 'spec.target.selector' || field === 'spec.podSelector';

const keyOf = ({ kind, name }: ObjectName): string => `${kind}/${name}`;
