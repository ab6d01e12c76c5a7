import { type PortRange, type PortSet, parsePortSet, portSet } from '@gatehouse/core/port-set';
import type {
  ProfileRetryBudget,
  ProfileRoute,
  ServiceProfileSpec,
} from '@gatehouse/core/resources/kinds/linkerd';
import { describe, type Fields } from './fields.ts';
import { readGoDuration } from './go-duration.ts';
import { readRequestCondition, readResponseCondition } from './profile-condition.ts';
import { closesNothing, policyParser } from './read.ts';

const readResponse = (fields: Fields): ProfileRoute['responses'][number] | undefined => {
  const given = fields.need('condition', 'say which responses') ? fields.fields('condition') : undefined;
  const condition = given === undefined ? undefined : readResponseCondition(given);
  const isFailure = fields.flag('isFailure') ?? false;
  fields.close();
  return condition === undefined ? undefined : { condition, isFailure };
};

const readRoute = (route: Fields): ProfileRoute | undefined => {
  const name = route.need('name', 'name the route') ? route.text('name') : undefined;
  if (name === '') route.refuse('name', 'an empty text', 'name the route');
  const given = route.need('condition', 'say which requests') ? route.fields('condition') : undefined;
  const requests = given === undefined ? undefined : readRequestCondition(given);
  const isRetryable = route.flag('isRetryable') ?? false;
  const timeoutMs = readGoDuration(route, 'timeout');
  const responses = route.eachFields('responseClasses', readResponse) ?? [];
  route.close();
  if (name === undefined || requests === undefined) return undefined;
  return { name, requests, isRetryable, timeoutMs, responses };
};

const readRetryBudget = (budget: Fields): ProfileRetryBudget | undefined => {
  budget.need('retryRatio', 'retries per request, such as 0.2');
  budget.need('minRetriesPerSecond', 'a whole number');
  budget.need('ttl', 'how long a request counts, such as 10s');
  const ratio = budget.raw('retryRatio');
  const minPerSecond = budget.whole('minRetriesPerSecond', 0, 2 ** 31 - 1);
  const ttlMs = readGoDuration(budget, 'ttl');
  budget.close();
  if (ratio !== undefined && !(typeof ratio === 'number' && Number.isFinite(ratio) && ratio >= 0)) {
    return budget.refuse(
      'retryRatio',
      `${describe(ratio)} is not a valid ratio`,
      'a number from 0 on, without quotes',
    );
  }
  if (ratio === undefined || minPerSecond === undefined || ttlMs === undefined) return undefined;
  return { ratio, minPerSecond, ttlMs };
};

/** A Kubernetes quantity, of which only the plain and the milli form make sense as a weight; answers thousandths. */
const readWeight = (override: Fields): number | undefined => {
  const value = override.raw('weight');
  const match = /^(\d{1,9}(?:\.\d*)?)(m?)$/.exec(
    typeof value === 'string' || typeof value === 'number' ? String(value) : '',
  );
  if (match === null) {
    return override.refuse(
      'weight',
      `${describe(value)} is not a valid weight`,
      'a number such as 1, or thousandths such as 500m',
    );
  }
  return Math.ceil(Number(match[1]) * (match[2] === 'm' ? 1 : 1_000));
};

const readOverride = (override: Fields): ServiceProfileSpec['overrides'][number] | undefined => {
  const authority = override.need('authority', 'name a host') ? override.text('authority') : undefined;
  if (authority === '') override.refuse('authority', 'an empty text', 'name a host');
  const weightMilli = override.need('weight', 'a number') ? readWeight(override) : undefined;
  override.close();
  return authority === undefined || weightMilli === undefined ? undefined : { authority, weightMilli };
};

const readOpaquePorts = (spec: Fields): PortSet | undefined => {
  const sets = spec.each('opaquePorts', (value, item) =>
    typeof value === 'string'
      ? spec.take(parsePortSet(value, spec.pathOf(item)))
      : spec.refuse(item, `${describe(value)} is not text`, 'a number or a range in quotes'),
  );
  return sets === undefined ? undefined : portSet(sets.flatMap(({ ranges }): readonly PortRange[] => ranges));
};

const readSpec = (spec: Fields): ServiceProfileSpec => {
  const routes = spec.eachFields('routes', readRoute) ?? [];
  const budget = spec.fields('retryBudget');
  const retryBudget = budget === undefined ? undefined : readRetryBudget(budget);
  const overrides = spec.eachFields('dstOverrides', readOverride) ?? [];
  const opaquePorts = readOpaquePorts(spec);
  spec.close();
  return { routes, retryBudget, overrides, opaquePorts };
};

/** Half of a profile would retry or time out what it should not: it is whole or nothing. It never closes a port. */
export const serviceProfileParser = policyParser<ServiceProfileSpec>({
  read: readSpec,
  closes: () => closesNothing,
});
