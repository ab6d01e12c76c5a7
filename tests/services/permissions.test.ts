import assert from 'node:assert/strict';
import { test } from 'node:test';
import { viewerAccount } from '@gatehouse/cli/reach/cluster-token';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { watchedKinds as destinationKinds } from '@gatehouse/destination/core/facts';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';
import { callerKinds } from '@gatehouse/identity/core/token/known-callers';
import type { KubeObject } from '@gatehouse/manifests/objects/kube-object';
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

/** `list pods`, `create tokenreviews.authentication.k8s.io`, `get /openid/v1/jwks`: every single permission. */
const permissionsOf = (rules: readonly Rule[]): readonly string[] =>
  rules
    .flatMap(({ apiGroups = [], resources = [], nonResourceURLs = [], verbs }) =>
      verbs.flatMap((verb) => [
        ...nonResourceURLs.map((path) => `${verb} ${path}`),
        ...apiGroups.flatMap((group) => resources.map((plural) => `${verb} ${fullName(group, plural)}`)),
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
/** `KubeEvents`, and what its Events regard. */
const telling = [
  'create events.events.k8s.io',
  'patch events.events.k8s.io',
  'get deployments.apps',
  'get serviceaccounts',
];

const isAboutEvents = (permission: string): boolean => permission.endsWith(' events.events.k8s.io');
/** `KubeSliceStore` and the `KubeLease` of its writers. */
const writingSlices = ['create', 'patch', 'delete'].map((verb) => `${verb} endpointslices.discovery.k8s.io`);
const electing = ['create', 'get', 'update'].map((verb) => `${verb} leases.coordination.k8s.io`);
/** `StatusWriter`. */
const statuses = statusKinds
  .map(rowOf)
  .flatMap(({ group, plural }) => [
    `get ${fullName(group, plural)}`,
    `patch ${fullName(group, `${plural}/status`)}`,
  ]);

/** What the code of each service asks for, in the whole cluster and in its own namespace. */
const needed: Readonly<
  Record<ServiceName, { readonly cluster: readonly string[]; readonly own: readonly string[] }>
> = {
  identity: {
    cluster: reviews,
    own: [...replicas, ...telling],
  },
  destination: {
    cluster: [...reviews, ...watching(destinationKinds), ...writingSlices],
    own: [...replicas, ...telling, ...electing],
  },
  policy: {
    // Of pods that were injected it tells where they are.
    cluster: [
      ...reviews,
      ...watching(policyKinds),
      ...telling.filter(isAboutEvents),
      ...statuses,
      'get namespaces',
      ...['mutating', 'validating'].flatMap((which) =>
        ['list', 'patch', 'watch'].map(
          (verb) => `${verb} ${which}webhookconfigurations.admissionregistration.k8s.io`,
        ),
      ),
    ],
    own: [
      ...replicas,
      ...telling.filter((permission) => !isAboutEvents(permission)),
      ...['create', 'list', 'update', 'watch'].map((verb) => `${verb} secrets`),
      ...['list', 'watch'].map((verb) => `${verb} configmaps`),
      ...['create', 'get', 'update'].map((verb) => `${verb} leases.coordination.k8s.io`),
    ],
  },
};

test('the roles of the services allow what their code asks for, and not one thing more', () => {
  assert.equal(serviceNames.length, 3);
  for (const service of serviceNames) {
    const name = accountOf(service);
    assert.deepEqual(
      permissionsOf(rulesOf('ClusterRole', name)),
      needed[service].cluster.toSorted(),
      service,
    );
    assert.deepEqual(permissionsOf(rulesOf('Role', name)), needed[service].own.toSorted(), service);
  }
});

test('only with the reviewer `jwks` identity may read public keys, and watch what tokens are bound to', () => {
  assert.deepEqual(
    permissionsOf(rulesOf('ClusterRole', 'gatehouse-identity-jwks')),
    [...watching(callerKinds), 'get /.well-known/openid-configuration', 'get /openid/v1/jwks'].sort(),
  );
  const installed = (tokenReviewer: string): boolean => {
    const read = readValues([{ identity: { tokenReviewer } }]);
    const trust = { anchors: undefined, issuer: undefined };
    const all = renderControlPlane({ ...read, trust, shippedRbac: objects as readonly KubeObject[] });
    return all.some(({ metadata: { name } }) => name === 'gatehouse-identity-jwks');
  };
  assert.deepEqual([installed('jwks'), installed('token-review')], [true, false]);
});

test('what policy may do with Secrets, Leases and webhooks it may do with its own alone, but for making one', () => {
  const named = [...rulesOf('ClusterRole', 'gatehouse-policy'), ...rulesOf('Role', 'gatehouse-policy')]
    .filter(({ resources = [] }) =>
      resources.some((one) =>
        ['secrets', 'leases', 'configmaps', 'mutatingwebhookconfigurations'].includes(one),
      ),
    )
    .map(({ resources = [], resourceNames = [], verbs }) => [
      resources.join(),
      resourceNames.join(),
      verbs.join(),
    ]);
  assert.deepEqual(named.sort(), [
    ['configmaps', 'gatehouse-config,gatehouse-trust-roots', 'list,watch'],
    ['leases', '', 'create'],
    ['leases', 'gatehouse-policy-writer', 'get,update'],
    ['mutatingwebhookconfigurations', 'gatehouse-injector', 'list,patch,watch'],
    ['secrets', '', 'create'],
    ['secrets', 'gatehouse-webhook-tls', 'list,update,watch'],
  ]);
});

test('each role is bound to the ServiceAccount of its service, and to nobody else', () => {
  const bindings = objects.filter(
    (one) => String(one.kind).endsWith('Binding') && nameOf(one).name !== viewerAccount,
  );
  assert.equal(bindings.length, 7);
  for (const binding of bindings) {
    const { name, namespace } = nameOf(binding);
    const roleKind = binding.kind === 'ClusterRoleBinding' ? 'ClusterRole' : 'Role';
    assert.equal(namespace, roleKind === 'Role' ? 'gatehouse' : undefined);
    assert.deepEqual(binding.roleRef, { apiGroup: 'rbac.authorization.k8s.io', kind: roleKind, name });
    const account = name.replace(/-jwks$/, '');
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
    'get services',
    'list pods',
  ]);
  assert.deepEqual(way[0]?.resourceNames?.toSorted(), Object.values(headlessServiceOf).toSorted());
});

test('viewers may see every resource of the REST API; one of them needs no path, one of them nothing else', () => {
  const seen = Object.keys(adminResources).map((resource) => `get ${resource}.${adminGroup}`);
  const permissions = (name: string) => permissionsOf(rulesOf('ClusterRole', name));
  assert.deepEqual(permissions('gatehouse-viewer'), ['get /v1/*', ...seen].sort());
  assert.deepEqual(permissions('gatehouse-namespace-viewer'), seen.sort());
  assert.deepEqual(permissions('gatehouse-caller'), ['get /v1/*']);
});
