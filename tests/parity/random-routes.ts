import type { WireObject } from '@gatehouse/testing/real-cluster';
import fc from 'fast-check';
import { elsewhere, here, maybe, names, said, someObjects, usually } from './random-parts.ts';

const policyGroup = 'policy.linkerd.io';
const gatewayGroup = 'gateway.networking.k8s.io';

const pathMatch = fc.oneof(
  fc.constantFrom<WireObject>(
    { type: 'Exact', value: '/healthz' },
    { type: 'Exact', value: '/api/v1' },
    { type: 'PathPrefix', value: '/api' },
    { type: 'PathPrefix', value: '/api/v1/' },
    { type: 'RegularExpression', value: '/api/[a-z0-9]+' },
    { value: '/' },
    { type: 'PathPrefix' },
    {},
  ),
);

const valueMatch = (name: string): fc.Arbitrary<WireObject> =>
  said({
    name: fc.constantFrom(name, name.toUpperCase()),
    type: fc.constantFrom('Exact', 'RegularExpression', undefined),
    value: fc.constantFrom('blue', 'b.*'),
  });

const httpMatch: fc.Arbitrary<WireObject> = said({
  path: fc.option(pathMatch, { nil: undefined, freq: 4 }),
  method: maybe(fc.constantFrom('GET', 'POST', 'DELETE')),
  headers: usually(fc.constant(undefined), fc.array(valueMatch('x-tenant'), { maxLength: 1 })),
  queryParams: usually(fc.constant(undefined), fc.array(valueMatch('color'), { maxLength: 1 })),
});

const headers: fc.Arbitrary<WireObject> = said({
  add: maybe(fc.constant([{ name: 'x-seen', value: '1' }])),
  set: maybe(fc.constant([{ name: 'X-Set', value: 'a b' }])),
  remove: maybe(fc.constant(['x-internal'])),
});

const redirect: fc.Arbitrary<WireObject> = said({
  scheme: fc.constantFrom(undefined, 'http', 'https'),
  hostname: fc.constantFrom(undefined, 'www.example.com'),
  port: fc.constantFrom(undefined, 8443),
  statusCode: fc.constantFrom(undefined, 301, 302),
  path: fc.constantFrom(
    undefined,
    { type: 'ReplaceFullPath', replaceFullPath: '/moved' },
    { type: 'ReplacePrefixMatch', replacePrefixMatch: '/moved' },
  ),
});

/** Those that Linkerd keeps or leaves out; what it does not know makes it ignore the route, where ours closes. */
const httpFilter: fc.Arbitrary<WireObject> = fc.oneof(
  headers.map((modifier) => ({ type: 'RequestHeaderModifier', requestHeaderModifier: modifier })),
  headers.map((modifier) => ({ type: 'ResponseHeaderModifier', responseHeaderModifier: modifier })),
  redirect.map((requestRedirect) => ({ type: 'RequestRedirect', requestRedirect })),
);

const hostnames = fc.oneof(
  { arbitrary: fc.constant(undefined), weight: 3 },
  { arbitrary: fc.subarray(['example.com', '*.example.com', 'a.example.com']), weight: 1 },
);

const serverParent: fc.Arbitrary<WireObject> = said({
  group: fc.constant(policyGroup),
  kind: fc.constantFrom('Server', 'Server', 'Server', 'server'),
  name: fc.constantFrom('server-0', 'server-0', 'server-0', 'server-1', 'nosuch'),
  namespace: usually(fc.constant(undefined), fc.constant(here)),
});

const parents = fc
  .tuple(
    fc.array(serverParent, { minLength: 1, maxLength: 2 }),
    usually(
      fc.constant([]),
      fc.constantFrom<readonly WireObject[]>([{ group: '', kind: 'Service', name: 'web', port: 80 }]),
    ),
  )
  .map(([servers, more]) => [...servers, ...more]);

const httpRoute: fc.Arbitrary<WireObject> = said({
  parentRefs: parents,
  hostnames,
  rules: maybe(
    fc.array(
      said({
        matches: maybe(fc.array(httpMatch, { minLength: 1, maxLength: 2 })),
        filters: usually(fc.constant(undefined), fc.array(httpFilter, { maxLength: 2 })),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  ),
});

/** With a method: told-apart.ts shows those without one, which Linkerd sends without `rpc`. */
const grpcMatch: fc.Arbitrary<WireObject> = said({
  method: said({
    type: fc.constantFrom('Exact', undefined),
    service: fc.constantFrom('pkg.Svc', undefined),
    method: fc.constantFrom('Get', undefined),
  }).filter(({ service, method }) => service !== undefined || method !== undefined),
  headers: usually(fc.constant(undefined), fc.array(valueMatch('x-tenant'), { maxLength: 1 })),
});

const grpcRoute: fc.Arbitrary<WireObject> = said({
  parentRefs: parents,
  hostnames,
  rules: maybe(
    fc.array(
      said({
        matches: maybe(fc.array(grpcMatch, { minLength: 1, maxLength: 2 })),
        filters: usually(
          fc.constant(undefined),
          headers.map((modifier) => [{ type: 'RequestHeaderModifier', requestHeaderModifier: modifier }]),
        ),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  ),
});

/** Of our own group: its CRD fills in what is left out. */
export const policyHttpRoutes = someObjects(policyGroup, 'HTTPRoute', {
  versions: ['v1beta3', 'v1beta2', 'v1beta1', 'v1alpha1'],
  called: names('route', 2, [here]),
  spec: httpRoute,
});

export const gatewayHttpRoutes = someObjects(gatewayGroup, 'HTTPRoute', {
  versions: ['v1', 'v1beta1'],
  called: [...names('route', 1, [here]), ...names('route', 1, [elsewhere])],
  spec: httpRoute,
});

export const grpcRoutes = someObjects(gatewayGroup, 'GRPCRoute', {
  versions: ['v1'],
  called: names('route', 2, [here]),
  spec: grpcRoute,
});
