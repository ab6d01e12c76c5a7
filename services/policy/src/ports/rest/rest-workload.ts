import { identityOf, type Mesh, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { Type } from 'typebox';
import type { ListedPort } from '../../core/answers/listed-ports.ts';
import { type Enforcement, notEnforcedReasons } from '../../core/inbound/enforcement.ts';
import { findingReasons } from '../../core/inbound/model.ts';
import { hasProxy, type Target } from '../../core/inbound/workload-of.ts';
import { policyReasons } from '../../core/judgement/reasons.ts';
import { AuditItem } from './rest-audit.ts';
import { State } from './rest-judgement.ts';
import { nullable, ObjectName } from './rest-object.ts';
import { Access, Base, Governor, Protocol, Row } from './rest-row.ts';

/** Whether policy is in force on a workload or a port, said everywhere in the same words. */
export const EnforcementItem = Type.Object({
  state: Type.Enum(['enforced', 'not-enforced'] as const),
  reason: nullable(Type.Enum(notEnforcedReasons), { description: 'null where it is enforced' }),
  message: nullable(Type.String({ description: 'Why it is not, as a sentence' })),
});
export type EnforcementItem = Type.Static<typeof EnforcementItem>;

export const enforcementItem = (enforcement: Enforcement): EnforcementItem => {
  switch (enforcement.kind) {
    case 'enforced':
      return { state: 'enforced', reason: null, message: null };
    case 'not-enforced': {
      const { reason, why } = enforcement;
      return { state: 'not-enforced', reason, message: `Open, not enforced: ${why}.` };
    }
  }
};

export const workloadKinds = ['Pod', 'ExternalWorkload'] as const satisfies readonly Target['kind'][];

export const WorkloadName = Type.Object({
  kind: Type.Enum(workloadKinds),
  namespace: Type.String(),
  name: Type.String(),
});

/** An object whose labels select a workload, and what became of it everywhere. */
const SelectedBy = Type.Object({
  ...ObjectName.properties,
  state: State,
  findings: Type.Array(Type.Enum(policyReasons), { description: 'What `/v1/policies` explains' }),
});
export type SelectedBy = Type.Static<typeof SelectedBy>;

const Facts = {
  workload: WorkloadName,
  owner: nullable(Type.Object({ kind: Type.String(), name: Type.String() }), {
    description:
      'Deployment, StatefulSet, DaemonSet, Job; null for a pod of its own and for an ExternalWorkload',
  }),
  serviceAccount: nullable(Type.String(), { description: 'null for an ExternalWorkload' }),
  identity: nullable(Type.String(), {
    description:
      'Of an ExternalWorkload as `meshTLS.identity` says. null = it has no certificate of this mesh',
  }),
  addresses: Type.Array(Type.String()),
  phase: nullable(Type.Enum(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const), {
    description: 'null for an ExternalWorkload',
  }),
  enforcement: EnforcementItem,
  selectedBy: Type.Array(SelectedBy, {
    description: 'The Servers and NetworkAuthenticationPolicies whose labels select it, enforced or not',
  }),
};

/** One port, or several that nothing tells apart. */
const PortFacts = {
  port: Type.Object({ first: Type.Integer(), last: Type.Integer() }),
  names: Type.Array(Type.String(), {
    description: 'Of container ports, or of ports of the ExternalWorkload',
  }),
  declared: Type.Boolean({ description: 'Whether a container or the ExternalWorkload declares it' }),
  enforcement: EnforcementItem,
};

const Summary = {
  access: nullable(Access, { description: 'null where no proxy of this mesh is told anything' }),
  protocol: nullable(Protocol),
  base: nullable(Base),
  governedBy: nullable(Governor),
  version: nullable(Type.String({ description: 'Hash of the bytes that the proxy is sent' })),
  conditions: Type.Array(Type.Enum(findingReasons), { description: 'What `ports/PORT` explains' }),
};

export const PortSummary = Type.Object({ ...PortFacts, ...Summary });
export type PortSummary = Type.Static<typeof PortSummary>;

const others = 'Of every port that is not listed; null where all are';

export const WorkloadItem = Type.Object({
  ...Facts,
  ports: Type.Array(PortSummary),
  portsLeftOut: Type.Integer({ description: 'How many more are named' }),
  otherPorts: nullable(Type.Object({ enforcement: EnforcementItem, ...Summary }), { description: others }),
});
export type WorkloadItem = Type.Static<typeof WorkloadItem>;

const row = nullable(Row, { description: 'null where no proxy of this mesh is told anything' });

const audit = Type.Optional(
  nullable(AuditItem, { description: 'With `include=audit`. null = no Audit policy selects the port' }),
);

export const WorkloadReport = Type.Object({
  ...Facts,
  ports: Type.Array(Type.Object({ ...PortFacts, row, audit })),
  portsLeftOut: Type.Integer({ description: 'How many more are named' }),
  otherPorts: nullable(Type.Object({ enforcement: EnforcementItem, row, audit }), { description: others }),
});
export type WorkloadReport = Type.Static<typeof WorkloadReport>;

export const PortReport = Type.Object({
  workload: WorkloadName,
  identity: Facts.identity,
  ...PortFacts,
  port: Type.Integer(),
  selectedBy: Facts.selectedBy,
  row,
  audit,
});
export type PortReport = Type.Static<typeof PortReport>;

export const workloadName = ({ kind, meta }: Target): Type.Static<typeof WorkloadName> => ({
  kind,
  namespace: meta.namespace,
  name: meta.name,
});

/** What its certificate holds; null where it has none of this mesh. */
export const identityOfWorkload = (target: Target, mesh: Mesh): string | null => {
  // One that cannot be read is the empty text.
  if (target.kind === 'ExternalWorkload') return target.spec.identity || null;
  const { meta, spec } = target;
  return hasProxy(target, mesh) ? printIdentity(identityOf(mesh, meta.namespace, spec.serviceAccount)) : null;
};

export const workloadFacts = (target: Target, mesh: Mesh) => ({
  workload: workloadName(target),
  ...(target.kind === 'Pod'
    ? {
        owner: target.spec.owner === undefined ? null : ownerOf(target.spec.owner),
        serviceAccount: target.spec.serviceAccount,
        phase: target.spec.phase,
      }
    : { owner: null, serviceAccount: null, phase: null }),
  identity: identityOfWorkload(target, mesh),
  addresses: [...target.spec.ips],
});

const ownerOf = ({ kind, name }: { readonly kind: string; readonly name: string }) => ({ kind, name });

export const portFacts = ({ first, last, names, declared }: ListedPort) => ({
  port: { first, last },
  names: [...names],
  declared,
});

export const summaryOf = (row: Row | undefined): Omit<PortSummary, keyof typeof PortFacts> =>
  row === undefined
    ? { access: null, protocol: null, base: null, governedBy: null, version: null, conditions: [] }
    : {
        access: row.access,
        protocol: row.protocol,
        base: row.governedBy.base,
        governedBy: row.governedBy,
        version: row.version,
        conditions: [...new Set(row.conditions.map(({ reason }) => reason))],
      };
