import type {
  GrpcMatch,
  HeaderValue,
  HostMatch,
  HttpMatch,
  PathMatch,
  RedirectFilter,
  RequestHeadersFilter,
  ValueMatch,
} from '@gatehouse/core/inbound/inbound-server';
import type { Parsed } from '@gatehouse/core/problem';
import type { GrpcRouteMatch } from '../gen/io/linkerd/proxy/grpc_route.ts';
import type {
  HeaderMatch,
  HostMatch as HostMatchMessage,
  HttpRouteMatch,
  PathMatch as PathMatchMessage,
  PathModifier,
  QueryParamMatch,
  RequestHeaderModifier,
  RequestRedirect,
} from '../gen/io/linkerd/proxy/http_route.ts';
import {
  type Headers,
  type HttpMethod,
  HttpMethod_Registered,
  type Scheme,
  Scheme_Registered,
} from '../gen/io/linkerd/proxy/http_types.ts';
import { each, orUnreadable, required, unreadable } from './unreadable.ts';

/** Whether the proxy's regular-expression engine would take a pattern: shared/proxy-regex.ts, or a fake in tests. */
export type CheckRegex = (pattern: string) => Parsed<string>;

/** RFC 9110 §5.6.2: header names and methods are tokens. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const checkToken = (text: string, field: string): string =>
  token.test(text)
    ? text
    : unreadable(field, `\`${text}\` is not a valid HTTP token`, 'letters, digits and !#$%&*+.^_`|~-');

/** Bytes that the proxy accepts in a header's value: no control characters but the tab. */
const checkHeaderValue = (value: Buffer, field: string): string =>
  value.every((byte) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f))
    ? value.toString('utf8')
    : unreadable(field, 'not a valid header value', 'leave out control characters');

export const decodeHost = (host: HostMatchMessage, field: string): HostMatch => {
  const match = required(host.match, field);
  switch (match.$case) {
    case 'exact':
      return { kind: 'exact', host: match.value };
    case 'suffix':
      return { kind: 'suffix', suffix: [...match.value.reverseLabels].reverse().join('.') };
  }
};

export const decodeHttpMatch =
  (checkRegex: CheckRegex) =>
  ({ path, headers, queryParams, method }: HttpRouteMatch, field: string): HttpMatch => ({
    ...(path === undefined ? {} : { path: decodePath(path, `${field}.path`, checkRegex) }),
    ...(method === undefined ? {} : { method: decodeMethod(method, `${field}.method`) }),
    headers: each(headers, `${field}.headers`, decodeHeaderMatch(checkRegex)),
    queryParams: each(queryParams, `${field}.queryParams`, decodeQueryParam(checkRegex)),
  });

export const decodeGrpcMatch =
  (checkRegex: CheckRegex) =>
  ({ rpc, headers }: GrpcRouteMatch, field: string): GrpcMatch => {
    const { service, method } = required(rpc, `${field}.rpc`);
    return { service, method, headers: each(headers, `${field}.headers`, decodeHeaderMatch(checkRegex)) };
  };

const decodePath = ({ kind }: PathMatchMessage, field: string, checkRegex: CheckRegex): PathMatch => {
  const { $case, value } = required(kind, field);
  return { kind: $case, value: $case === 'regex' ? orUnreadable(checkRegex(value)) : value };
};

const decodeHeaderMatch =
  (checkRegex: CheckRegex) =>
  (header: HeaderMatch, field: string): ValueMatch => {
    const name = checkToken(header.name, `${field}.name`);
    const value = required(header.value, `${field}.value`);
    return value.$case === 'exact'
      ? { name, kind: 'exact', value: checkHeaderValue(value.value, `${field}.value`) }
      : { name, kind: 'regex', value: orUnreadable(checkRegex(value.value)) };
  };

const decodeQueryParam =
  (checkRegex: CheckRegex) =>
  (param: QueryParamMatch, field: string): ValueMatch => {
    if (param.name === '') unreadable(`${field}.name`, 'empty', 'name the query parameter');
    const { $case, value } = required(param.value, `${field}.value`);
    return {
      name: param.name,
      kind: $case,
      value: $case === 'regex' ? orUnreadable(checkRegex(value)) : value,
    };
  };

const decodeMethod = ({ type }: HttpMethod, field: string): string => {
  const method = required(type, field);
  if (method.$case === 'unregistered') return checkToken(method.value, field);
  const name = Object.entries(HttpMethod_Registered).find(([, number]) => number === method.value)?.[0];
  return name === undefined || name === 'UNRECOGNIZED'
    ? unreadable(field, `${method.value} is not a registered method`, 'use 0 to 8')
    : name;
};

const decodeHeaders = (headers: Headers | undefined, field: string): readonly HeaderValue[] =>
  each(headers?.headers ?? [], field, ({ name, value }, at) => ({
    name: checkToken(name, `${at}.name`),
    value: checkHeaderValue(value, `${at}.value`),
  }));

export const decodeRequestHeaders = (
  { add, set, remove }: RequestHeaderModifier,
  field: string,
): RequestHeadersFilter => ({
  kind: 'request-headers',
  add: decodeHeaders(add, `${field}.add`),
  set: decodeHeaders(set, `${field}.set`),
  remove: each(remove, `${field}.remove`, checkToken),
});

export const decodeRedirect = (
  { scheme, host, path, port, status }: RequestRedirect,
  field: string,
): RedirectFilter => {
  if (port > 65_535) unreadable(`${field}.port`, `${port} is not a valid port`, 'use 0 to 65535');
  if (status !== 0 && (status < 100 || status > 999)) {
    unreadable(`${field}.status`, `${status} is not a valid status`, 'use 0 or 100 to 999');
  }
  return {
    kind: 'redirect',
    ...(scheme === undefined ? {} : { scheme: decodeScheme(scheme, `${field}.scheme`) }),
    ...(host === '' ? {} : { host }),
    ...(path === undefined ? {} : { path: decodePathModifier(path, `${field}.path`) }),
    ...(port === 0 ? {} : { port }),
    ...(status === 0 ? {} : { status }),
  };
};

const decodeScheme = ({ type }: Scheme, field: string): 'http' | 'https' => {
  if (type?.$case === 'registered') {
    if (type.value === Scheme_Registered.HTTP) return 'http';
    if (type.value === Scheme_Registered.HTTPS) return 'https';
  }
  return unreadable(field, 'neither http nor https', 'use a registered scheme');
};

const decodePathModifier = (
  { replace }: PathModifier,
  field: string,
): { kind: 'full' | 'prefix'; value: string } => {
  const { $case, value } = required(replace, field);
  if (!value.startsWith('/')) unreadable(field, `\`${value}\` is not absolute`, 'begin with `/`');
  return { kind: $case, value };
};
