import type { ClientTls } from '@gatehouse/core/inbound/evaluate-inbound';
import { identityOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { RequestRates } from '@gatehouse/core/resources/kinds/linkerd';
import type { Server, Situation } from './situation.ts';
import { possibleGovernors, protocolOf } from './who-governs.ts';

/** Requests a second that pass: of all clients together, and of those with whom a client is counted. */
export interface Limits {
  readonly together: number;
  readonly client: number;
}

const none: Limits = { together: Number.POSITIVE_INFINITY, client: Number.POSITIVE_INFINITY };

/**
 * How far a client is limited: by the oldest policy for the Server, on ports that speak HTTP. Where a policy or Server cannot be
 * read, and another may be the one that counts, no number is passed that any of them states (decision 17).
 */
export const decideLimits = (situation: Situation, tls: ClientTls): Limits => {
  const governors = possibleGovernors(situation);
  const protocol = protocolOf(situation, governors[0]) ?? 'unknown';
  if (!['unknown', 'HTTP/1', 'HTTP/2'].includes(protocol)) return none;
  const meant = new Set<RateLimit>();
  for (const server of governors) {
    if (server === undefined) continue;
    for (const limit of limiting(situation, server)) meant.add(limit);
  }
  const [only, ...others] = meant;
  if (only === undefined) return none;
  if (others.length > 0) return { ...none, together: Math.min(...[...meant].flatMap(numbersOf)) };
  const { total = none.together, identity = none.client, overrides } = ratesOf(only);
  const names = (account: { readonly namespace: string; readonly name: string }): boolean =>
    tls.kind === 'identified' &&
    tls.name === printIdentity(identityOf(situation.cluster.mesh, account.namespace, account.name));
  const own = overrides.filter(({ serviceAccounts }) => serviceAccounts.some(names)).at(-1);
  return { together: total, client: own?.requestsPerSecond ?? identity };
};

type RateLimit = KubeObject<'HTTPLocalRateLimitPolicy'>;

const ratesOf = ({ spec }: RateLimit): RequestRates => (isRejected(spec) ? spec.limits.rates : spec);

const numbersOf = (limit: RateLimit): readonly number[] => {
  const { total = none.together, identity = none.client, overrides } = ratesOf(limit);
  return [total, identity, ...overrides.map(({ requestsPerSecond }) => requestsPerSecond)];
};

/** The policies that may be the one that limits the Server: the first that surely is, and those before it that may be. */
const limiting = ({ rateLimits }: Situation, server: Server): readonly RateLimit[] => {
  const found: RateLimit[] = [];
  const oldest = [...rateLimits].sort(
    ({ meta: a }, { meta: b }) => a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1),
  );
  for (const limit of oldest) {
    const { meta, spec } = limit;
    if (meta.namespace !== server.meta.namespace) continue;
    const servers = isRejected(spec) ? spec.limits.servers : [spec.server];
    if (servers !== 'all' && !servers.includes(server.meta.name)) continue;
    found.push(limit);
    if (!isRejected(spec) || spec.limits.applies === 'surely') break;
  }
  return found;
};
