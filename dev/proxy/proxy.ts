import { setMaxListeners } from 'node:events';
import { isLoopback, printHostPort } from '@gatehouse/core/host-port';
import { usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { checkProxyRegex, matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import type { Log } from '@gatehouse/platform/log/log';
import type { Certified } from '@gatehouse/platform/own-leaf/certify-client';
import { type Ended, Supervisor } from '@gatehouse/platform/process/supervise';
import { adminHandler } from './admin.ts';
import { type AppTarget, createAppTarget } from './app-target.ts';
import { AuthzMetrics } from './authz-metrics.ts';
import type { ControlPlane } from './control-plane.ts';
import { answerDevState, type DevState, portState } from './dev-state.ts';
import type { DialOptions } from './dial.ts';
import type { ControlAddress, ProxyConfig } from './env.ts';
import type { EventLog } from './event-log.ts';
import { createIdentity, describeCertificate, type Obtain, obtainByCertify } from './identity.ts';
import { type InboundListener, type InboundOptions, listenInbound } from './inbound.ts';
import { isSet } from './latest.ts';
import { listenOutbound, type OutboundListener } from './outbound.ts';
import { initialPolicy, type PortPolicy } from './port-policy.ts';
import { createHttp1Server } from './serve-http1.ts';
import { createTargetCache } from './target-cache.ts';
import { createTlsTerminator } from './terminate-tls.ts';
import { watchPort } from './watch-port.ts';

export interface ProxyOptions {
  readonly config: ProxyConfig;
  readonly events: EventLog;
  readonly log: Log;
  /** Milliseconds of a clock that only goes forward, for rate limits. */
  readonly now?: () => number;
  /** How certificates are obtained. Default: by Certify. */
  readonly obtain?: Obtain;
}

export interface RunningProxy {
  /** As bound. */
  readonly admin: string;
  readonly httpProxy: string | undefined;
  readonly state: () => DevState;
  readonly ended: Promise<Ended>;
  stop(reason: string): Promise<void>;
}

/** The namespace in `{"ns":"…","pod":"…"}` or `ns:pod`; only names without one need it. */
const namespaceOf = (workload: string): string => {
  try {
    const value: unknown = JSON.parse(workload);
    return typeof value === 'object' && value !== null && 'ns' in value ? String(value.ns) : 'default';
  } catch {
    return workload.split(':')[0] ?? 'default';
  }
};

const clientFor = ({ address, name }: ControlAddress, { trustAnchors, podIp }: ProxyConfig): GrpcClient =>
  new GrpcClient({
    address,
    security: name === undefined ? 'plaintext' : { serverName: name, trustAnchors },
    // A pod's own address cannot reach 127.0.0.1 unless it is a loopback address itself.
    ...(podIp !== undefined && isLoopback(podIp) === isLoopback(address.host) ? { localAddress: podIp } : {}),
  });

/**
 * Starts the reference proxy of one pod: it stands in for linkerd2-proxy where there is no network namespace to redirect.
 *
 * It evaluates exactly the rows that the control plane pushes, with the same `evaluate` as the compiler's tests, speaks
 * the same mutual TLS, and keeps the same streams open by the same rules. Its deviations from linkerd2-proxy:
 * - nothing is redirected to it: it listens on podIP:port itself, and applications call out through an HTTP proxy;
 *   names in their requests are completed as a pod's resolver would, and the policy is asked for by name;
 * - endpoints on loopback are allowed, and the control plane is spoken to over TLS whenever `_SVC_NAME` is set;
 * - a transport hint (`opaque_transport`) is not followed: endpoints listen on their ports themselves, so there is no
 *   inbound port 4143, no transport header, and an opaque port has no mesh identity;
 * - calls to the pod's own address pass its own inbound policy;
 * - of outbound policy it follows routes and weights, and refuses (500) rules with filters; timeouts, retries, failure
 *   accrual, SNI routes and the routes and overrides of a service profile are not followed; load is balanced by requests
 *   under way, not by latency;
 * - identities are DNS names only; a client certificate that does not verify ends the connection without a TLS alert;
 * - failure injectors make a row invalid (see decode-inbound), Upgrade is not passed on, and
 *   `l5d-proxy-connection: close` closes HTTP/1 connections only.
 */
export const startProxy = async ({
  config,
  events,
  log,
  obtain,
  now = () => performance.now(),
}: ProxyOptions): Promise<RunningProxy> => {
  const supervisor = new Supervisor({ log, graceMs: 3_000 });
  const { signal } = supervisor;
  // Each watched port and each waiting caller listens to it.
  setMaxListeners(0, signal);
  for (const reason of config.warnings) events({ event: 'warning', reason });
  const identity = await createIdentity({
    config,
    obtain: obtain ?? obtainByCertify(config),
    log: events,
    now: Date.now,
  });
  const plane: ControlPlane = {
    config,
    policy: clientFor(config.policy, config),
    destination: clientFor(config.destination, config),
    log: events,
    checkRegex: checkProxyRegex,
    matchesRegex: matchesWhole,
    random: Math.random,
  };
  supervisor.onEnd('policy', () => plane.policy.close());
  supervisor.onEnd('destination', () => plane.destination.close());
  const certified = identity.certificate.when<Certified>(isSet, signal);
  const terminator = certified.then((first) => {
    const made = createTlsTerminator(first, config.detectTimeoutMs);
    identity.certificate.subscribe((next) => next !== undefined && made.replace(next));
    return made;
  });
  // Connections that wait are told; that none waits is not a failure.
  terminator.catch(() => {});
  const metrics = new AuthzMetrics(config.podIp ?? '');
  const http1 = createHttp1Server();
  const listeners: { readonly policy: PortPolicy; readonly listener: InboundListener }[] = [];
  const listen = async (
    policy: PortPolicy,
    own: Pick<InboundOptions, 'app' | 'listen' | 'setting' | 'aside' | 'admin'>,
  ): Promise<void> => {
    const { localName, detectTimeoutMs } = config;
    const { matchesRegex } = plane;
    const shared = { matchesRegex, now, log: events, metrics, localName, terminator, detectTimeoutMs, http1 };
    const listener = await listenInbound({ ...shared, ...own, policy });
    listeners.push({ policy, listener });
    supervisor.onEnd(`port ${policy.port}`, () => listener.close());
    supervisor.onEnd(`application of ${policy.port}`, () => own.app.close());
  };
  const dialOptions: DialOptions = {
    localAddress: config.podIp,
    material: () => identity.certificate.when<Certified>(isSet, signal),
    timeoutMs: config.connectTimeoutMs,
  };
  const targets = createTargetCache({ plane, dialOptions, idleMs: config.discoveryIdleMs });
  supervisor.onEnd('targets', () => targets.close());
  let outbound: OutboundListener | undefined;
  const state = (): DevState => ({
    identity: config.localName,
    certificate: identity.certificate.value && describeCertificate(identity.certificate.value),
    ports: listeners.map(({ policy, listener }) => portState(policy, listener)),
    outbound: outbound?.connections ?? [],
    targets: targets.list(),
  });
  try {
    for (const { listen: at, app } of config.inbound) {
      await listen(initialPolicy(at.port, config.defaultPolicy), {
        app: createAppTarget(app, config.connectTimeoutMs),
        listen: at,
        setting: 'GATEHOUSE_DEV_INBOUND',
      });
    }
    const ready = (): boolean => identity.certificate.value !== undefined;
    await listen(initialPolicy(config.admin.port || usualProxyPorts.admin, config.defaultPolicy), {
      app: inProcess(adminHandler({ ready, metrics })),
      listen: config.admin,
      setting: 'LINKERD2_PROXY_ADMIN_LISTEN_ADDR',
      aside: answerDevState(state),
      admin: true,
    });
    if (config.httpProxy !== undefined) {
      const names = {
        namespace: namespaceOf(config.policyWorkload),
        clusterDomain: config.clusterDomain,
      };
      outbound = await listenOutbound({ listen: config.httpProxy, plane, targets, names, http1 });
      supervisor.onEnd('outbound', () => outbound?.close());
    }
  } catch (error) {
    await supervisor.stop('the start failed');
    throw error;
  }
  supervisor.run('identity', identity.run);
  for (const { policy } of listeners) {
    supervisor.run(`policy of ${policy.port}`, (until) => followPort(plane, policy, until));
  }
  const admin = printHostPort(listeners.at(-1)?.listener.address ?? config.admin);
  const httpProxy = outbound && printHostPort(outbound.address);
  const inbound = config.inbound.map(({ listen: at }) => printHostPort(at));
  events({ event: 'started', identity: config.localName, inbound, httpProxy, admin });
  return { admin, httpProxy, state, ended: supervisor.ended, stop: (reason) => supervisor.stop(reason) };
};

/** An application that is part of this process. */
const inProcess = (send: AppTarget['send']): AppTarget => ({
  send,
  connect: () => Promise.reject(new Error('this port speaks HTTP only')),
  close: () => {},
});

/** A final answer ends the watch, not the proxy: the port keeps what it has (contract/proxy.md §0 row 5). */
const followPort = async (plane: ControlPlane, policy: PortPolicy, signal: AbortSignal): Promise<void> => {
  await watchPort(plane, policy, signal);
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
};
