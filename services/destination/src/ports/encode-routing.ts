import { printHostPort } from '@gatehouse/core/host-port';
import type {
  ProfileRoute,
  RequestCondition,
  ResponseCondition,
  ServiceProfileSpec,
} from '@gatehouse/core/resources/kinds/linkerd';
import { encodeDuration } from '@gatehouse/wire/duration';
import type {
  DestinationProfile,
  RequestMatch,
  ResponseMatch,
  Route,
  WeightedDst,
} from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { encodeHttpMethod } from '@gatehouse/wire/http-method';
import type { Routing } from '../core/profile/routing.ts';

type Written = Pick<DestinationProfile, 'routes' | 'dstOverrides' | 'profileRef'> &
  Partial<Pick<DestinationProfile, 'retryBudget'>>;

/** What a ServiceProfile adds to the profile of a Service's port (semantics §3.6). */
export const encodeRouting = (
  { namespace, name, spec }: Routing & { readonly kind: 'profile' },
  port: number,
): Written => ({
  routes: spec.routes.map(encodeRoute),
  dstOverrides: encodeOverrides(spec.overrides, port),
  ...(spec.retryBudget === undefined
    ? {}
    : {
        retryBudget: {
          retryRatio: spec.retryBudget.ratio,
          minRetriesPerSecond: spec.retryBudget.minPerSecond,
          ttl: encodeDuration(spec.retryBudget.ttlMs),
        },
      }),
  profileRef: {
    kind: {
      $case: 'resource',
      value: { group: 'linkerd.io', kind: 'ServiceProfile', name, namespace, section: '', port: 0 },
    },
  },
});

const encodeRoute = ({ name, requests, isRetryable, timeoutMs, responses }: ProfileRoute): Route => ({
  condition: encodeRequests(requests),
  responseClasses: responses.map(({ condition, isFailure }) => ({
    condition: encodeResponses(condition),
    isFailure,
  })),
  metricsLabels: { route: name },
  isRetryable,
  // As long as it takes is no field at all; to Go's readers of the contract, 0 is the same.
  timeout: timeoutMs === undefined || timeoutMs === 0 ? undefined : encodeDuration(timeoutMs),
});

const encodeRequests = (condition: RequestCondition): RequestMatch => {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return {
        match: { $case: condition.kind, value: { matches: condition.conditions.map(encodeRequests) } },
      };
    case 'not':
      return { match: { $case: 'not', value: encodeRequests(condition.condition) } };
    case 'path':
      return { match: { $case: 'path', value: { regex: condition.value } } };
    case 'method':
      return { match: { $case: 'method', value: encodeHttpMethod(condition.value) } };
  }
};

const encodeResponses = (condition: ResponseCondition): ResponseMatch => {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return {
        match: { $case: condition.kind, value: { matches: condition.conditions.map(encodeResponses) } },
      };
    case 'not':
      return { match: { $case: 'not', value: encodeResponses(condition.condition) } };
    case 'status':
      return { match: { $case: 'status', value: { min: condition.min, max: condition.max } } };
  }
};

/** A weight of 1 on the wire, in ten-thousandths. */
const perMilli = 10;
const highestWeight = 2 ** 32 - 1;

/** The proxy adds all weights up in 32 bits; larger ones are scaled down together, which leaves their proportions. */
const encodeOverrides = (overrides: ServiceProfileSpec['overrides'], port: number): WeightedDst[] => {
  const total = overrides.reduce((sum, { weightMilli }) => sum + weightMilli * perMilli, 0);
  // 1 as well where all weights are 0: the quotient is then infinite.
  const scale = Math.min(1, highestWeight / total);
  return overrides.map(({ authority, weightMilli }) => ({
    authority: withPort(authority, port),
    weight: Math.floor(weightMilli * perMilli * scale),
    backendRef: undefined,
  }));
};

/** A host without a port means the one that was asked for. */
const withPort = (authority: string, port: number): string =>
  /:\d+$/.test(authority) ? authority : printHostPort({ host: authority, port });
