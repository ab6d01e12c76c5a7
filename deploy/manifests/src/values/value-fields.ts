import { type Field, proxySettingFields } from '@gatehouse/core/injection/proxy-settings';
import * as forms from '@gatehouse/core/injection/value-forms';
import { destinationSettings } from '@gatehouse/destination/config';
import { identitySettings } from '@gatehouse/identity/config';
import { policySettings } from '@gatehouse/policy/config';
import manifest from '../../package.json' with { type: 'json' };
import { tolerations } from './tolerations.ts';
import {
  alwaysTrue,
  names,
  namespaceName,
  optionalReplicaCount,
  replicaCount,
  settingField,
  type Texts,
  texts,
  webhookTimeout,
} from './value-forms.ts';

const field = <T>(form: forms.ValueForm<T>, fallback: NoInfer<T>, sentence: string): Field<T> => ({
  form,
  fallback,
  sentence,
});

const none: Texts = {};
const quantity = forms.orNone(forms.quantity);

/** What can be said of one service alone. */
const service = (name: string) => ({
  replicas: field(optionalReplicaCount, 0, `How many pods ${name} has.`),
  resources: {
    requests: {
      cpu: field(quantity, '', `CPU that a pod of ${name} asks for; empty = \`resources.requests.cpu\`.`),
      memory: field(
        quantity,
        '',
        `Memory that a pod of ${name} asks for; empty = \`resources.requests.memory\`.`,
      ),
    },
    limits: {
      cpu: field(quantity, '', `CPU that a pod of ${name} may use; empty = \`resources.limits.cpu\`.`),
      memory: field(
        quantity,
        '',
        `Memory that a pod of ${name} may use; empty = \`resources.limits.memory\`.`,
      ),
    },
  },
  env: field(texts, none, `Further settings of ${name}: any variable of the settings' reference.`),
});

const { proxy, init, networkValidator, debug, ipv6 } = proxySettingFields;

/**
 * Every value of `gatehouse install` and of the Helm chart. What a service or injection defines keeps its form, default and
 * sentence from there. The path of a value is the way to it: `identity.issuer.scheme`.
 */
