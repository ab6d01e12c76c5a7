import { createPublicKey, randomInt, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { parseHostPort, printHostPort } from '@gatehouse/core/host-port';
import type { Authorization, InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { parseNetwork, readIp } from '@gatehouse/core/ip-network';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import { type RunningGrpcServer, startGrpcServer } from '@gatehouse/platform/grpc/server';
import type { Method, Status, StreamCall } from '@gatehouse/platform/grpc/transport';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { pemOf } from '@gatehouse/platform/tls/material';
import { encodeInbound } from '@gatehouse/policy/ports/inbound/encode-inbound';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { DestinationProfile, GetDestination, Update } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { OutboundPolicy, TrafficSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/outbound';
import { encodeTcpAddress } from '@gatehouse/wire/ip';
import { aCertificate, anAuthority, aTlsMaterial, type TestAuthority } from '../certificates.ts';
import { startWorkload } from '../demo/workload.ts';
import { type Caller, openCaller } from './call.ts';
import { readProxyConfig } from './env.ts';
import type { LoggedEvent, ProxyEvent } from './event-log.ts';
import { type RunningProxy, startProxy } from './proxy.ts';

/** The name that every pod of a test has, as in the demo. */
export const podName = 'default.demo.serviceaccount.identity.gatehouse.cluster.local';
const controlName = 'gatehouse-policy.gatehouse.serviceaccount.identity.gatehouse.cluster.local';

/** Somewhere in 127.0.0.0/8 that no other test is. */
export const someAddress = (): string => `127.${randomInt(80, 120)}.${randomInt(256)}.${randomInt(1, 255)}`;

const network = (text: string) => {
  const outcome = parseNetwork(text);
  if (!outcome.ok) throw new Error(`${text} is not a valid network`);
  return { net: outcome.value, except: [] };
};

const meta = (name: string) =>
  ({
    kind: 'resource',
    resource: { group: 'policy.linkerd.io', kind: 'networkauthenticationpolicy', name },
  }) as const;

/** Admits the pods' identity from these addresses, as a label source compiles to. */
export const admit = (...addresses: readonly string[]): Authorization => ({
  networks: addresses.map(network),
  authentication: { kind: 'identities', identities: [parseIdentity(podName)], suffixes: [] },
  meta: meta('test'),
});

/** Default deny, with whatever is added. */
export const aRow = (row: Partial<InboundServer> = {}): InboundServer => ({
  protocol: { kind: 'detect', timeoutMs: 10_000, routes: [] },
  authorizations: [],
  meta: { kind: 'default', name: 'deny' },
  ...row,
});

export interface TestPod {
  readonly ip: string;
  readonly proxy: RunningProxy;
  readonly events: readonly LoggedEvent[];
  readonly caller: Caller;
  /** Resolves when an event, past or to come, satisfies `wanted`. */
  seen<E extends ProxyEvent['event']>(
    event: E,
    wanted?: (event: Extract<LoggedEvent, { event: E }>) => boolean,
  ): Promise<Extract<LoggedEvent, { event: E }>>;
}

/** A control plane whose answers a test writes, and pods whose proxies believe it. */
export class TestMesh {
  readonly root: TestAuthority = anAuthority();
  readonly issuer: TestAuthority = anAuthority({ issuedBy: this.root });
  /** The time by which proxies count requests; it stands still unless a test moves it. */
  nowMs = 0;
  readonly #test: TestContext;
  readonly #rows = new Map<string, Uint8Array>();
  readonly #endpoints = new Map<string, Uint8Array>();
  readonly #profiles = new Map<string, Uint8Array>();
  readonly #policies = new Map<string, Uint8Array>();
  readonly #refusals = new Map<string, Status>();
  readonly #streams = new Map<string, Set<StreamCall>>();
  #server: RunningGrpcServer | undefined;
  #address = '127.0.0.1:0';
  #closing: (() => Promise<void>)[] = [];

  constructor(test: TestContext) {
    this.#test = test;
    test.after(async () => {
      for (const close of this.#closing.reverse()) await close();
      await this.stop();
    });
  }

  /** Starts the control plane, again at the same address after `stop`. */
  async start(): Promise<void> {
    const address = parseHostPort(this.#address);
    if (!address.ok) throw new Error(this.#address);
    const watch = (answers: Map<string, Uint8Array>, keyOf: (request: Uint8Array) => string): Method => ({
      kind: 'server-stream',
      open: (call) => this.#open(call, answers, keyOf(call.request)),
    });
    const policy = '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort';
    this.#server = await startGrpcServer({
      address: address.value,
      tls: { material: aTlsMaterial(this.issuer, { name: controlName, roots: [this.root] }) },
      log: silentLog,
      metrics: new Metrics('test'),
      methods: {
        [policy]: watch(this.#rows, (request) => {
          const { workload, port } = PortSpec.decode(request);
          return `${JSON.parse(workload).pod}:${port}`;
        }),
        '/io.linkerd.proxy.outbound.OutboundPolicies/Watch': watch(this.#policies, (request) => {
          const { target } = TrafficSpec.decode(request);
          return target?.$case === 'authority' ? target.value : 'an address';
        }),
        '/io.linkerd.proxy.destination.Destination/Get': watch(
          this.#endpoints,
          (request) => GetDestination.decode(request).path,
        ),
        '/io.linkerd.proxy.destination.Destination/GetProfile': watch(
          this.#profiles,
          (request) => GetDestination.decode(request).path,
        ),
      },
    });
    this.#address = this.#server.address;
  }

  /** Takes the control plane away, connections and all. */
  async stop(): Promise<void> {
    await this.#server?.drain(1);
    this.#server = undefined;
    this.#streams.clear();
  }

  /** What WatchPort says of a pod's port, now and to streams that come. Bytes are sent as they are. */
  push(pod: string, port: number, row: InboundServer | Uint8Array): void {
    const bytes = row instanceof Uint8Array ? row : encodeInbound(row);
    this.#say(this.#rows, `${pod}:${port}`, bytes);
  }

  /** Answers WatchPort of a pod's port with this status from now on, open streams included. */
  refuse(pod: string, port: number, status: Status): void {
    const key = `${pod}:${port}`;
    this.#refusals.set(this.#streamName(this.#rows, key), status);
    for (const call of this.#streams.get(this.#streamName(this.#rows, key)) ?? []) call.end(status);
  }

  /** A Service whose endpoints are these `ip:port`, meshed or not. */
  service(
    authority: string,
    endpoints: readonly string[],
    how: 'meshed' | 'meshed-http1' | 'plain' = 'meshed',
  ): void {
    const addrs = endpoints.map((endpoint) => weighted(endpoint, how));
    this.#say(
      this.#endpoints,
      authority,
      Update.encode({
        update: { $case: 'add', value: { addrs, metricLabels: {} } },
      }).finish(),
    );
    this.#say(this.#policies, authority, servicePolicy(authority));
  }

  /** Sends bytes as they are on the open Get streams of a Service. */
  garble(authority: string, bytes: Uint8Array): void {
    for (const call of this.#streams.get(this.#streamName(this.#endpoints, authority)) ?? [])
      call.send(bytes);
  }

  /** Takes all endpoints of a Service away and puts these in their place, on the open streams. */
  replace(authority: string, endpoints: readonly string[]): void {
    const none = Update.encode({ update: { $case: 'noEndpoints', value: { exists: true } } }).finish();
    this.#say(this.#endpoints, authority, none);
    this.service(authority, endpoints);
  }

  /** What GetProfile says of a pod's address. */
  profile(at: string): void {
    const endpoint = weighted(at, 'meshed');
    this.#say(
      this.#profiles,
      at,
      DestinationProfile.encode(DestinationProfile.fromPartial({ endpoint })).finish(),
    );
  }

  /** A pod with one application behind the given ports, its proxy started and certified. */
  async pod(
    name: string,
    {
      ports = [],
      env = {},
      apps,
      ip = someAddress(),
    }: {
      readonly ip?: string;
      readonly ports?: readonly number[];
      readonly env?: Readonly<Record<string, string>>;
      /** `host:port` of applications in the order of `ports`. Default: started. */
      readonly apps?: readonly string[];
    } = {},
  ): Promise<TestPod> {
    const folder = await temporaryFolder(this.#test);
    const workload = await startWorkload({ name, listen: ports.map(() => ({ host: '127.0.0.1', port: 0 })) });
    this.#closing.push(() => workload.stop());
    const behind = apps ?? workload.addresses;
    await writeFile(join(folder, 'token'), 'a token');
    const service = (which: string) => ({
      [`LINKERD2_PROXY_${which}_SVC_ADDR`]: this.#address,
      [`LINKERD2_PROXY_${which}_SVC_NAME`]: controlName,
    });
    const config = readProxyConfig({
      ...service('IDENTITY'),
      ...service('POLICY'),
      ...service('DESTINATION'),
      LINKERD2_PROXY_IDENTITY_DIR: join(folder, 'identity'),
      LINKERD2_PROXY_IDENTITY_TOKEN_FILE: join(folder, 'token'),
      LINKERD2_PROXY_IDENTITY_LOCAL_NAME: podName,
      LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: this.root.pem,
      LINKERD2_PROXY_POLICY_WORKLOAD: JSON.stringify({ ns: 'demo', pod: name }),
      LINKERD2_PROXY_INBOUND_DEFAULT_POLICY: 'deny',
      LINKERD2_PROXY_INBOUND_IPS: ip,
      LINKERD2_PROXY_DESTINATION_PROFILE_NETWORKS: '127.64.0.0/10',
      LINKERD2_PROXY_ADMIN_LISTEN_ADDR: `${ip}:4191`,
      GATEHOUSE_DEV_INBOUND: ports.map((port, at) => `${ip}:${port}=${behind[at]}`).join(','),
      GATEHOUSE_DEV_HTTP_PROXY: '127.0.0.1:0',
      ...env,
    });
    const events: LoggedEvent[] = [];
    const waiting = new Set<(event: LoggedEvent) => void>();
    const proxy = await startProxy({
      config,
      now: () => this.nowMs,
      log: silentLog,
      events: (event) => {
        const logged = { at: Date.now(), ...event };
        events.push(logged);
        for (const listener of waiting) listener(logged);
      },
      obtain: async ({ key }) => {
        const publicKey = createPublicKey(key);
        const leaf = aCertificate(this.issuer, { dns: [podName], publicKey });
        const { validFromDate, validToDate } = new X509Certificate(leaf);
        return {
          key,
          chain: [leaf, ...this.issuer.chain],
          trustAnchors: this.root.pem,
          validFrom: validFromDate.getTime(),
          validUntil: validToDate.getTime(),
        };
      },
    });
    const at = parseHostPort(proxy.httpProxy ?? '');
    if (!at.ok) throw new Error('the forward proxy is not bound');
    const caller = openCaller(at.value);
    this.#closing.push(async () => {
      caller.close();
      await proxy.stop('the test is over');
    });
    const seen: TestPod['seen'] = (event, wanted = () => true) => {
      type E = Extract<LoggedEvent, { event: typeof event }>;
      const fits = (one: LoggedEvent): one is E => one.event === event && wanted(one as E);
      const past = events.find(fits);
      if (past !== undefined) return Promise.resolve(past);
      const { promise, resolve } = Promise.withResolvers<E>();
      const listener = (one: LoggedEvent): void => {
        if (!fits(one)) return;
        waiting.delete(listener);
        resolve(one);
      };
      waiting.add(listener);
      return promise;
    };
    const pod = { ip, proxy, events, caller, seen };
    await pod.seen('certificate');
    return pod;
  }

  #open(call: StreamCall, answers: Map<string, Uint8Array>, key: string): void {
    const name = this.#streamName(answers, key);
    const refusal = this.#refusals.get(name);
    if (refusal !== undefined) throw new GatehouseError(refusal.code, refusal.message);
    const known = answers.get(key);
    if (known === undefined && answers === this.#policies) throw new GatehouseError('not-found', `no ${key}`);
    const streams = this.#streams.get(name) ?? new Set();
    this.#streams.set(name, streams.add(call));
    call.signal.addEventListener('abort', () => streams.delete(call));
    if (known !== undefined) call.send(known);
  }

  #say(answers: Map<string, Uint8Array>, key: string, bytes: Uint8Array): void {
    answers.set(key, bytes);
    for (const call of this.#streams.get(this.#streamName(answers, key)) ?? []) call.send(bytes);
  }

  #streamName(answers: Map<string, Uint8Array>, key: string): string {
    const kinds = [this.#rows, this.#endpoints, this.#profiles, this.#policies];
    return `${kinds.indexOf(answers)} ${key}`;
  }
}

const weighted = (endpoint: string, how: 'meshed' | 'meshed-http1' | 'plain') => {
  const address = parseHostPort(endpoint);
  const ip = address.ok ? readIp(address.value.host) : undefined;
  if (!address.ok || ip === undefined) throw new Error(`${endpoint} is not an endpoint`);
  return {
    addr: encodeTcpAddress(ip, address.value.port),
    weight: 10_000,
    metricLabels: {},
    tlsIdentity:
      how === 'plain'
        ? undefined
        : {
            strategy: { $case: 'dnsLikeIdentity', value: { name: podName } } as const,
            serverName: { name: podName },
          },
    protocolHint:
      how === 'meshed'
        ? { protocol: { $case: 'h2', value: {} } as const, opaqueTransport: undefined }
        : undefined,
    authorityOverride: undefined,
    http2: undefined,
    resourceRef: undefined,
  };
};

/** The smallest good answer for a Service: contract/proxy.md §7. */
const servicePolicy = (authority: string): Uint8Array => {
  const named = (name: string) => ({ kind: { $case: 'default' as const, value: name } });
  const duration = { seconds: 10n, nanos: 0 };
  const backend = {
    metadata: named('service'),
    queue: { capacity: 100, failfastTimeout: duration },
    kind: {
      $case: 'balancer' as const,
      value: {
        discovery: { kind: { $case: 'dst' as const, value: { path: authority } } },
        load: { $case: 'peakEwma' as const, value: { defaultRtt: duration, decay: duration } },
      },
    },
  };
  const backends = {
    kind: { $case: 'firstAvailable' as const, value: { backends: [{ backend }] } },
  };
  const http = [{ metadata: named('http'), rules: [{ backends }] }];
  return OutboundPolicy.encode(
    OutboundPolicy.fromPartial({
      metadata: named('service'),
      protocol: {
        kind: {
          $case: 'detect',
          value: {
            timeout: duration,
            http1: { routes: http },
            http2: { routes: http },
            opaque: { routes: [{ metadata: named('opaque'), rules: [{ backends }] }] },
          },
        },
      },
    }),
  ).finish();
};

/** A client's certificate for `callDirect` and `node:tls`, from this authority. */
export const clientCertificate = (
  issuer: TestAuthority,
  name: string = podName,
): { readonly name: string; readonly certificate: string; readonly key: string } => {
  const { key, chain } = aTlsMaterial(issuer, { name });
  return {
    name: podName,
    certificate: chain.map(pemOf).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
};

/** `ip:port` of a pod. */
export const at = (pod: TestPod, port: number): string => printHostPort({ host: pod.ip, port });
