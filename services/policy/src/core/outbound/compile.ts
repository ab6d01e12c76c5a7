import { isOpaqueServicePort } from '@gatehouse/core/mesh/opaque-port';
import { printAuthority } from '@gatehouse/core/mesh/service-authority';
import type { PortSet } from '@gatehouse/core/port-set';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Balancer, OutboundPolicy, OutboundProtocol } from './model.ts';

export interface OutboundConfig {
  /** The DNS suffix of Service names. */
  readonly clusterDomain: string;
  readonly defaultOpaquePorts: PortSet;
  readonly detectTimeoutMs: number;
}

/** What clients of a Service's port are told: Linkerd's default policy (`contract/linkerd-semantics.md` §2b). */
export const compileOutbound = (
  service: KubeObject<'Service'>,
  port: number,
  config: OutboundConfig,
): OutboundPolicy => ({
  service: { namespace: service.meta.namespace, name: service.meta.name, port },
  protocol: protocolOf(service, port, config),
});

const protocolOf = (
  service: KubeObject<'Service'>,
  port: number,
  config: OutboundConfig,
): OutboundProtocol => {
  const declared = service.spec.ports.find((candidate) => candidate.port === port);
  if (declared === undefined) return { kind: 'forbidden' };
  const backend = balancerFor(service, port, config.clusterDomain);
  switch (declared.appProtocol) {
    case undefined:
      // The annotation speaks only where the author of the Service named no protocol (§2b).
      return isOpaqueServicePort(service, port, config.defaultOpaquePorts)
        ? { kind: 'opaque', backend }
        : { kind: 'detect', timeoutMs: config.detectTimeoutMs, backend };
    case 'http':
      return { kind: 'http1', backend };
    case 'kubernetes.io/h2c':
      return { kind: 'http2', backend };
    default:
      // `linkerd.io/tcp`, `linkerd.io/opaque`, and whatever we cannot know how to read.
      return { kind: 'opaque', backend };
  }
};

const balancerFor = ({ meta }: KubeObject<'Service'>, port: number, clusterDomain: string): Balancer => ({
  destination: printAuthority(
    { kind: 'service', namespace: meta.namespace, name: meta.name, port, instance: undefined },
    clusterDomain,
  ),
  defaultRttMs: 30,
  decayMs: 10_000,
  queueCapacity: 100,
  failfastMs: 3_000,
});
