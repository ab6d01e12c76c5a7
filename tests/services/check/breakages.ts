import assert from 'node:assert/strict';
import { anAuthority } from '@gatehouse/dev/certificates';
import type { HealthyCluster, Mutable } from './healthy-cluster.ts';

type Break = (cluster: HealthyCluster) => () => void;

const changing =
  (kind: string, name: string, change: (object: Mutable) => void): Break =>
  (cluster) =>
    cluster.change(kind, name, change);
const removing =
  (kind: string, name: string): Break =>
  (cluster) =>
    cluster.remove(kind, name);
const adding =
  (object: Mutable): Break =>
  ({ fake }) => {
    fake.put(object);
    return () => void fake.remove(object);
  };

const linkerdInjector = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: 'linkerd-proxy-injector-webhook-config' },
  webhooks: [],
};

/** Linkerd beside us, where ours injects in the namespaces demo and ours alone; what is broken then. */
export const beside =
  (breakIt: Break): Break =>
  (cluster) => {
    const ours = adding({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'ours', labels: { 'gatehouse.dev/control-plane-ns': 'gatehouse' } },
    });
    const restore = [adding(linkerdInjector), ours, claimedOnly, breakIt].map((each) => each(cluster));
    return () => {
      for (const each of restore) each();
    };
  };

const claimedOnly = changing('MutatingWebhookConfiguration', 'gatehouse-injector', ({ webhooks }) => {
  webhooks[0].namespaceSelector = {
    matchExpressions: [{ key: 'gatehouse.dev/control-plane-ns', operator: 'In', values: ['gatehouse'] }],
  };
});

const aPolicy = {
  apiVersion: 'policy.linkerd.io/v1alpha1',
  kind: 'NetworkAuthenticationPolicy',
  metadata: { name: 'for-nobody', namespace: 'demo' },
  spec: {
    target: { selector: { matchLabels: { app: 'misspelt' } } },
    sources: [{ podSelector: { matchLabels: { app: 'frontend' } } }],
  },
};

