import { parseDuration } from '../duration.ts';
import {
  identityDirectory,
  type ProxyFacts,
  proxyEnvironment,
  tokenDirectory,
  tokenName,
} from './proxy-environment.ts';
import type { ProxySettings } from './proxy-settings.ts';

/** A part of a manifest, as JSON. */
export type Json = Readonly<Record<string, unknown>>;

/** The names by which tools of Linkerd, and we ourselves, find what injection added. */
export const proxyName = 'linkerd-proxy';
export const initName = 'linkerd-init';
export const validatorName = 'linkerd-network-validator';
export const debugName = 'linkerd-debug';
const identityVolume = 'linkerd-identity-end-entity';
const tokenVolume = 'linkerd-identity-token';
const lockVolume = 'linkerd-proxy-init-xtables-lock';

export const injectedContainers = [proxyName, initName, validatorName, debugName] as const;
export const injectedVolumes = [identityVolume, tokenVolume, lockVolume] as const;

const imageOf = ({ image, version }: { readonly image: string; readonly version: string }): string =>
  `${image}${version.startsWith('sha256:') ? '@' : ':'}${version}`;

const defined = (fields: Json): Json =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const resourcesOf = ({ proxy: { resources } }: ProxySettings): Json | undefined => {
  const amounts = (which: 'request' | 'limit'): Json | undefined => {
    const { cpu, memory, ephemeralStorage } = resources;
    const written = { cpu, memory, 'ephemeral-storage': ephemeralStorage };
    const entries = Object.entries(written).flatMap(([name, amount]) =>
      amount[which] === '' ? [] : [[name, amount[which]] as const],
    );
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  };
  const [limits, requests] = [amounts('limit'), amounts('request')];
  return limits === undefined && requests === undefined ? undefined : defined({ limits, requests });
};

/** What Pod Security `restricted` asks of a container. */
const restricted = (uid: number, gid: number): Json =>
  defined({
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    runAsGroup: gid === 0 ? undefined : gid,
    runAsNonRoot: true,
    runAsUser: uid,
    seccompProfile: { type: 'RuntimeDefault' },
  });

/** Seconds: a proxy that has no certificate by then is started again by kubelet. */
const startupSeconds = 120;

const probesOf = ({ proxy }: ProxySettings): Json => {
  const get = (path: string): Json => ({ httpGet: { path, port: proxy.ports.admin }, timeoutSeconds: 1 });
  return {
    livenessProbe: { ...get('/live'), initialDelaySeconds: 10 },
    readinessProbe: { ...get('/ready'), initialDelaySeconds: 2 },
    // A native sidecar with a startup probe holds back the containers after it, which is what `await` decides. A plain one
    // holds nothing back, and the probe keeps liveness from ending it while the control plane is slow.
    ...(proxy.nativeSidecar && !proxy.await
      ? {}
      : { startupProbe: { ...get('/ready'), periodSeconds: 1, failureThreshold: startupSeconds } }),
  };
};

/** Hooks of a plain sidecar: wait before the application's containers start, and before ending after they have. */
const lifecycleOf = ({ proxy }: ProxySettings): Json | undefined => {
  if (proxy.nativeSidecar) return undefined;
  const postStart = proxy.await
    ? {
        exec: {
          command: [
            '/usr/lib/linkerd/linkerd-await',
            `--timeout=${startupSeconds}s`,
            `--port=${proxy.ports.admin}`,
          ],
        },
      }
    : undefined;
  const preStop =
    proxy.waitBeforeExitSeconds === 0
      ? undefined
      : { exec: { command: ['/bin/sleep', `${proxy.waitBeforeExitSeconds}`] } };
  return postStart === undefined && preStop === undefined ? undefined : defined({ postStart, preStop });
};

/** The proxy's container. */
export const proxyContainer = (settings: ProxySettings, facts: ProxyFacts): Json => {
  const { proxy } = settings;
  return defined({
    name: proxyName,
    image: imageOf(proxy),
    imagePullPolicy: proxy.pullPolicy,
    restartPolicy: proxy.nativeSidecar ? 'Always' : undefined,
    env: proxyEnvironment(settings, facts),
    ports: [
      { name: 'linkerd-proxy', containerPort: proxy.ports.inbound },
      { name: 'linkerd-admin', containerPort: proxy.ports.admin },
    ],
    resources: resourcesOf(settings),
    ...probesOf(settings),
    lifecycle: lifecycleOf(settings),
    securityContext: restricted(proxy.uid, proxy.gid),
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: identityVolume, mountPath: identityDirectory },
      { name: tokenVolume, mountPath: tokenDirectory, readOnly: true },
    ],
  });
};

