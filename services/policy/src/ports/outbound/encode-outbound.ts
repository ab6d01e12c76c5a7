import { encodeDuration } from '@gatehouse/wire/duration';
import type { Metadata } from '@gatehouse/wire/gen/io/linkerd/proxy/meta';
import {
  type Backend,
  type HttpRoute,
  type OpaqueRoute,
  OutboundPolicy as OutboundPolicyMessage,
  type ProxyProtocol,
} from '@gatehouse/wire/gen/io/linkerd/proxy/outbound';
import type {
  Balancer,
  OutboundPolicy,
  OutboundProtocol,
  ServicePortRef,
} from '../../core/outbound/model.ts';

/** The bytes of one row for the wire (`contract/proxy.md` §1.6): what is required there is set here. */
export const encodeOutbound = (policy: OutboundPolicy): Uint8Array =>
  OutboundPolicyMessage.encode(outboundMessage(policy)).finish();

export const outboundMessage = ({ service, protocol }: OutboundPolicy): OutboundPolicyMessage => {
  const metadata = encodeService(service);
  return { metadata, protocol: encodeProtocol(protocol, metadata) };
};

/** Outbound resources need all of group, kind, name and namespace; Kubernetes' own group is written `core`. */
const encodeService = ({ namespace, name, port }: ServicePortRef): Metadata => ({
  kind: {
    $case: 'resource',
    value: { group: 'core', kind: 'Service', name, namespace, section: '', port },
  },
});

const encodeProtocol = (protocol: OutboundProtocol, service: Metadata): ProxyProtocol => {
  switch (protocol.kind) {
    case 'detect': {
      const backend = encodeBackend(protocol.backend, service);
      return {
        kind: {
          $case: 'detect',
          value: {
            timeout: encodeDuration(protocol.timeoutMs),
            opaque: { routes: [opaqueRoute(backend)] },
            http1: http(backend),
            http2: http(backend),
          },
        },
      };
    }
    case 'http1':
    case 'http2':
      return { kind: { $case: protocol.kind, value: http(encodeBackend(protocol.backend, service)) } };
    case 'opaque':
      return {
        kind: {
          $case: 'opaque',
          value: { routes: [opaqueRoute(encodeBackend(protocol.backend, service))] },
        },
      };
    case 'forbidden':
      return { kind: { $case: 'opaque', value: { routes: [forbiddenRoute] } } };
  }
};

const http = (backend: Backend) => ({ routes: [httpRoute(backend)], failureAccrual: undefined });

/** Every request, whatever its host. */
const httpRoute = (backend: Backend): HttpRoute => ({
  metadata: { kind: { $case: 'default', value: 'http' } },
  hosts: [],
  rules: [
    {
      matches: [
        { path: { kind: { $case: 'prefix', value: '/' } }, headers: [], queryParams: [], method: undefined },
      ],
      filters: [],
      backends: {
        kind: {
          $case: 'firstAvailable',
          value: { backends: [{ backend, filters: [], requestTimeout: undefined }] },
        },
      },
      requestTimeout: undefined,
      timeouts: undefined,
      retry: undefined,
      allowL5dRequestHeaders: false,
    },
  ],
});

const opaqueRoute = (backend: Backend): OpaqueRoute => ({
  metadata: { kind: { $case: 'default', value: 'opaque' } },
  rules: [
    {
      backends: { kind: { $case: 'firstAvailable', value: { backends: [{ backend, filters: [] }] } } },
      filters: [],
    },
  ],
});

const forbiddenRoute: OpaqueRoute = {
  metadata: { kind: { $case: 'default', value: 'undefined-port' } },
  rules: [
    {
      backends: { kind: { $case: 'empty', value: {} } },
      filters: [{ kind: { $case: 'forbidden', value: {} } }],
    },
  ],
};

const encodeBackend = (balancer: Balancer, service: Metadata): Backend => ({
  metadata: service,
  kind: {
    $case: 'balancer',
    value: {
      discovery: { kind: { $case: 'dst', value: { path: balancer.destination } } },
      load: {
        $case: 'peakEwma',
        value: {
          defaultRtt: encodeDuration(balancer.defaultRttMs),
          decay: encodeDuration(balancer.decayMs),
        },
      },
    },
  },
  queue: { capacity: balancer.queueCapacity, failfastTimeout: encodeDuration(balancer.failfastMs) },
});