/** What is broken, the check that says so, how bad it is, and what it says. */
export const breakages: readonly (readonly [string, Break, string, 'warning' | 'failed', RegExp])[] = [
  [
    'Linkerd runs beside us',
    adding({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        namespace: 'linkerd',
        name: 'linkerd-destination',
        labels: { 'linkerd.io/control-plane-component': 'destination' },
      },
      spec: {},
    }),
    'Linkerd in the same cluster',
    'warning',
    /Deployment linkerd\/linkerd-destination/,
  ],
  [
    "Linkerd's injector is here, and ours goes everywhere",
    adding(linkerdInjector),
    'Linkerd in the same cluster',
    'warning',
    /our injector is asked first, and takes the new pods of every namespace/,
  ],
  [
    "a kind has Linkerd's label, by which linkerd uninstall finds it",
    beside((cluster) => {
      const object = crdOf(cluster, 'servers.policy.linkerd.io');
      cluster.fake.put({
        ...object,
        metadata: { ...object.metadata, labels: { 'linkerd.io/control-plane-ns': 'linkerd' } },
      });
      return () => void cluster.fake.put(object);
    }),
    'Linkerd in the same cluster',
    'warning',
    /^servers\.policy\.linkerd\.io have Linkerd's label: linkerd uninstall deletes these kinds/,
  ],
  [
    'a pod has our proxy in a namespace that is left to Linkerd',
    beside(
      changing('Namespace', 'demo', (namespace) => {
        delete namespace.metadata.labels['gatehouse.dev/control-plane-ns'];
      }),
    ),
    'Linkerd in the same cluster',
    'warning',
    /^demo\/backend-0 have our proxy in a namespace that is not ours/,
  ],
  [
    "a pod has Linkerd's proxy in a namespace that is ours",
    beside(
      adding({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          namespace: 'ours',
          name: 'old',
          labels: { 'linkerd.io/control-plane-ns': 'linkerd' },
        },
        spec: { containers: [{ name: 'app', image: 'i' }] },
        status: { phase: 'Running', podIP: '127.99.0.8', podIPs: [{ ip: '127.99.0.8' }] },
      }),
    ),
    'Linkerd in the same cluster',
    'warning',
    /^ours\/old still have Linkerd's proxy in a namespace that is ours/,
  ],
  [
    'a Deployment is gone',
    removing('Deployment', 'gatehouse-destination'),
    'Deployments',
    'failed',
    /there is no Deployment gatehouse\/gatehouse-destination/,
  ],
  [
    'no replica is ready',
    changing('Deployment', 'gatehouse-policy', (object) => {
      object.status = {};
    }),
    'Deployments',
    'failed',
    /no replica of gatehouse\/gatehouse-policy is ready/,
  ],
  [
    'a replica is missing',
    changing('Deployment', 'gatehouse-identity', (object) => {
      object.spec.replicas = 2;
    }),
    'Deployments',
    'warning',
    /1 of 2 replicas of gatehouse\/gatehouse-identity are ready/,
  ],
  [
    'the roots are gone',
    removing('ConfigMap', 'gatehouse-trust-roots'),
    'Trust roots',
    'failed',
    /has no certificates in ca-bundle.crt/,
  ],
  [
    'the roots are no PEM',
    changing('ConfigMap', 'gatehouse-trust-roots', (object) => {
      object.data['ca-bundle.crt'] = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    }),
    'Trust roots',
    'failed',
    /has no certificates in ca-bundle.crt/,
  ],
  [
    'a root has ended',
    changing('ConfigMap', 'gatehouse-trust-roots', (object) => {
      object.data['ca-bundle.crt'] += anAuthority({
        name: 'of old',
        notBefore: Date.now() - 2_000_000,
        notAfter: Date.now() - 1_000_000,
      }).pem;
    }),
    'Trust roots',
    'failed',
    /the root CN=of old expired 16m ago/,
  ],
  [
    'a root will end soon',
    changing('ConfigMap', 'gatehouse-trust-roots', (object) => {
      object.data['ca-bundle.crt'] += anAuthority({
        name: 'old',
        notBefore: Date.now() - 90_000_000,
        notAfter: Date.now() + 10_000_000,
      }).pem;
    }),
    'Trust roots',
    'warning',
    /the root CN=old ends in 166m/,
  ],
  [
    'the webhook has no CA',
    changing('MutatingWebhookConfiguration', 'gatehouse-injector', (object) => {
      object.webhooks[0].clientConfig.caBundle = undefined;
    }),
    'Injection webhook',
    'failed',
    /has no caBundle/,
  ],
  [
    'the webhook has the CA of something else',
    changing('MutatingWebhookConfiguration', 'gatehouse-injector', (object) => {
      object.webhooks[0].clientConfig.caBundle = Buffer.from(
        anAuthority({ name: 'something else' }).pem,
      ).toString('base64');
    }),
    'Injection webhook',
    'failed',
    /does not answer as gatehouse-injector expects it to/,
  ],
  [
    'a CustomResourceDefinition is gone',
    (cluster) => {
      const { fake } = cluster;
      const object = crdOf(cluster, 'servers.policy.linkerd.io');
      fake.remove(object);
      return () => void fake.put(object);
    },
    'CustomResourceDefinitions',
    'failed',
    /servers.policy.linkerd.io are not installed/,
  ],
  [
    "a CustomResourceDefinition is an older Linkerd's",
    (cluster) => {
      const { fake } = cluster;
      const object = crdOf(cluster, 'httproutes.policy.linkerd.io');
      const older = structuredClone(object) as Mutable;
      for (const version of older.spec.versions)
        delete version.schema.openAPIV3Schema.properties.spec.properties.hostnames;
      fake.put(older);
      return () => void fake.put(object);
    },
    'CustomResourceDefinitions',
    'failed',
    /httproutes.policy.linkerd.io is another than ours.*\.spec\.hostnames/,
  ],
  [
    'a proxy is not ready',
    changing('Pod', 'backend-0', (pod) => {
      pod.status.initContainerStatuses[0].ready = false;
    }),
    'Proxies ready',
    'failed',
    /the proxies of demo\/backend-0 are not ready/,
  ],
  [
    'a proxy started with a looser default',
    changing('Pod', 'backend-0', (pod) => {
      pod.spec.initContainers[0].env[0].value = 'all-unauthenticated';
    }),
    'Default policy of the proxies',
    'warning',
    /demo\/backend-0 started with a looser default policy/,
  ],
  [
    'a proxy has other roots',
    changing('Pod', 'backend-0', (pod) => {
      pod.spec.initContainers[0].env[1].value = anAuthority({ name: 'of before' }).pem;
    }),
    'Trust roots of the proxies',
    'failed',
    /demo\/backend-0 were injected with other roots/,
  ],
  [
    'a root was added since a proxy was injected',
    changing('ConfigMap', 'gatehouse-trust-roots', (object) => {
      object.data['ca-bundle.crt'] += anAuthority({ name: 'next' }).pem;
    }),
    'Trust roots of the proxies',
    'warning',
    /demo\/backend-0 do not have all roots/,
  ],
  [
    'a pod has no proxy where the default is deny',
    adding({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'demo', name: 'bare' },
      spec: { containers: [{ name: 'app', image: 'i' }] },
      status: { phase: 'Running', podIP: '127.99.0.9', podIPs: [{ ip: '127.99.0.9' }] },
    }),
    'Pods without a proxy',
    'warning',
    /demo\/bare run without a proxy/,
  ],
  [
    'a policy selects no pod',
    adding(aPolicy),
    'Policies without effect',
    'warning',
    /NetworkAuthenticationPolicy demo\/for-nobody is MatchesNothing/,
  ],
];

const crdOf = ({ fake }: HealthyCluster, name: string): Mutable => {
  const apiVersion = 'apiextensions.k8s.io/v1';
  const object = fake.read({ apiVersion, kind: 'CustomResourceDefinition', metadata: { name } });
  assert.ok(object !== undefined);
  return object;
};
