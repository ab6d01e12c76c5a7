import assert from 'node:assert/strict';
import { test } from 'node:test';
import { viewerAccount } from '@gatehouse/cli/reach/cluster-token';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { watchedKinds as destinationKinds } from '@gatehouse/destination/core/facts';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';
import { callerKinds } from '@gatehouse/identity/core/token/known-callers';
import { configName } from '@gatehouse/manifests/objects/config-map';
import { injectorName } from '@gatehouse/manifests/objects/injector';
import type { KubeObject } from '@gatehouse/manifests/objects/kube-object';
import { trustRootsName } from '@gatehouse/manifests/objects/trust';
import { validatorName } from '@gatehouse/manifests/objects/validator';
import { renderControlPlane } from '@gatehouse/manifests/render';
import { readValues } from '@gatehouse/manifests/values/read-values';
import { adminGroup, adminResources } from '@gatehouse/platform/http/route-access';
import { rowOf } from '@gatehouse/platform/kube/kind-table';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { headlessServiceOf } from '@gatehouse/platform/replicas/open-replicas';
import { accountOf, type ServiceName } from '@gatehouse/platform/service/service';
import { statusKinds } from '@gatehouse/policy/core/status/own-status';
import { watchedKinds as policyKinds } from '@gatehouse/policy/ports/policy-watch';
import { readDeployedRbac } from '@gatehouse/testing/deployed-rbac';

const objects = await readDeployedRbac();

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const rulesOf = (kind: 'ClusterRole' | 'Role', name: string): readonly Rule[] => {
  const found = objects.filter((one) => one.kind === kind && nameOf(one).name === name);
  assert.equal(found.length, 1, `${kind} ${name}`);
  return found[0]?.rules as readonly Rule[];
};

const nameOf = ({ metadata }: WireObject) =>
  metadata as { readonly name: string; readonly namespace?: string };

/** `list pods`, `get leases.coordination.k8s.io NAME`, `get /openid/v1/jwks`: every single permission. */
const permissionsOf = (rules: readonly Rule[]): readonly string[] =>
  rules
    .flatMap(({ apiGroups = [], resources = [], nonResourceURLs = [], resourceNames = [''], verbs }) =>
      verbs.flatMap((verb) => [
        ...nonResourceURLs.map((path) => `${verb} ${path}`),
        ...apiGroups.flatMap((group) =>
          resources.flatMap((plural) =>
            resourceNames.map((name) => `${verb} ${fullName(group, plural)}${name === '' ? '' : ` ${name}`}`),
          ),
        ),
      ]),
    )
    .sort();

const fullName = (group: string, plural: string): string => (group === '' ? plural : `${plural}.${group}`);

const watching = (kinds: readonly Kind[]): readonly string[] =>
  kinds
    .map(rowOf)
    .flatMap(({ group, plural }) => ['list', 'watch'].map((verb) => `${verb} ${fullName(group, plural)}`));

const reviews = [
  'create subjectaccessreviews.authorization.k8s.io',
  'create tokenreviews.authentication.k8s.io',
];
const replicas = ['list endpointslices.discovery.k8s.io'];
/** `KubeEvents`. */
const events = ['create events.events.k8s.io', 'patch events.events.k8s.io'];
/** The same, and what its Events regard. */
const telling = (service: ServiceName): readonly string[] => [
  ...events,
  `get deployments.apps ${accountOf(service)}`,
  `get serviceaccounts ${accountOf(service)}`,
];
/** `KubeSliceStore`. */
const writingSlices = ['create', 'patch', 'delete'].map((verb) => `${verb} endpointslices.discovery.k8s.io`);
/** `KubeLease`. A name cannot be given to `create`. */
const electing = (lease: string): readonly string[] => [
  'create leases.coordination.k8s.io',
  ...['get', 'update'].map((verb) => `${verb} leases.coordination.k8s.io ${lease}`),
];
/** `StatusWriter`. */
const statuses = statusKinds
  .map(rowOf)
  .flatMap(({ group, plural }) => [
    `get ${fullName(group, plural)}`,
    `patch ${fullName(group, `${plural}/status`)}`,
  ]);

interface Needed {
  readonly cluster: readonly string[];
  /** In the namespace of the control plane. */
  readonly own: readonly string[];
}

/** What the code of each service asks for. */
const needed: Readonly<Record<ServiceName, Needed>> = {
  identity: { cluster: reviews, own: [...replicas, ...telling('identity')] },
  destination: {
    cluster: [...reviews, ...watching(destinationKinds), ...writingSlices],
    own: [...replicas, ...telling('destination'), ...electing('gatehouse-destination-endpoint-write')],
  },
  policy: {
    cluster: [...reviews, ...watching(policyKinds), ...statuses],
    own: [...replicas, ...telling('policy'), ...electing('gatehouse-policy-writer')],
  },
};