export const valueFields = {
  namespace: field(namespaceName, 'gatehouse', 'The namespace of the control plane; part of every identity.'),
  trustDomain: settingField(identitySettings.trustDomain),
  clusterDomain: settingField(destinationSettings.clusterDomain),
  clusterNetworks: settingField(policySettings.clusterNetworks),
  defaultInboundPolicy: settingField(policySettings.defaultInboundPolicy),
  opaquePorts: settingField(policySettings.defaultOpaquePorts),
  ipv6,
  highAvailability: field(
    forms.flag,
    false,
    'Whether three replicas run on different nodes: it changes the defaults of `replicas` and `podAntiAffinity`.',
  ),
  replicas: field(replicaCount, 2, 'How many pods each service has.'),
  podAntiAffinity: field(
    forms.oneOf(['none', 'preferred', 'required']),
    'preferred',
    'Whether pods of one service are kept on different nodes.',
  ),
  image: {
    name: field(forms.imageName, 'localhost/gatehouse', 'The image of the three services, without tag.'),
    version: field(forms.imageVersion, manifest.version, 'Its tag, or its sha256 digest.'),
    pullPolicy: field(
      forms.oneOf(['Always', 'IfNotPresent', 'Never']),
      'IfNotPresent',
      'When the image is pulled.',
    ),
  },
  imagePullSecrets: field(names, [], 'Secrets of the namespace with the password of a registry.'),
  resources: {
    requests: {
      cpu: field(quantity, '100m', 'CPU that each pod asks for.'),
      memory: field(quantity, '192Mi', 'Memory that each pod asks for.'),
    },
    limits: {
      cpu: field(quantity, '', 'CPU that each pod may use; empty = no limit.'),
      memory: field(quantity, '', 'Memory that each pod may use; empty = no limit.'),
    },
  },
  nodeSelector: field(
    texts,
    none,
    'Labels of the nodes that pods may run on, beside `kubernetes.io/os: linux`.',
  ),
  tolerations: field(tolerations, [], 'Taints of nodes that pods tolerate.'),
  priorityClassName: field(forms.orNone(forms.dnsName), '', 'The PriorityClass of the pods.'),
  podLabels: field(texts, none, 'Labels that the pods have beside ours.'),
  podAnnotations: field(texts, none, 'Annotations that the pods have beside ours.'),
  logLevel: settingField(identitySettings.logLevel),
  logFormat: settingField(identitySettings.logFormat, 'json'),
  maxStaleness: settingField(policySettings.maxStalenessMs),
  networkPolicies: field(
    forms.flag,
    true,
    'Whether NetworkPolicies allow into the pods only what they serve.',
  ),
  metrics: {
    annotations: field(
      forms.flag,
      true,
      'Whether pods have the annotations by which Prometheus is often told where to scrape.',
    ),
    namespaces: field(
      names,
      [],
      'From which namespaces the NetworkPolicies allow metrics to be scraped; empty = from all.',
    ),
  },
  identity: {
    ...service('identity'),
    externalCA: field(
      forms.flag,
      false,
      'Whether ConfigMap `gatehouse-trust-roots` is made by something else, such as trust-manager.',
    ),
    issuer: {
      scheme: field(
        forms.oneOf(['gatehouse.dev/tls', 'kubernetes.io/tls']),
        'gatehouse.dev/tls',
        '`gatehouse.dev/tls`: install writes Secret `gatehouse-issuer`; `kubernetes.io/tls`: cert-manager does.',
      ),
      issuanceLifetime: settingField(identitySettings.issuanceLifetimeMs),
      clockSkewAllowance: settingField(identitySettings.clockSkewMs),
    },
    tokenReviewer: settingField(identitySettings.tokenReviewer, 'token-review'),
  },
  destination: service('destination'),
  policy: {
    ...service('policy'),
    probeNetworks: settingField(policySettings.probeNetworks),
    onStale: settingField(policySettings.onStale),
  },
  injector: {
    enabled: field(
      forms.flag,
      true,
      'Whether new pods get their proxy by a webhook; without it, `gatehouse inject --manual` writes it into manifests.',
    ),
    namespaces: field(
      forms.oneOf(['all', 'claimed']),
      'all',
      'Where the webhook injects: everywhere (`all`), or where the label `gatehouse.dev/control-plane-ns` names it (`claimed`).',
    ),
    timeoutSeconds: field(
      webhookTimeout,
      10,
      'How long the API server waits for the webhook before it refuses a pod, or lets it start without proxy.',
    ),
  },
  policyController: {
    enabled: field(alwaysTrue, true, "Accepted for Linkerd's sake: the policy service is always installed."),
  },
  proxy,
  init,
  networkValidator,
  debug,
} as const;

/** What `highAvailability` makes of the defaults. */
export const highlyAvailable = { replicas: 3, podAntiAffinity: 'required' } as const;

type ValuesOf<F> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : ValuesOf<F[K]> };

export type Values = ValuesOf<typeof valueFields>;

export type ValueTree = { readonly [name: string]: Field<unknown> | ValueTree };

export const isField = (node: Field<unknown> | ValueTree): node is Field<unknown> =>
  typeof (node as Field<unknown>).sentence === 'string';

/** A value and where it is. */
export interface PlacedValue {
  readonly path: string;
  readonly field: Field<unknown>;
}

const place = (tree: ValueTree, above: string): readonly PlacedValue[] =>
  Object.entries(tree).flatMap(([name, node]) => {
    const path = above === '' ? name : `${above}.${name}`;
    return isField(node) ? [{ path, field: node }] : place(node, path);
  });

/** Every value, in the order of the table. */
export const allValues: readonly PlacedValue[] = place(valueFields, '');
