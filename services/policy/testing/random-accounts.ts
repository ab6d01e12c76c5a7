import { everywhere } from '@gatehouse/core/ip-network';
import { identityOf } from '@gatehouse/core/mesh/workload-identity';
import type { Change } from '@gatehouse/core/resources/changes';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import {
  aMeshTlsAuthentication,
  aNamespace,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  aPod,
  aServer,
  aServerAuthorization,
  aServiceAccount,
} from '@gatehouse/testing/builders';
import fc from 'fast-check';
import { aClusterConfig } from './a-cluster-config.ts';

const { mesh } = aClusterConfig();

const namespace = fc.constantFrom('demo', 'demo', 'other');
/** Few, so that the one that a policy names often comes or goes. */
const account = fc.record(
  { namespace, name: fc.constantFrom('default', 'web', 'jobs') },
  { noNullPrototype: true },
);
const objectName = fc.constantFrom('a', 'b');
const exactly = account.map(({ namespace: own, name }) => [
  { kind: 'exact' as const, identity: identityOf(mesh, own, name) },
]);
const reference = account.map((named) => ({ kind: 'ServiceAccount' as const, ...named }));

const naming: fc.Arbitrary<KubeObject> = fc.record({ namespace, name: objectName }).chain((meta) =>
  fc.oneof(
    fc
      .oneof(
        account.map((named) => ({ serviceAccounts: [named] })),
        exactly.map((identities) => ({ identities })),
      )
      .map((source) => aNetworkAuthenticationPolicy({ ...meta, sources: [source] })),
    reference.map((ref) => anAuthorizationPolicy({ ...meta, authentications: [ref] })),
    reference.map((ref) => aMeshTlsAuthentication({ ...meta, identities: [], identityRefs: [ref] })),
    exactly.map((identities) => aMeshTlsAuthentication({ ...meta, identities })),
    fc.constant(anAuthorizationPolicy(meta)),
    account.map((one) =>
      aServerAuthorization({
        ...meta,
        networks: everywhere,
        clients: { kind: 'identities', identities: [], serviceAccounts: [one] },
      }),
    ),
  ),
);

/** Accounts, what runs under them, and the namespaces in which they are. */
const named: fc.Arbitrary<KubeObject> = fc.oneof(
  { weight: 4, arbitrary: account.map(aServiceAccount) },
  {
    weight: 4,
    arbitrary: fc
      .record({ account, name: objectName, ended: fc.boolean() })
      .map(({ account: { namespace: own, name: serviceAccount }, name, ended }) =>
        aPod({
          namespace: own,
          name,
          serviceAccount,
          labels: { app: 'backend' },
          phase: ended ? 'Succeeded' : 'Running',
        }),
      ),
  },
  { weight: 1, arbitrary: namespace.map((name) => aNamespace({ name })) },
  { weight: 1, arbitrary: namespace.map((own) => aServer({ namespace: own })) },
);

const applied = (object: KubeObject): Change => ({ type: 'apply', kind: object.kind, object }) as Change;
const deleted = ({ kind, meta }: KubeObject): Change => ({ type: 'delete', kind, ...meta }) as Change;

/** Policies that name ServiceAccounts, beside the accounts, pods and namespaces that come and go. */
export const anyNaming: fc.Arbitrary<Change> = fc.oneof(
  { weight: 5, arbitrary: naming.map(applied) },
  { weight: 1, arbitrary: naming.map(deleted) },
  { weight: 6, arbitrary: named.map(applied) },
  { weight: 5, arbitrary: named.map(deleted) },
  {
    weight: 1,
    arbitrary: fc.array(account.map(aServiceAccount), { maxLength: 2 }).map(
      (objects): Change => ({
        type: 'reset',
        kind: 'ServiceAccount',
        objects: [...new Map(objects.map((one) => [`${one.meta.namespace}/${one.meta.name}`, one])).values()],
      }),
    ),
  },
);