/** What policy's code asks for beside that where it serves webhooks: `injector`, `MeshOfCluster`, `WebhookKeeper`. */
const neededForWebhooks: Needed = {
  cluster: [
    'get namespaces',
    ...events,
    ...Object.entries({ mutating: injectorName, validating: validatorName }).flatMap(([which, name]) =>
      ['list', 'patch', 'watch'].map(
        (verb) => `${verb} ${which}webhookconfigurations.admissionregistration.k8s.io ${name}`,
      ),
    ),
  ],
  own: [
    'create secrets',
    ...['list', 'update', 'watch'].map((verb) => `${verb} secrets gatehouse-webhook-tls`),
    ...[configName, trustRootsName].flatMap((name) =>
      ['list', 'watch'].map((verb) => `${verb} configmaps ${name}`),
    ),
  ],
};

const allows = (name: string, { cluster, own }: Needed): void => {
  assert.deepEqual(permissionsOf(rulesOf('ClusterRole', name)), cluster.toSorted(), name);
  assert.deepEqual(permissionsOf(rulesOf('Role', name)), own.toSorted(), name);
};

test('the roles of the services allow what their code asks for, by name where it has one, and not one thing more', () => {
  assert.equal(serviceNames.length, 3);
  for (const service of serviceNames) allows(accountOf(service), needed[service]);
  allows('gatehouse-policy-webhook', neededForWebhooks);
});

/** The names of roles and bindings of an installation with these values. */
const installedRoles = (values: WireObject): readonly string[] =>
  renderControlPlane({
    ...readValues([values]),
    trust: { anchors: undefined, issuer: undefined },
    shippedRbac: objects as readonly KubeObject[],
  }).flatMap(({ kind, metadata: { name } }) => (/Role(?:Binding)?$/.test(kind) ? [name] : []));

test('without its webhooks policy may not read what is injected, write Secrets or look at webhooks', () => {
  const name = 'gatehouse-policy-webhook';
  assert.equal(installedRoles({}).filter((one) => one === name).length, 4);
  assert.ok(!installedRoles({ injector: { enabled: false } }).includes(name));
});

test('only with the reviewer `jwks` identity may read public keys, and watch what tokens are bound to', () => {
  assert.deepEqual(
    permissionsOf(rulesOf('ClusterRole', 'gatehouse-identity-jwks')),
    [...watching(callerKinds), 'get /.well-known/openid-configuration', 'get /openid/v1/jwks'].sort(),
  );
  const installed = (tokenReviewer: string): boolean =>
    installedRoles({ identity: { tokenReviewer } }).includes('gatehouse-identity-jwks');
  assert.deepEqual([installed('jwks'), installed('token-review')], [true, false]);
});

test('each role is bound to the ServiceAccount of its service, and to nobody else', () => {
  const bindings = objects.filter(
    (one) => String(one.kind).endsWith('Binding') && nameOf(one).name !== viewerAccount,
  );
  assert.equal(bindings.length, 9);
  for (const binding of bindings) {
    const { name, namespace } = nameOf(binding);
    const roleKind = binding.kind === 'ClusterRoleBinding' ? 'ClusterRole' : 'Role';
    assert.equal(namespace, roleKind === 'Role' ? 'gatehouse' : undefined);
    assert.deepEqual(binding.roleRef, { apiGroup: 'rbac.authorization.k8s.io', kind: roleKind, name });
    const account = name.replace(/-(?:jwks|webhook)$/, '');
    assert.deepEqual(binding.subjects, [{ kind: 'ServiceAccount', name: account, namespace: 'gatehouse' }]);
    const accounts = objects.filter((one) => one.kind === 'ServiceAccount' && nameOf(one).name === account);
    assert.equal(accounts.length, 1, account);
  }
});

test('the command line has a viewer to speak as, and a role for the way to the services', () => {
  const own = objects.filter((one) => nameOf(one).name === viewerAccount);
  assert.deepEqual(own.map(({ kind }) => kind).sort(), [
    'ClusterRole',
    'ClusterRoleBinding',
    'ServiceAccount',
  ]);
  const binding = own.find(({ kind }) => kind === 'ClusterRoleBinding');
  assert.deepEqual(binding?.roleRef, {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: viewerAccount,
  });
  assert.deepEqual(binding?.subjects, [
    { kind: 'ServiceAccount', name: viewerAccount, namespace: 'gatehouse' },
  ]);
  const way = rulesOf('Role', 'gatehouse-cli');
  assert.deepEqual(permissionsOf(way), [
    'create pods/portforward',
    'get pods/portforward',
    ...Object.values(headlessServiceOf)
      .map((name) => `get services ${name}`)
      .sort(),
    'list pods',
  ]);
});

test('viewers may see every resource of the REST API; one of them needs no path, one of them nothing else', () => {
  const seen = Object.keys(adminResources).map((resource) => `get ${resource}.${adminGroup}`);
  const permissions = (name: string) => permissionsOf(rulesOf('ClusterRole', name));
  assert.deepEqual(permissions('gatehouse-viewer'), ['get /v1/*', ...seen].sort());
  assert.deepEqual(permissions('gatehouse-namespace-viewer'), seen.sort());
  assert.deepEqual(permissions('gatehouse-caller'), ['get /v1/*']);
});
