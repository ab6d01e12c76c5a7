import type {
  Authorization,
  GrpcRoute,
  HttpFilter,
  HttpRoute,
  InboundProtocol,
  InboundServer,
  LocalRateLimit,
  Meta,
  RequestHeadersFilter,
  ValueMatch,
} from '@gatehouse/core/inbound/inbound-server';
import { type IpNetwork, type NetworkMatch, parseNetwork, printIp } from '@gatehouse/core/ip-network';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import fc from 'fast-check';

/** Records with Object's prototype, as our code makes them: node:assert tells them from those without. */
const record = <T>(model: { [P in keyof T]: fc.Arbitrary<T[P]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });

/** Any inbound row that the wire can carry, for property tests of encoders, decoders and evaluators. */
export const anInboundServer = (): fc.Arbitrary<InboundServer> =>
  record({
    protocol: aProtocol,
    authorizations: fc.array(anAuthorization, { maxLength: 3 }),
    meta: aMeta,
  });

const text = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' });
/** As headers have them: without control characters. */
const line = text.map((written) => written.replace(/\p{Cc}/gu, '-'));
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const token = fc.stringMatching(/^[A-Za-z0-9-]{1,8}$/);
const label = fc.stringMatching(/^[a-z0-9]{1,5}$/);

const aMeta: fc.Arbitrary<Meta> = fc.oneof(
  record({ kind: fc.constant('default' as const), name }),
  record({
    kind: fc.constant('resource' as const),
    resource: record({ group: fc.constant('policy.linkerd.io'), kind: name, name }),
  }),
);

export const aNetwork: fc.Arbitrary<IpNetwork> = fc
  .oneof(
    record({
      family: fc.constant(4 as const),
      bits: fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }),
      prefix: fc.integer({ min: 0, max: 32 }),
    }),
    record({
      family: fc.constant(6 as const),
      bits: fc.oneof(fc.bigInt({ min: 2n ** 48n, max: 2n ** 128n - 1n }), fc.constant(2n ** 128n - 1n)),
      prefix: fc.integer({ min: 0, max: 128 }),
    }),
  )
  .map((ip) => {
    const network = parseNetwork(`${printIp(ip)}/${ip.prefix}`);
    if (!network.ok) throw new Error(`${printIp(ip)}/${ip.prefix} was expected to be a network`);
    return network.value;
  });

const aNetworkMatch: fc.Arbitrary<NetworkMatch> = record({
  net: aNetwork,
  except: fc.array(aNetwork, { maxLength: 2 }),
});

export const anAuthorization: fc.Arbitrary<Authorization> = record({
  networks: fc.array(aNetworkMatch, { minLength: 1, maxLength: 3 }),
  authentication: fc.oneof(
    record({ kind: fc.constantFrom('unauthenticated' as const, 'tls' as const) }),
    record({
      kind: fc.constant('identities' as const),
      identities: fc.array(name.map(parseIdentity), { maxLength: 3 }),
      suffixes: fc.array(fc.array(label, { maxLength: 3 }), { maxLength: 2 }),
    }),
  ),
  meta: aMeta,
});

const aValueMatch = (names: fc.Arbitrary<string>): fc.Arbitrary<ValueMatch> =>
  record({ name: names, kind: fc.constantFrom('exact' as const, 'regex' as const), value: text });

const aHeaderMatch: fc.Arbitrary<ValueMatch> = record({
  name: token,
  kind: fc.constantFrom('exact' as const, 'regex' as const),
  value: line,
});

const aHeader = record({ name: token, value: line });
const aHeadersFilter: fc.Arbitrary<RequestHeadersFilter> = record({
  kind: fc.constant('request-headers' as const),
  add: fc.array(aHeader, { maxLength: 2 }),
  set: fc.array(aHeader, { maxLength: 2 }),
  remove: fc.array(token, { maxLength: 2 }),
});

