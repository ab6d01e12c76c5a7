import type { HostMatch, HttpMatch, ValueMatch } from '@gatehouse/core/inbound/inbound-server';
import { unnormalizedPath } from '@gatehouse/core/inbound/unnormalized-path';
import { Type } from 'typebox';
import type { RequestMatch } from '../../core/answers/admitted-clients.ts';
import { nullable } from './rest-object.ts';

const matchTypes = ['Exact', 'PathPrefix', 'RegularExpression'] as const;

const ValueItem = Type.Object({
  name: Type.String(),
  type: Type.Enum(['Exact', 'RegularExpression'] as const),
  value: Type.String(),
});

/** Requests that a route is for. All parts must hold; null and empty lists ask for nothing. */
export const RequestItem = Type.Object({
  text: Type.String({ description: 'All of it for a reader: `GET /api/* x-tenant=blue`' }),
  hosts: Type.Array(Type.String(), { description: 'Any of them' }),
  method: nullable(Type.String({ description: 'Of HTTP; for gRPC the method of the service' })),
  path: nullable(Type.Object({ type: Type.Enum(matchTypes), value: Type.String() })),
  headers: Type.Array(ValueItem),
  queryParams: Type.Array(ValueItem),
  grpcService: nullable(
    Type.String({ description: 'Set where the port speaks gRPC and the match names one' }),
  ),
});
export type RequestItem = Type.Static<typeof RequestItem>;

export const requestItem = (hosts: readonly HostMatch[], request: RequestMatch): RequestItem => {
  const parts = { text: textOf(hosts, request), hosts: hosts.map(printHost) };
  const headers = request.match.headers.map(valueItem);
  switch (request.kind) {
    case 'http': {
      const { method = null, path, queryParams } = request.match;
      const pathItem = path === undefined ? null : { type: matchTypeOf[path.kind], value: path.value };
      return {
        ...parts,
        method,
        path: pathItem,
        headers,
        queryParams: queryParams.map(valueItem),
        grpcService: null,
      };
    }
    case 'grpc': {
      const { service, method } = request.match;
      return {
        ...parts,
        method: method || null,
        path: null,
        headers,
        queryParams: [],
        grpcService: service || null,
      };
    }
  }
};

const matchTypeOf = {
  exact: 'Exact',
  prefix: 'PathPrefix',
  regex: 'RegularExpression',
} as const satisfies Record<NonNullable<HttpMatch['path']>['kind'], (typeof matchTypes)[number]>;

const valueItem = ({ name, kind, value }: ValueMatch): Type.Static<typeof ValueItem> => ({
  name,
  type: kind === 'exact' ? 'Exact' : 'RegularExpression',
  value,
});

const printHost = (host: HostMatch): string => (host.kind === 'exact' ? host.host : `*.${host.suffix}`);

/** `GET /api/* x-tenant=blue`; a prefix ends in `/*`, a regular expression stands after `~`. */
const textOf = (hosts: readonly HostMatch[], request: RequestMatch): string => {
  const host = hosts.length === 0 ? [] : [`host=${hosts.map(printHost).join('|')}`];
  switch (request.kind) {
    case 'http': {
      const { method = '*', path, headers, queryParams } = request.match;
      return [
        method,
        path === undefined ? '/*' : printPath(path),
        ...host,
        ...headers.map(printValue),
        ...queryParams.map((param) => `?${printValue(param)}`),
      ].join(' ');
    }
    case 'grpc': {
      const { service, method, headers } = request.match;
      return [`/${service || '*'}/${method || '*'}`, ...host, ...headers.map(printValue)].join(' ');
    }
  }
};

export const printPath = ({ kind, value }: NonNullable<HttpMatch['path']>): string => {
  switch (kind) {
    case 'exact':
      return value;
    case 'prefix':
      return `${value.endsWith('/') ? value : `${value}/`}*`;
    case 'regex':
      // The guard's expression is long and always the same; docs/policy.md has it.
      return value === unnormalizedPath ? '<a path that is not normalized>' : `~${value}`;
  }
};

export const printValue = ({ name, kind, value }: ValueMatch): string =>
  `${name}${kind === 'exact' ? '=' : '~'}${value}`;
