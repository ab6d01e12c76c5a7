import type { Values } from '../values/value-fields.ts';
import { type ServiceFacts, selectorOf } from './control-plane.ts';
import { environmentOf } from './environment.ts';
import { servesWebhooks, webhookPort } from './injector.ts';
import type { KubeObject } from './kube-object.ts';
import { placementOf } from './placement.ts';

/** In the image; of nobody, as distroless images have it. */
const user = 65_532;

/**
 * How long a pod that is to end goes on serving. Proxies look the headless Service up again when its answer's time to live is
 * over, 5 s in CoreDNS, and connect to what they find then; a replica that stopped listening before that would be called in vain.
 */
const drainSeconds = 10;

/** Draining, and ending the streams that are left. */
const graceSeconds = 40;

export const replicasOf = ({ service }: ServiceFacts, values: Values): number =>
  values[service].replicas === 0 ? values.replicas : values[service].replicas;

/** One service. `checksum` changes when pods must be made again though their manifest is the same. */
export const deployment = (facts: ServiceFacts, values: Values): KubeObject => {
  const { name } = facts;
  const selector = selectorOf(facts);
  const labels = { ...selector, 'app.kubernetes.io/version': versionLabel(values.image.version) };
  const replicas = replicasOf(facts, values);
  const placement = placementOf(selector, values);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: values.namespace, labels },
    spec: {
      replicas,
      selector: { matchLabels: selector },
      strategy: { type: 'RollingUpdate', rollingUpdate: placement.rollingUpdate },
      template: {
        metadata: { labels: { ...values.podLabels, ...labels }, annotations: annotationsOf(facts, values) },
        spec: {
          serviceAccountName: name,
          enableServiceLinks: false,
          ...(values.priorityClassName === '' ? {} : { priorityClassName: values.priorityClassName }),
          ...(values.imagePullSecrets.length === 0
            ? {}
            : { imagePullSecrets: values.imagePullSecrets.map((secret) => ({ name: secret })) }),
          ...placement.pod,
          terminationGracePeriodSeconds: graceSeconds,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: user,
            runAsGroup: user,
            fsGroup: user,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [container(facts, values)],
          volumes: volumesOf(facts),
        },
      },
    },
  };
};

const container = (facts: ServiceFacts, values: Values): object => {
  const { service, ports } = facts;
  const probe = (path: string): object => ({ httpGet: { path, port: 'admin' } });
  return {
    name: service,
    image: imageOf(values),
    imagePullPolicy: values.image.pullPolicy,
    // Without a path: the image of `npm run image` and that of a container builder have Node in different places.
    args: [service],
    env: environmentOf(facts, values),
    ports: [
      { name: 'grpc', containerPort: ports.grpc },
      { name: 'admin', containerPort: ports.admin },
      ...(servesWebhooks(facts, values) ? [{ name: 'webhook', containerPort: webhookPort }] : []),
    ],
    // A process that starts on a busy node is slow, not dead: two minutes, then liveness counts.
    startupProbe: { ...probe('/live'), periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 120 },
    livenessProbe: { ...probe('/live'), periodSeconds: 10, timeoutSeconds: 5 },
    readinessProbe: { ...probe('/ready'), periodSeconds: 2, timeoutSeconds: 2 },
    lifecycle: { preStop: { sleep: { seconds: drainSeconds } } },
    resources: resourcesOf(facts, values),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: volumesOf(facts).map(({ name }) => ({ name, mountPath: mounts[name], readOnly: true })),
  };
};

/** A digest names the image by itself. */
export const imageOf = ({ image: { name, version } }: Values): string =>
  version.startsWith('sha256:') ? `${name}@${version}` : `${name}:${version}`;

/** A label holds 63 bytes; of a digest its beginning. */
const versionLabel = (version: string): string => version.replace(/^sha256:/, '').slice(0, 40);

const annotationsOf = ({ ports }: ServiceFacts, { metrics, podAnnotations }: Values) => ({
  ...podAnnotations,
  ...(metrics.annotations
    ? {
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': `${ports.admin}`,
        'prometheus.io/path': '/metrics',
      }
    : {}),
});

const resourcesOf = ({ service }: ServiceFacts, values: Values): object => {
  const [own, all] = [values[service].resources, values.resources];
  const present = (quantities: Readonly<Record<string, string>>): object =>
    Object.fromEntries(Object.entries(quantities).filter(([, quantity]) => quantity !== ''));
  const requests = {
    cpu: own.requests.cpu || all.requests.cpu,
    memory: own.requests.memory || all.requests.memory,
  };
  const limits = { cpu: own.limits.cpu || all.limits.cpu, memory: own.limits.memory || all.limits.memory };
  return Object.fromEntries(
    Object.entries({ requests: present(requests), limits: present(limits) }).filter(
      ([, quantities]) => Object.keys(quantities).length > 0,
    ),
  );
};

/** Where the services look (GATEHOUSE_TRUST_ANCHORS, GATEHOUSE_ISSUER_DIR, GATEHOUSE_TOKEN_FILE when they are not set). */
const mounts = {
  'trust-roots': '/var/run/gatehouse/trust-roots',
  issuer: '/var/run/gatehouse/issuer',
  token: '/var/run/secrets/tokens',
} as const;

interface Volume {
  readonly name: keyof typeof mounts;
  readonly [source: string]: unknown;
}

/** Identity signs its own leaf; the others prove themselves to it by a token, as any workload does. */
const volumesOf = ({ service }: ServiceFacts): readonly Volume[] => [
  { name: 'trust-roots', configMap: { name: 'gatehouse-trust-roots' } },
  service === 'identity'
    ? { name: 'issuer', secret: { secretName: 'gatehouse-issuer', defaultMode: 0o440 } }
    : {
        name: 'token',
        projected: {
          sources: [
            {
              serviceAccountToken: {
                path: 'linkerd-identity-token',
                audience: 'identity.l5d.io',
                expirationSeconds: 86_400,
              },
            },
          ],
        },
      },
];
