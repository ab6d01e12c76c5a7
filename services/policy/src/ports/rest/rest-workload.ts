import { isMeshed } from '@gatehouse/core/mesh/workload';
import { identityOf, type Mesh, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { Type } from 'typebox';
import type { ListedPort } from '../../core/answers/listed-ports.ts';
import { type Enforcement, notEnforcedReasons } from '../../core/inbound/enforcement.ts';
import { findingReasons } from '../../core/inbound/model.ts';
import { nullable, ObjectName } from './rest-object.ts';
import { Access, Base, Governor, Protocol, Row } from './rest-row.ts';

/** Whether policy is in force on a pod or a port, said everywhere in the same words. */
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

export const WorkloadName = Type.Object({ namespace: Type.String(), pod: Type.String() });

const Facts = {
  workload: WorkloadName,
  owner: nullable(Type.Object({ kind: Type.String(), name: Type.String() }), {
    description: 'Deployment, StatefulSet, DaemonSet, Job; null for a pod of its own',
  }),
  serviceAccount: Type.String(),
  identity: nullable(Type.String(), { description: 'null = it has no certificate of this mesh' }),
  addresses: Type.Array(Type.String()),
  phase: Type.Enum(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const),
  enforcement: EnforcementItem,
  selectedBy: Type.Array(ObjectName, {
    description: 'The Servers and NetworkAuthenticationPolicies whose labels select the pod, enforced or not',
  }),
};

/** One port, or several that nothing tells apart. */
const PortFacts = {
  port: Type.Object({ first: Type.Integer(), last: Type.Integer() }),
  names: Type.Array(Type.String(), { description: 'Of container ports' }),
  declared: Type.Boolean({ description: 'Whether a container declares it' }),
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

export const WorkloadReport = Type.Object({
  ...Facts,
  ports: Type.Array(Type.Object({ ...PortFacts, row })),
  portsLeftOut: Type.Integer({ description: 'How many more are named' }),
  otherPorts: nullable(Type.Object({ enforcement: EnforcementItem, row }), { description: others }),
});
export type WorkloadReport = Type.Static<typeof WorkloadReport>;

export const PortReport = Type.Object({
  workload: WorkloadName,
  identity: Facts.identity,
  ...PortFacts,
  port: Type.Integer(),
  selectedBy: Facts.selectedBy,
  row,
});
export type PortReport = Type.Static<typeof PortReport>;

export const podIdentity = ({ meta, spec }: KubeObject<'Pod'>, mesh: Mesh): string | null =>
  isMeshed(meta, mesh) ? printIdentity(identityOf(mesh, meta.namespace, spec.serviceAccount)) : null;

export const podFacts = (pod: KubeObject<'Pod'>, mesh: Mesh) => {
  const { meta, spec } = pod;
  return {
    workload: { namespace: meta.namespace, pod: meta.name },
    owner: spec.owner === undefined ? null : { kind: spec.owner.kind, name: spec.owner.name },
    serviceAccount: spec.serviceAccount,
    identity: podIdentity(pod, mesh),
    addresses: [...spec.ips],
    phase: spec.phase,
  };
};

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
