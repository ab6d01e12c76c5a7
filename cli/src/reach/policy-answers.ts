import { resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import type { Surroundings } from '../cli.ts';
import type { AdminApi } from './admin-client.ts';
import type { ReachOptions } from './reach-options.ts';
import { withAdmin } from './with-admin.ts';

/** What these commands read of the REST API of policy; whatever else is said goes on into json and yaml. */
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

const ObjectName = Type.Object({ kind: Type.String(), namespace: Type.String(), name: Type.String() });
export type ObjectName = Static<typeof ObjectName>;

const Behind = Type.Object({
  kind: Type.String(),
  object: Type.Optional(ObjectName),
  name: Type.Optional(Type.String()),
});
export type Behind = Static<typeof Behind>;

const Network = Type.Object({ cidr: Type.String(), except: Type.Array(Type.String()) });
const Grant = {
  authentication: Type.String(),
  identities: Type.Array(Type.String()),
  networks: Type.Array(Network),
  by: Behind,
};
const Requests = Type.Array(Type.Object({ text: Type.String() }));

const Selector = Type.Object({
  matchLabels: Type.Record(Type.String(), Type.String()),
  matchExpressions: Type.Array(
    Type.Object({ key: Type.String(), operator: Type.String(), values: Type.Array(Type.String()) }),
  ),
});
const Source = Type.Object({
  podSelector: nullable(Selector),
  namespaceSelector: nullable(Selector),
  selectedPods: nullable(Type.Integer()),
});
export type Source = Static<typeof Source>;

const Client = Type.Object({
  ...Grant,
  requests: nullable(Requests),
  source: nullable(Source),
});
export type Client = Static<typeof Client>;

const Governor = Type.Object({
  kind: Type.String(),
  objects: Type.Array(ObjectName),
  base: Type.String(),
  from: nullable(Type.String()),
  text: Type.String(),
});
export type Governor = Static<typeof Governor>;

const Condition = Type.Object({
  reason: Type.String(),
  about: nullable(ObjectName),
  message: Type.String(),
});
export type Condition = Static<typeof Condition>;

const Limit = Type.Object({
  by: nullable(Behind),
  total: nullable(Type.Integer()),
  identity: nullable(Type.Integer()),
  overrides: Type.Array(
    Type.Object({ requestsPerSecond: Type.Integer(), identities: Type.Array(Type.String()) }),
  ),
});
export type Limit = Static<typeof Limit>;

const Told = {
  protocol: Type.String(),
  access: Type.String(),
  clients: Type.Array(Client),
  routes: Type.Array(
    Type.Object({ by: Behind, matches: Requests, authorizations: Type.Array(Type.Object(Grant)) }),
  ),
  /** Requests a second that each proxy passes; older services say nothing of it. */
  rateLimit: Type.Optional(nullable(Limit)),
};
const ToldServer = Type.Object(Told);
/** What a proxy is told of a port. */
export type ToldServer = Static<typeof ToldServer>;

const Row = Type.Object({
  version: Type.String(),
  governedBy: Governor,
  ...Told,
  conditions: Type.Array(Condition),
});
export type Row = Static<typeof Row>;

const Enforcement = Type.Object({
  state: Type.String(),
  reason: nullable(Type.String()),
  message: nullable(Type.String()),
});
export type Enforcement = Static<typeof Enforcement>;

const WorkloadName = Type.Object({
  kind: Type.Enum(['Pod', 'ExternalWorkload'] as const),
  namespace: Type.String(),
  name: Type.String(),
});
export type WorkloadName = Static<typeof WorkloadName>;

/** An object that selects a workload; older services say nothing more of it. */
const SelectedBy = Type.Object({
  ...ObjectName.properties,
  findings: Type.Optional(Type.Array(Type.String())),
});
export type SelectedBy = Static<typeof SelectedBy>;

const PolicyItem = Type.Object({
  object: ObjectName,
  state: Type.String(),
  findings: Type.Array(
    Type.Object({
      reason: Type.String(),
      field: nullable(Type.String()),
      message: Type.String(),
      fix: Type.String(),
    }),
  ),
});
export type PolicyItem = Static<typeof PolicyItem>;

const PolicyPage = Type.Object({
  items: Type.Array(PolicyItem),
  continue: Type.Optional(Type.String()),
});
export type PolicyPage = Static<typeof PolicyPage>;

const Facts = {
  workload: WorkloadName,
  owner: nullable(Type.Object({ kind: Type.String(), name: Type.String() })),
  identity: nullable(Type.String()),
  enforcement: Enforcement,
  selectedBy: Type.Array(SelectedBy),
};
const PortFacts = {
  port: Type.Object({ first: Type.Integer(), last: Type.Integer() }),
  names: Type.Array(Type.String()),
  enforcement: Enforcement,
};
const Summary = {
  access: nullable(Type.String()),
  protocol: nullable(Type.String()),
  governedBy: nullable(Governor),
  version: nullable(Type.String()),
  conditions: Type.Array(Type.String()),
};

const WorkloadItem = Type.Object({
  ...Facts,
  ports: Type.Array(Type.Object({ ...PortFacts, ...Summary })),
  portsLeftOut: Type.Integer(),
  otherPorts: nullable(Type.Object({ enforcement: Enforcement, ...Summary })),
});
export type WorkloadItem = Static<typeof WorkloadItem>;

const WorkloadPage = Type.Object({
  items: Type.Array(WorkloadItem),
  continue: Type.Optional(Type.String()),
});
export type WorkloadPage = Static<typeof WorkloadPage>;

const Audit = Type.Object({
  policies: Type.Array(ObjectName),
  counting: Type.Object({
    labels: nullable(Type.Object({ authz_kind: Type.String(), authz_name: Type.String() })),
    text: Type.String(),
  }),
  row: Row,
});
/** What Audit policies would do to a port, and where that is counted. */
export type Audit = Static<typeof Audit>;

/** Only where it was asked for, and older services say nothing of it. */
const audit = Type.Optional(nullable(Audit));

const WorkloadReport = Type.Object({
  ...Facts,
  ports: Type.Array(Type.Object({ ...PortFacts, row: nullable(Row), audit })),
  portsLeftOut: Type.Integer(),
  otherPorts: nullable(Type.Object({ enforcement: Enforcement, row: nullable(Row), audit })),
});
export type WorkloadReport = Static<typeof WorkloadReport>;

const PortReport = Type.Object({
  workload: Facts.workload,
  identity: Facts.identity,
  selectedBy: Facts.selectedBy,
  port: Type.Integer(),
  names: Type.Array(Type.String()),
  enforcement: Enforcement,
  row: nullable(Row),
});
export type PortReport = Static<typeof PortReport>;

export interface WorkloadsQuery {
  /** Left out = every namespace that the caller may see. */
  readonly namespace?: string | undefined;
  /** `KIND/NAME` */
  readonly owner?: string | undefined;
  /** Of labels, as kubectl writes it. */
  readonly selector?: string | undefined;
  readonly limit: number;
  readonly continue?: string | undefined;
}

/** Who is asked about policy: a running service, or a folder that is read here. */
export interface PolicyAnswers {
  workloads(query: WorkloadsQuery): Promise<WorkloadPage>;
  /** With `audit` also what would be in force if Audit policies were enforced. */
  workload(named: WorkloadName, include?: 'audit'): Promise<WorkloadReport>;
  port(named: WorkloadName, port: string): Promise<PortReport>;
  policies(query: PoliciesQuery): Promise<PolicyPage>;
}

export interface PoliciesQuery {
  readonly namespace?: string | undefined;
  readonly continue?: string | undefined;
}

export interface PolicyReach extends ReachOptions {
  /** A folder of manifests, instead of a mesh. */
  readonly dir?: string;
}

interface Asking {
  readonly options: PolicyReach;
  readonly surroundings: Surroundings;
}

/** Asks about policy, and lets go of whatever that took, however it ended; `namespace` is where names are looked for. */
export const withPolicy = async <T>(
  { options, surroundings }: Asking,
  use: (answers: PolicyAnswers, namespace: string) => Promise<T>,
): Promise<T> => {
  const { env, workingDirectory, interrupted: signal } = surroundings;
  if (options.dir === undefined) {
    return withAdmin({ service: 'policy', options, surroundings }, (api, mesh) =>
      use(overRest(api), mesh.kind === 'cluster' ? mesh.cluster.namespace : 'default'),
    );
  }
  const { openPolicyOnFolder } = await import('@gatehouse/dev/folder/policy-on-folder');
  await using folder = await openPolicyOnFolder({
    path: resolve(workingDirectory, options.dir),
    env,
    signal,
  });
  return await use(folder, 'default');
};

const overRest = (api: AdminApi): PolicyAnswers => {
  const path = (...parts: readonly string[]): string =>
    ['/v1/workloads', ...parts.map(encodeURIComponent)].join('/');
  return {
    workloads: (query) => api.json(WorkloadPage, path(), { ...query }),
    workload: ({ kind, namespace, name }, include) =>
      api.json(WorkloadReport, path(namespace, name), { kind, include }),
    port: ({ kind, namespace, name }, port) =>
      api.json(PortReport, path(namespace, name, 'ports', port), { kind }),
    policies: (query) => api.json(PolicyPage, '/v1/policies', { ...query, limit: 500 }),
  };
};