const nobody = 65534;

/** proxy-init's rules lead the pod's connections to the proxy (contract/proxy.md §5.3). */
export const initContainer = (settings: ProxySettings): Json => {
  const { proxy, init, ipv6 } = settings;
  const { inbound, outbound, control, admin } = proxy.ports;
  const ignored = [`${control},${admin}`, init.skipInboundPorts].filter((text) => text !== '').join(',');
  const given = (flag: string, value: string): readonly string[] => (value === '' ? [] : [flag, value]);
  const privileged = init.closeWaitTimeout !== '';
  const asRoot = privileged || init.runAsRoot;
  return defined({
    name: initName,
    image: imageOf(proxy),
    imagePullPolicy: proxy.pullPolicy,
    command: ['/usr/lib/linkerd/linkerd2-proxy-init'],
    args: [
      ...(init.iptablesMode === 'nft'
        ? ['--firewall-bin-path', 'iptables-nft', '--firewall-save-bin-path', 'iptables-nft-save']
        : []),
      ...(ipv6 ? [] : ['--ipv6=false']),
      '--incoming-proxy-port',
      `${inbound}`,
      '--outgoing-proxy-port',
      `${outbound}`,
      '--proxy-uid',
      `${proxy.uid}`,
      ...given('--proxy-gid', proxy.gid === 0 ? '' : `${proxy.gid}`),
      '--inbound-ports-to-ignore',
      ignored,
      ...given('--outbound-ports-to-ignore', init.skipOutboundPorts),
      ...given('--subnets-to-ignore', init.skipSubnets),
      ...given('--timeout-close-wait-secs', secondsOf(init.closeWaitTimeout)),
      ...given('--log-format', init.logFormat),
      ...given('--log-level', init.logLevel),
    ],
    resources: resourcesOf(settings),
    // The rules need NET_ADMIN and NET_RAW, which Pod Security `restricted` and `baseline` do not allow; a CNI plugin does without.
    securityContext: {
      allowPrivilegeEscalation: privileged,
      capabilities: { add: ['NET_ADMIN', 'NET_RAW'], ...(privileged ? {} : { drop: ['ALL'] }) },
      privileged,
      readOnlyRootFilesystem: true,
      runAsGroup: asRoot ? 0 : nobody,
      runAsNonRoot: !asRoot,
      runAsUser: asRoot ? 0 : nobody,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [{ name: lockVolume, mountPath: '/run' }],
  });
};

/**
 * Where a CNI plugin writes the rules, a check that it did: a pod that starts before the plugin is installed on its node would
 * run without a proxy's protection, and nobody would notice.
 */
export const validatorContainer = (settings: ProxySettings): Json => {
  const { proxy, networkValidator, ipv6 } = settings;
  return defined({
    name: validatorName,
    image: imageOf(proxy),
    imagePullPolicy: proxy.pullPolicy,
    command: ['/usr/lib/linkerd/linkerd2-network-validator'],
    args: [
      '--log-format',
      proxy.logFormat,
      '--connect-addr',
      networkValidator.connectAddress || (ipv6 ? '[fd00::1]:20001' : '1.1.1.1:20001'),
      '--listen-addr',
      `${ipv6 ? '[::]' : '0.0.0.0'}:${proxy.ports.outbound}`,
      '--timeout',
      networkValidator.timeout,
    ],
    resources: resourcesOf(settings),
    securityContext: restricted(nobody, nobody),
    terminationMessagePolicy: 'FallbackToLogsOnError',
  });
};

/** A container with tools, beside the proxy. */
export const debugContainer = ({ debug }: ProxySettings): Json => ({
  name: debugName,
  image: imageOf(debug),
  imagePullPolicy: debug.pullPolicy,
  terminationMessagePolicy: 'FallbackToLogsOnError',
});

/** What the containers mount. The token is the proxy's own, so that a pod without an automounted one can be injected, too. */
export const volumesOf = ({ init }: ProxySettings): readonly Json[] => [
  ...(init.cni ? [] : [{ name: lockVolume, emptyDir: {} }]),
  { name: identityVolume, emptyDir: { medium: 'Memory' } },
  {
    name: tokenVolume,
    projected: {
      sources: [
        {
          serviceAccountToken: { path: tokenName, audience: 'identity.l5d.io', expirationSeconds: 86_400 },
        },
      ],
    },
  },
];

/** proxy-init takes whole seconds. */
const secondsOf = (text: string): string => {
  if (text === '') return '';
  const outcome = parseDuration(text);
  return outcome.ok ? `${Math.ceil(outcome.value / 1000)}` : '';
};
