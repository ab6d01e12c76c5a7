import { printServiceName } from '@gatehouse/core/mesh/service-authority';
import { printProblem } from '@gatehouse/core/problem';
import type { RequestCondition } from '@gatehouse/core/resources/kinds/linkerd';
import { Type } from 'typebox';
import type { Cluster } from '../../core/cluster.ts';
import type { Profile } from '../../core/profile/profile.ts';
import type { Routing } from '../../core/profile/routing.ts';
import { EndpointItem, endpointItem } from './rest-items.ts';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

const ServiceProfileItem = Type.Object({
  namespace: Type.String(),
  name: Type.String(),
  rejected: Type.Array(Type.String(), { description: 'Why nothing of it applies; empty = it does' }),
  routes: Type.Array(
    Type.Object({
      name: Type.String(),
      requests: Type.String({ description: 'Which requests, in words' }),
      isRetryable: Type.Boolean(),
      timeoutMs: nullable(Type.Number()),
    }),
  ),
  overrides: Type.Array(Type.Object({ authority: Type.String(), weight: Type.Number() }), {
    description: 'Where requests are sent in place of the Service',
  }),
});
type ServiceProfileItem = Type.Static<typeof ServiceProfileItem>;

export const ProfileItem = Type.Object({
  kind: Type.String({ description: 'service, endpoint, unknown-address, contested-address or nothing' }),
  name: nullable(Type.String()),
  opaque: Type.Boolean(),
  endpoint: nullable(EndpointItem),
  reason: nullable(Type.String({ description: 'Why there is nothing to say' })),
  serviceProfile: nullable(ServiceProfileItem),
  retryBudget: nullable(
    Type.Object(
      { ratio: Type.Number(), minPerSecond: Type.Number(), ttlMs: Type.Number() },
      { description: 'Of the ServiceProfile; null = the usual 0.2, 10 a second, 10 s' },
    ),
  ),
});
export type ProfileItem = Type.Static<typeof ProfileItem>;

export const profileItem = (profile: Profile, cluster: Cluster, clientZone: string): ProfileItem => {
  const item = {
    kind: profile.kind,
    name: null,
    opaque: false,
    endpoint: null,
    reason: null,
    serviceProfile: null,
    retryBudget: null,
  };
  switch (profile.kind) {
    case 'service': {
      const { routing, opaque } = profile;
      return {
        ...item,
        name: printServiceName(profile, cluster.settings.clusterDomain),
        opaque,
        serviceProfile: serviceProfileItem(routing),
        retryBudget: (routing.kind === 'profile' ? routing.spec.retryBudget : undefined) ?? null,
      };
    }
    case 'endpoint': {
      const { endpoint, opaque } = profile;
      const { namespace = '' } = endpoint.seenAs.unknown.shown.labels;
      return { ...item, opaque, endpoint: endpointItem(endpoint, { cluster, namespace, clientZone }) };
    }
    case 'unknown-address':
      return { ...item, opaque: profile.opaque };
    case 'contested-address': {
      const more = profile.count - profile.claimants.length;
      const names = [...profile.claimants, ...(more > 0 ? [`${more} more`] : [])].join(', ');
      return {
        ...item,
        opaque: profile.opaque,
        reason: `${names} have the address, and nothing tells which was given it last`,
      };
    }
    case 'nothing':
      return { ...item, reason: profile.reason };
  }
};

const serviceProfileItem = (routing: Routing): ServiceProfileItem | null => {
  switch (routing.kind) {
    case 'none':
      return null;
    case 'rejected': {
      const { namespace, name, problems } = routing;
      return { namespace, name, rejected: problems.map(printProblem), routes: [], overrides: [] };
    }
    case 'profile': {
      const { namespace, name, spec } = routing;
      return {
        namespace,
        name,
        rejected: [],
        routes: spec.routes.map((route) => ({
          name: route.name,
          requests: printRequests(route.requests),
          isRetryable: route.isRetryable,
          timeoutMs: route.timeoutMs ?? null,
        })),
        overrides: spec.overrides.map(({ authority, weightMilli }) => ({
          authority,
          weight: weightMilli / 1_000,
        })),
      };
    }
  }
};

/** `GET and path /a/.*`, inner conditions in brackets. */
const printRequests = (condition: RequestCondition, isInner = false): string => {
  switch (condition.kind) {
    case 'method':
      return condition.value;
    case 'path':
      return `path ${condition.value}`;
    case 'not':
      return `not ${printRequests(condition.condition, true)}`;
    case 'all':
    case 'any': {
      const joined = condition.conditions
        .map((each) => printRequests(each, true))
        .join(condition.kind === 'all' ? ' and ' : ' or ');
      return isInner && condition.conditions.length > 1 ? `(${joined})` : joined;
    }
  }
};
