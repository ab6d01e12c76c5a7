import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import { type CompiledPort, refOf } from '../inbound/model.ts';
import { found, type Judged, type Judgement, type PolicyFinding, someOf } from './judgement.ts';
import type { Look } from './look.ts';
import { rowFindings, stateBy } from './row-findings.ts';

type Server = KubeObject<'Server'>;

/** What something counts at, or why it counts nowhere. */
export type AtServers =
  | {
      readonly kind: 'servers';
      readonly servers: readonly Server[];
      readonly findings: readonly PolicyFinding[];
    }
  | { readonly kind: 'nowhere'; readonly findings: readonly PolicyFinding[] };

/** So many Servers are looked at for one object. */
const mostServers = 64;

export const nowhere = (...findings: readonly PolicyFinding[]): AtServers => ({ kind: 'nowhere', findings });

/** Judges what does nothing by itself, but at the ports of some Servers. */
export const judgeAtServers = (look: Look, object: Judged, at: AtServers): Judgement => {
  if (at.kind === 'nowhere') return judged('MatchesNothing', at.findings);
  const servers = at.servers.slice(0, mostServers);
  const rows: CompiledPort[] = [];
  const idle: IdleServer[] = [];
  const partly: IdleServer[] = [];
  for (const server of servers) {
    const { name } = server.meta;
    // What a rejected Server still names stays closed, whatever is granted there.
    if (isRejected(server.spec)) {
      idle.push({ server: name, state: 'Rejected' });
      continue;
    }
    const { state } = look.judgementOf(server);
    if (state === 'MatchesNothing' || state === 'Open') idle.push({ server: name, state });
    else if (server.spec.podSelector !== undefined) {
      if (state === 'PartlyEnforced') partly.push({ server: name, state });
      const pods = look.select(server.meta.namespace, server.spec.podSelector);
      rows.push(...look.rows(pods, [server.spec.port]).rows);
    }
  }
  const ofRows = rowFindings(refOf(object), rows);
  const findings = [...at.findings, ...idleFindings([...idle, ...partly]), ...ofRows.findings];
  if (idle.length < servers.length) {
    const isWhole = idle.length + partly.length === 0;
    return judged(stateBy(ofRows, isWhole ? 'Enforced' : 'PartlyEnforced'), findings);
  }
  return judged(idle.every(({ state }) => state === 'Open') ? 'Open' : 'MatchesNothing', findings);
};

export const judged = (state: Judgement['state'], findings: readonly PolicyFinding[]): Judgement => ({
  state,
  selection: undefined,
  selectedSources: undefined,
  findings,
});

interface IdleServer {
  readonly server: string;
  readonly state: 'MatchesNothing' | 'Open' | 'PartlyEnforced' | 'Rejected';
}

const why = {
  MatchesNothing: ['selects nothing', 'select nothing'],
  Open: ['is not enforced', 'are not enforced'],
  PartlyEnforced: ['is not enforced on all of its pods', 'are not enforced on all of their pods'],
  Rejected: ['could not be read', 'could not be read'],
} as const;

const idleFindings = (idle: readonly IdleServer[]): readonly PolicyFinding[] =>
  (['MatchesNothing', 'Open', 'PartlyEnforced', 'Rejected'] as const).flatMap((state) => {
    const names = idle.filter((each) => each.state === state).map(({ server }) => server);
    if (names.length === 0) return [];
    const [one, several] = why[state];
    const message =
      names.length === 1 ? `Server ${names[0]} ${one}.` : `Servers ${someOf(names.sort())} ${several}.`;
    return [found(state === 'Rejected' ? 'TargetRejected' : 'TargetWithoutEffect', message)];
  });
