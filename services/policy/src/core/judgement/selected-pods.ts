import type { LabelSelector } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { isProxyServer } from '@gatehouse/core/mesh/proxy-ports';
import {
  isJudged,
  type JudgedPod,
  type JudgedSelection,
  judgeSelection,
  type SelectionState,
  type Shortfall,
  shortfallsOf,
} from '../answers/judge-selection.ts';
import type { NotEnforced } from '../inbound/enforcement.ts';
import { found, type PolicyFinding, type PolicyState, podRefs, someOf } from './judgement.ts';
import type { Look } from './look.ts';
import type { PodSelection } from './pod-selections.ts';
import type { PolicyReason } from './reasons.ts';

/** What an object selects, where nothing is enforced, and the ports that nobody has. */
export interface SelectedPods {
  readonly pods: PodSelection;
  readonly selection: JudgedSelection;
  readonly state: Extract<PolicyState, 'Enforced' | 'PartlyEnforced' | 'MatchesNothing' | 'Open'>;
  readonly findings: readonly PolicyFinding[];
}

interface Selecting {
  readonly namespace: string;
  readonly selector: LabelSelector;
  readonly ports: readonly PortSelector[] | 'all';
  /** Where the selector and the ports are written. */
  readonly fields: { readonly selector: string; readonly ports: (at: number) => string };
}

export const selectedPods = (look: Look, { namespace, selector, ports, fields }: Selecting): SelectedPods => {
  const pods = look.select(namespace, selector);
  const failing = shortfallsOf(pods.pods, ports);
  const selection = judgeSelection(pods.pods, failing);
  const running = pods.pods.filter(isJudged);
  const absent = absentPorts(running, ports);
  const findings = [
    ...(running.length > 0 ? [] : nothingSelected(look, namespace, fields.selector)),
    ...notEnforced(failing, namespace, fields.selector),
    ...absent.map((at) => noSuchPort(running, ports, fields.ports(at), at)),
  ];
  const hasNoPort = ports !== 'all' && absent.length === ports.length;
  const state = hasNoPort && selection.state !== 'not-enforced' ? 'MatchesNothing' : states[selection.state];
  return { pods, selection, state, findings };
};

const states = {
  enforced: 'Enforced',
  'partly-enforced': 'PartlyEnforced',
  'not-enforced': 'Open',
  'matches-nothing': 'MatchesNothing',
} as const satisfies Record<SelectionState, PolicyState>;

const nothingSelected = (look: Look, namespace: string, field: string): readonly PolicyFinding[] => {
  if (look.hasNamespace(namespace)) return [found('NoPodMatches', 'It selects no pod.', { field })];
  return [found('NoSuchNamespace', `There is no namespace ${namespace}.`, { field: 'metadata.namespace' })];
};

const reasonOf = {
  'host-network': 'HostNetwork',
  unmeshed: 'TargetUnmeshed',
  'other-mesh': 'TargetOfOtherMesh',
  'skipped-port': 'PortSkipped',
} as const satisfies Record<Exclude<NotEnforced, 'ended'>, PolicyReason>;

/** One finding a reason; pods that differ in the why of it are told apart. */
const notEnforced = (
  failing: readonly Shortfall[],
  namespace: string,
  field: string,
): readonly PolicyFinding[] => {
  const groups = new Map<string, { reason: PolicyReason; why: string; names: string[] }>();
  for (const { pod, reason, why } of failing) {
    if (reason === 'ended') continue;
    const group = groups.get(`${reason} ${why}`) ?? { reason: reasonOf[reason], why, names: [] };
    group.names.push(pod);
    groups.set(`${reason} ${why}`, group);
  }
  return [...groups.values()].map(({ reason, why, names }) =>
    found(
      reason,
      `On pod${names.length === 1 ? '' : 's'} ${someOf(names)} it is open, not enforced: ${why}.`,
      {
        field,
        about: podRefs(names.map((name) => `${namespace}/${name}`)),
      },
    ),
  );
};

/** The places of those that no running pod has. A number counts as there where some pod does not say which ports it has. */
const absentPorts = (
  running: readonly JudgedPod[],
  ports: readonly PortSelector[] | 'all',
): readonly number[] => {
  if (ports === 'all' || running.length === 0) return [];
  return ports.flatMap((selector, at) => (running.some(({ pod }) => mayHave(pod, selector)) ? [] : [at]));
};

const mayHave = ({ spec }: JudgedPod['pod'], selector: PortSelector): boolean => {
  const { ports, probes, unopened = [], proxyPorts, unread } = spec;
  if (unread?.includes('ports')) return true;
  switch (selector.kind) {
    case 'name':
      return ports.some(({ name }) => name === selector.name);
    case 'range':
      return (
        ports.length === 0 ||
        [...ports, ...probes, ...unopened].some(
          ({ port }) => selector.first <= port && port <= selector.last,
        ) ||
        Object.values(proxyPorts).some(
          (port) => isProxyServer(proxyPorts, port) && selector.first <= port && port <= selector.last,
        )
      );
  }
};

const noSuchPort = (
  running: readonly JudgedPod[],
  ports: readonly PortSelector[] | 'all',
  field: string,
  at: number,
): PolicyFinding => {
  const selector = ports === 'all' ? undefined : ports[at];
  const declared = new Set(
    running.flatMap(({ pod }) =>
      pod.spec.ports.map(({ name, port }) => (name === '' ? `${port}` : `${port} (${name})`)),
    ),
  );
  const they = declared.size === 0 ? 'declare none' : `declare ${someOf([...declared])}`;
  const wanted =
    selector?.kind === 'range'
      ? `${selector.first}${selector.first === selector.last ? '' : `-${selector.last}`}`
      : `named ${selector?.name}`;
  return found('NoSuchPort', `No selected pod declares a port ${wanted}: they ${they}.`, { field });
};
