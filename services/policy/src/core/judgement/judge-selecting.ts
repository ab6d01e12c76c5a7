import { everything, selects } from '@gatehouse/core/label-selector';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import { refOf } from '../inbound/model.ts';
import { judgeSource } from './judge-sources.ts';
import { found, type Judgement } from './judgement.ts';
import type { Look } from './look.ts';
import { judgeRedundance } from './redundant.ts';
import { rejectedFindings } from './rejected.ts';
import { rowFindings, stateBy } from './row-findings.ts';
import { selectedPods } from './selected-pods.ts';

type Policy = KubeObject<'NetworkAuthenticationPolicy'>;

const policyFields = {
  selector: 'spec.target.selector',
  ports: (at: number) => `spec.ports[${at}].port`,
};

export const judgeNetworkPolicy = (look: Look, policy: Policy): Judgement => {
  const { meta, spec } = policy;
  const { namespace } = meta;
  if (isRejected(spec)) return judgeRejected(look, policy);
  const target = selectedPods(look, {
    namespace,
    selector: spec.target,
    ports: spec.ports,
    fields: policyFields,
  });
  const sources = look.sourcesOf(policy);
  const ofSources = spec.sources.flatMap((source, at) => {
    const resolved = sources[at];
    const field = `spec.sources[${at}]`;
    return resolved === undefined ? [] : judgeSource(look, source, resolved, { namespace, field });
  });
  const { rows, policies } = look.rows(target.pods, spec.ports);
  const ofRows = rowFindings(refOf(policy), rows);
  return {
    state: spec.mode === 'Audit' ? 'Audited' : stateBy(ofRows, target.state),
    selection: target.selection,
    selectedSources: sources.reduce((sum, { selectedPods: count }) => sum + count, 0),
    findings: [...target.findings, ...ofSources, ...ofRows.findings, ...judgeRedundance(policy, policies)],
  };
};

const serverFields = { selector: 'spec.podSelector', ports: () => 'spec.port' };

export const judgeServer = (look: Look, server: KubeObject<'Server'>): Judgement => {
  const { meta, spec } = server;
  const { namespace } = meta;
  if (isRejected(spec)) return judgeRejected(look, server);
  const { podSelector: selector, externalWorkloadSelector = everything, port } = spec;
  if (selector === undefined) {
    const isSelecting = [...look.externalWorkloads(namespace)].some((each) =>
      selects(externalWorkloadSelector, each.meta.labels),
    );
    const field = 'spec.externalWorkloadSelector';
    return {
      state: isSelecting ? 'Enforced' : 'MatchesNothing',
      selection: undefined,
      selectedSources: undefined,
      findings: isSelecting
        ? []
        : [
            found('NoPodMatches', 'It selects no ExternalWorkload.', {
              field,
              fix: "Compare the selector with the labels of the namespace's ExternalWorkloads.",
            }),
          ],
    };
  }
  const target = selectedPods(look, { namespace, selector, ports: [port], fields: serverFields });
  const ofRows = rowFindings(refOf(server), look.rows(target.pods, [port]).rows);
  return {
    state: stateBy(ofRows, target.state),
    selection: target.selection,
    selectedSources: undefined,
    findings: [...target.findings, ...ofRows.findings],
  };
};

/** It closes what it still names; where that is, and where no proxy does it, is said beside what is wrong with it. */
const judgeRejected = (look: Look, object: Policy | KubeObject<'Server'>): Judgement => {
  const { meta, spec } = object;
  const { closes } = spec as Extract<typeof spec, { rejected: unknown }>;
  const { selection } = selectedPods(look, {
    namespace: meta.namespace,
    ...closes,
    fields: object.kind === 'Server' ? serverFields : policyFields,
  });
  return { state: 'Rejected', selection, selectedSources: undefined, findings: rejectedFindings(object) };
};
