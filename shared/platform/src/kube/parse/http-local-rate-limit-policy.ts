import type { HttpLocalRateLimitPolicySpec } from '@gatehouse/core/resources/kinds/linkerd';
import { spend } from './budget.ts';
import type { Fields } from './fields.ts';
import { isRefTo, printRefKind, readRef } from './object-ref.ts';
import { closesNothing, policyParser } from './read.ts';

type Override = HttpLocalRateLimitPolicySpec['overrides'][number];
type Client = Override['serviceAccounts'][number];

const linkerd = 'policy.linkerd.io';

const readServer = (spec: Fields): string | undefined => {
  const fields = spec.need('targetRef', 'name a Server: { group, kind, name }')
    ? spec.fields('targetRef')
    : undefined;
  const ref = fields === undefined ? undefined : readRef(fields, { namespaced: false });
  if (ref === undefined || isRefTo(ref, linkerd, 'Server')) return ref?.name;
  return spec.refuse('targetRef', `${printRefKind(ref)} cannot be limited`, `a Server with group ${linkerd}`);
};

/** A limit of nothing would be a denial, which is said by authorizations (semantics §2.11). */
const readRate = (fields: Fields): number | undefined =>
  fields.need('requestsPerSecond', 'how many requests a second')
    ? fields.whole('requestsPerSecond', 1, Number.MAX_SAFE_INTEGER)
    : undefined;

const readLimit = (spec: Fields, name: string): number | undefined => {
  const limit = spec.fields(name);
  const rate = limit === undefined ? undefined : readRate(limit);
  limit?.close();
  return rate;
};

const readClient = (fields: Fields, namespace: string): Client | undefined => {
  if (!spend(fields, 'identities')) return undefined;
  const ref = readRef(fields, { namespaced: true });
  if (ref === undefined) return undefined;
  return isRefTo(ref, '', 'ServiceAccount')
    ? { namespace: ref.namespace ?? namespace, name: ref.name }
    : fields.refuseSelf(`${printRefKind(ref)} is not a valid client`, 'ServiceAccount of the core group');
};

const readOverride = (override: Fields, namespace: string): Override | undefined => {
  const requestsPerSecond = readRate(override);
  const serviceAccounts = override.need('clientRefs', 'name ServiceAccounts')
    ? override.eachFields('clientRefs', (ref) => readClient(ref, namespace))
    : undefined;
  override.close();
  if (requestsPerSecond === undefined || serviceAccounts === undefined) return undefined;
  return { requestsPerSecond, serviceAccounts };
};

const readSpec = (spec: Fields, namespace: string): HttpLocalRateLimitPolicySpec | undefined => {
  const server = readServer(spec);
  const total = readLimit(spec, 'total');
  const identity = readLimit(spec, 'identity');
  const checkAgainstTotal = (rate: number | undefined, field: string): void => {
    if (total !== undefined && rate !== undefined && rate > total)
      spec.refuse(field, `${rate} is above the total of ${total}`, 'lower it, or raise the total');
  };
  checkAgainstTotal(identity, 'identity.requestsPerSecond');
  const overrides = spec.eachFields('overrides', (override) => {
    const read = readOverride(override, namespace);
    checkAgainstTotal(
      read?.requestsPerSecond,
      `${override.path.slice(spec.path.length + 1)}.requestsPerSecond`,
    );
    return read;
  });
  spec.close();
  return server === undefined ? undefined : { server, total, identity, overrides: overrides ?? [] };
};

/** A rejected limit closes nothing: it narrows by rate, never by who may call. */
export const httpLocalRateLimitPolicyParser = policyParser<HttpLocalRateLimitPolicySpec>({
  read: (spec, { meta }) => readSpec(spec, meta.namespace),
  closes: () => closesNothing,
});
