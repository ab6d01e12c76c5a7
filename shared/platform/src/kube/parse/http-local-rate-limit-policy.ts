import type { RejectedRateLimit } from '@gatehouse/core/resources/kinds';
import type { HttpLocalRateLimitPolicySpec, RequestRates } from '@gatehouse/core/resources/kinds/linkerd';
import { spend } from './budget.ts';
import { describe, type Fields, hasOnly, readable } from './fields.ts';
import { isObjectName } from './meta.ts';
import { isRefTo, printRefKind, readRef } from './object-ref.ts';
import { closesNothing, policyParser, type Wire } from './read.ts';

type Override = HttpLocalRateLimitPolicySpec['overrides'][number];
type Client = Override['serviceAccounts'][number];

const linkerd = 'policy.linkerd.io';

const readServer = (spec: Fields): string | undefined => {
  const fields = spec.need('targetRef', 'name a Server: { group, kind, name }')
    ? spec.fields('targetRef')
    : undefined;
  const ref = fields === undefined ? undefined : readRef(fields, { namespaced: false });
  if (ref === undefined) return undefined;
  if (isRefTo(ref, linkerd, 'Server')) {
    return isObjectName(ref.name)
      ? ref.name
      : spec.refuse(
          'targetRef.name',
          `${describe(ref.name)} is not a valid Server's name`,
          'lower-case letters, digits, `-`, `.`',
        );
  }
  return spec.refuse('targetRef', `${printRefKind(ref)} cannot be limited`, `a Server with group ${linkerd}`);
};

/** What a limit counts as that is there and cannot be read. */
const lowest = 1;

/** A limit of nothing would be a denial, which is said by authorizations (semantics §2.11). */
const readRate = (fields: Fields): number | undefined =>
  fields.need('requestsPerSecond', 'how many requests a second')
    ? fields.whole('requestsPerSecond', lowest, Number.MAX_SAFE_INTEGER)
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

const specFields = ['targetRef', 'total', 'identity', 'overrides'] as const;

/**
 * What is left of a limit that is rejected (decision 17). A Server is all that can be limited, so the one that is named is
 * meant whatever its kind says. An unknown field may be a limit that is not there, and of one that says nothing all is lost.
 */
const rejectLimit = (spec: Fields, { meta, unread }: Wire): Omit<RejectedRateLimit, 'rejected'> => {
  const server = readable(spec, (alone) => {
    const name = alone.fields('targetRef')?.text('name');
    return name !== undefined && isObjectName(name) ? name : undefined;
  });
  const isFirstSurely = !unread.includes('creationTimestamp') && isObjectName(meta.name);
  return {
    ...closesNothing,
    limits: {
      servers: server === undefined ? 'all' : [server],
      applies: server !== undefined && isFirstSurely ? 'surely' : 'perhaps',
      rates: ratesLeft(spec, meta.namespace),
    },
  };
};

const ratesLeft = (spec: Fields, namespace: string): RequestRates => {
  const { overrides, unplaced } = overridesLeft(spec, namespace);
  const isLost = spec.names().length === 0;
  const mayHideLimit =
    isLost ||
    (!hasOnly(spec, specFields) && !(spec.has('total') && spec.has('identity') && spec.has('overrides')));
  const total = rateLeft(spec, 'total');
  const totals = [...(total === undefined ? [] : [total]), ...unplaced, ...(mayHideLimit ? [lowest] : [])];
  return {
    total: totals.length === 0 ? undefined : totals.reduce((a, b) => Math.min(a, b)),
    identity: rateLeft(spec, 'identity'),
    overrides,
  };
};

const rateLeft = (spec: Fields, name: string): number | undefined => {
  if (!spec.has(name)) return undefined;
  const rate = readable(spec, (alone) => {
    const limit = alone.fields(name);
    return limit === undefined ? undefined : readRate(limit);
  });
  return rate ?? lowest;
};

interface OverridesLeft {
  readonly overrides: readonly Override[];
  /** Limits of clients of which nobody can say who they are: those of all clients, then. */
  readonly unplaced: readonly number[];
}

const overridesLeft = (spec: Fields, namespace: string): OverridesLeft => {
  const overrides: Override[] = [];
  const unplaced: number[] = [];
  if (!spec.has('overrides')) return { overrides, unplaced };
  const alone = spec.alone();
  const items = alone.each('overrides', (value, item) => {
    const override = alone.open(value, item);
    if (override === undefined) return unplaced.push(lowest);
    const requestsPerSecond = readable(override, readRate) ?? lowest;
    const clients = alone.open(value, item)?.alone();
    const refs = clients?.eachFields('clientRefs', (ref) => readClient(ref, namespace));
    const isWhole = refs !== undefined && clients?.problems.length === 0;
    if (!isWhole) unplaced.push(requestsPerSecond);
    overrides.push({ requestsPerSecond, serviceAccounts: refs ?? [] });
    return 0;
  });
  if (items === undefined) unplaced.push(lowest);
  return { overrides, unplaced };
};

export const httpLocalRateLimitPolicyParser = policyParser<
  HttpLocalRateLimitPolicySpec,
  Omit<RejectedRateLimit, 'rejected'>
>({
  read: (spec, { meta }) => readSpec(spec, meta.namespace),
  closes: rejectLimit,
});
