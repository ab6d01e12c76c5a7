import type {
  HeaderValue,
  HostMatch,
  HttpMatch,
  Meta,
  RedirectFilter,
  RequestHeadersFilter,
  ValueMatch,
} from '@gatehouse/core/inbound/inbound-server';
import type {
  HeaderMatch,
  HostMatch as HostMatchMessage,
  HttpRouteMatch,
  QueryParamMatch,
  RequestHeaderModifier,
  RequestRedirect,
} from '@gatehouse/wire/gen/io/linkerd/proxy/http_route';
import { type Headers, Scheme_Registered } from '@gatehouse/wire/gen/io/linkerd/proxy/http_types';
import type { Metadata } from '@gatehouse/wire/gen/io/linkerd/proxy/meta';
import { encodeHttpMethod } from '@gatehouse/wire/http-method';

/** Inbound metadata: the proxy keeps group, kind and name only. */
export const encodeMeta = (meta: Meta): Metadata =>
  meta.kind === 'default'
    ? { kind: { $case: 'default', value: meta.name } }
    : { kind: { $case: 'resource', value: { ...meta.resource, namespace: '', section: '', port: 0 } } };

export const encodeHost = (host: HostMatch): HostMatchMessage => {
  switch (host.kind) {
    case 'exact':
      return { match: { $case: 'exact', value: host.host } };
    case 'suffix':
      return { match: { $case: 'suffix', value: { reverseLabels: host.suffix.split('.').reverse() } } };
  }
};

export const encodeHttpMatch = ({ path, method, headers, queryParams }: HttpMatch): HttpRouteMatch => ({
  path: path === undefined ? undefined : { kind: { $case: path.kind, value: path.value } },
  headers: headers.map(encodeHeaderMatch),
  queryParams: queryParams.map(encodeQueryParam),
  method: method === undefined ? undefined : encodeHttpMethod(method),
});

export const encodeHeaderMatch = ({ name, kind, value }: ValueMatch): HeaderMatch => ({
  name,
  value: kind === 'exact' ? { $case: 'exact', value: Buffer.from(value) } : { $case: 'regex', value },
});

const encodeQueryParam = ({ name, kind, value }: ValueMatch): QueryParamMatch => ({
  name,
  value: { $case: kind, value },
});

const encodeHeaders = (headers: readonly HeaderValue[]): Headers | undefined =>
  headers.length === 0
    ? undefined
    : { headers: headers.map(({ name, value }) => ({ name, value: Buffer.from(value) })) };

export const encodeRequestHeaders = ({ add, set, remove }: RequestHeadersFilter): RequestHeaderModifier => ({
  add: encodeHeaders(add),
  set: encodeHeaders(set),
  remove: [...remove],
});

const schemes = { http: Scheme_Registered.HTTP, https: Scheme_Registered.HTTPS } as const;

/** On the wire '' and 0 mean "as in the request". */
export const encodeRedirect = ({ scheme, host, port, status, path }: RedirectFilter): RequestRedirect => ({
  scheme: scheme === undefined ? undefined : { type: { $case: 'registered', value: schemes[scheme] } },
  host: host ?? '',
  path: path === undefined ? undefined : { replace: { $case: path.kind, value: path.value } },
  port: port ?? 0,
  status: status ?? 0,
});