const anHttpFilter: fc.Arbitrary<HttpFilter> = fc.oneof(
  aHeadersFilter,
  fc.record(
    {
      kind: fc.constant('redirect' as const),
      scheme: fc.constantFrom('http' as const, 'https' as const),
      host: name,
      port: fc.integer({ min: 1, max: 65_535 }),
      status: fc.integer({ min: 300, max: 399 }),
      path: record({
        kind: fc.constantFrom('full' as const, 'prefix' as const),
        value: text.map((path) => `/${path}`),
      }),
    },
    { requiredKeys: ['kind'], noNullPrototype: true },
  ),
);

const aHost = fc.oneof(
  record({ kind: fc.constant('exact' as const), host: name }),
  record({
    kind: fc.constant('suffix' as const),
    suffix: fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
  }),
);

const anHttpRoute: fc.Arbitrary<HttpRoute> = record({
  meta: aMeta,
  hosts: fc.array(aHost, { maxLength: 2 }),
  authorizations: fc.array(anAuthorization, { maxLength: 2 }),
  rules: fc.array(
    record({
      matches: fc.array(
        fc.record(
          {
            path: record({
              kind: fc.constantFrom('exact' as const, 'prefix' as const, 'regex' as const),
              value: text,
            }),
            method: fc.oneof(fc.constantFrom('GET', 'HEAD', 'TRACE'), token),
            headers: fc.array(aHeaderMatch, { maxLength: 2 }),
            queryParams: fc.array(aValueMatch(text), { maxLength: 2 }),
          },
          { requiredKeys: ['headers', 'queryParams'], noNullPrototype: true },
        ),
        { maxLength: 2 },
      ),
      filters: fc.array(anHttpFilter, { maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
});

const aGrpcRoute: fc.Arbitrary<GrpcRoute> = record({
  meta: aMeta,
  hosts: fc.array(aHost, { maxLength: 2 }),
  authorizations: fc.array(anAuthorization, { maxLength: 2 }),
  rules: fc.array(
    record({
      matches: fc.array(
        record({
          service: fc.oneof(fc.constant(''), name),
          method: fc.oneof(fc.constant(''), name),
          headers: fc.array(aHeaderMatch, { maxLength: 2 }),
        }),
        { maxLength: 2 },
      ),
      filters: fc.array(aHeadersFilter, { maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
});

const aRate = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const aRateLimit: fc.Arbitrary<LocalRateLimit> = record({
  meta: fc.option(aMeta, { nil: undefined }),
  total: fc.option(aRate, { nil: undefined }),
  identity: fc.option(aRate, { nil: undefined }),
  overrides: fc.array(
    record({ requestsPerSecond: aRate, identities: fc.array(name.map(parseIdentity), { maxLength: 3 }) }),
    { maxLength: 2 },
  ),
});

/** With a rate limit, or without the field. */
const maybeLimited = (protocol: fc.Arbitrary<InboundProtocol>): fc.Arbitrary<InboundProtocol> =>
  fc
    .tuple(protocol, fc.option(aRateLimit, { nil: undefined }))
    .map(([fields, rateLimit]) =>
      rateLimit === undefined ? fields : ({ ...fields, rateLimit } as InboundProtocol),
    );

const aProtocol: fc.Arbitrary<InboundProtocol> = fc.oneof(
  maybeLimited(
    record({
      kind: fc.constant('detect' as const),
      timeoutMs: fc.integer({ min: 0, max: 100_000 }),
      routes: fc.array(anHttpRoute, { maxLength: 2 }),
    }),
  ),
  maybeLimited(
    record({
      kind: fc.constantFrom('http1' as const, 'http2' as const),
      routes: fc.array(anHttpRoute, { maxLength: 2 }),
    }),
  ),
  record({ kind: fc.constant('grpc' as const), routes: fc.array(aGrpcRoute, { maxLength: 2 }) }),
  record({ kind: fc.constantFrom('opaque' as const, 'tls' as const) }),
);
