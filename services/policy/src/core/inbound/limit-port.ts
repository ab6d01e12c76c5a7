import type { InboundProtocol, LocalRateLimit } from '@gatehouse/core/inbound/inbound-server';
import { lowestRates } from '@gatehouse/core/inbound/lowest-rates';
import type { SelectedServers } from '@gatehouse/core/mesh/select-server';
import { identityOf, type Mesh } from '@gatehouse/core/mesh/workload-identity';
import { byAge } from '@gatehouse/core/resources/creation-order';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { RequestRates } from '@gatehouse/core/resources/kinds/linkerd';
import { possibleGovernors } from './doubt.ts';
import { type Finding, type PortInput, refOf } from './model.ts';
import { type Steps, stepsToWriteLimit } from './row-budgets.ts';

type Server = KubeObject<'Server'>;
type Limit = KubeObject<'HTTPLocalRateLimitPolicy'>;

/** How the requests of a port are limited. */
export interface PortLimits {
  readonly rateLimit: LocalRateLimit | undefined;
  /** The policies that it is made of: more than one only where nobody can say which of them limits the port. */
  readonly applied: readonly Limit[];
  readonly findings: readonly Finding[];
}

const unlimited: PortLimits = { rateLimit: undefined, applied: [], findings: [] };

/**
 * The oldest HTTPLocalRateLimitPolicy of the governing Server limits the port, then the first by name. A limit restricts, so a
 * rejected one keeps its place, and where nobody can say which policy or which Server counts, the lowest limit does (decision 17).
 */
export const limitPort = (
  input: PortInput,
  servers: SelectedServers,
  { protocol, steps }: { readonly protocol: InboundProtocol['kind']; readonly steps: Steps },
): PortLimits => {
  const { governing } = servers;
  if (governing === undefined) return unlimited;
  const sorted = input.policies.rateLimits.toSorted(byAge);
  const { applied, overlapped } = limitsOf(governing, sorted);
  const all = new Set(applied);
  for (const server of possibleGovernors(servers))
    if (server !== undefined) for (const limit of limitsOf(server, sorted).applied) all.add(limit);
  const [first] = all;
  if (first === undefined) return unlimited;
  if (protocol === 'grpc' || protocol === 'opaque' || protocol === 'tls') {
    return { ...unlimited, findings: [...all].map((limit) => needsHttp(limit, protocol, input.port)) };
  }
  const rates = all.size === 1 ? ratesOf(first) : lowestRates([...all].map(ratesOf));
  const rateLimit = rateLimitOf(first, rates, input.cluster.mesh);
  // It is written whatever it costs: without it more would be admitted.
  if (rateLimit !== undefined) steps.use(stepsToWriteLimit(rateLimit));
  const findings = overlapped.map((limit) => overlappedBy(applied, limit, governing));
  return { rateLimit, applied: [...all], findings };
};

/** The policies of which one limits the Server, and those that certainly do not, since another does. */
const limitsOf = (
  server: Server,
  sorted: readonly Limit[],
): { readonly applied: readonly Limit[]; readonly overlapped: readonly Limit[] } => {
  const own = sorted.filter(({ meta, spec }) => {
    if (meta.namespace !== server.meta.namespace) return false;
    if (!isRejected(spec)) return spec.server === server.meta.name;
    return spec.limits.servers === 'all' || spec.limits.servers.includes(server.meta.name);
  });
  const sure = own.findIndex(({ spec }) => !isRejected(spec) || spec.limits.applies === 'surely');
  const end = sure < 0 ? own.length : sure + 1;
  return { applied: own.slice(0, end), overlapped: own.slice(end) };
};

const ratesOf = ({ spec }: Limit): RequestRates => (isRejected(spec) ? spec.limits.rates : spec);

const rateLimitOf = (
  { meta }: Limit,
  { total, identity, overrides }: RequestRates,
  mesh: Mesh,
): LocalRateLimit | undefined => {
  // A message that limits nothing would only keep the stream from being refreshed.
  if (total === undefined && identity === undefined && overrides.length === 0) return undefined;
  return {
    meta: {
      kind: 'resource',
      resource: { group: 'policy.linkerd.io', kind: 'HTTPLocalRateLimitPolicy', name: meta.name },
    },
    total: total && toldRate(total),
    identity: identity && toldRate(identity),
    overrides: overrides.map(({ requestsPerSecond, serviceAccounts }) => ({
      requestsPerSecond: toldRate(requestsPerSecond),
      identities: serviceAccounts.map(({ namespace, name }) => identityOf(mesh, namespace, name)),
    })),
  };
};

/** No more than a proxy can be told, which is more than it could ever pass. */
const toldRate = (rate: number): number => Math.min(rate, 2 ** 32 - 1);

const needsHttp = (limit: Limit, protocol: 'grpc' | 'opaque' | 'tls', port: number): Finding => {
  const what = { grpc: 'speaks gRPC', opaque: 'is opaque', tls: 'is TLS' }[protocol];
  return {
    reason: 'LimitNeedsHTTP',
    about: refOf(limit),
    message: `Port ${port} ${what}, where proxies limit nothing, so this policy has no effect there.`,
  };
};

const overlappedBy = (applied: readonly Limit[], limit: Limit, server: Server): Finding => ({
  reason: 'LimitOverlapped',
  about: refOf(limit),
  message: `Server ${server.meta.name} is limited by HTTPLocalRateLimitPolicy ${applied.at(-1)?.meta.name}, the older one, so this policy limits nothing there.`,
});
