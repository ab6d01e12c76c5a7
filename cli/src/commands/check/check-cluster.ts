import { crdKind, groupOf, installedKinds } from '@gatehouse/manifests/installed-kinds';
import type { CheckContext } from './check-context.ts';
import { at, text } from './cluster-reader.ts';
import { type Check, failed, ok, warning } from './finding.ts';

/** Native sidecars (1.29) and a preStop hook that sleeps (1.30) are in what install and inject write. */
const oldestMinor = 30;

const kubernetesVersion: Check<CheckContext> = {
  name: 'Kubernetes version',
  run: async ({ cluster }) => {
    const version = await cluster.get('/version');
    const git = text(at(version, 'gitVersion'));
    const [, major = '0', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(git) ?? [];
    if (Number(major) === 1 && Number(minor) < oldestMinor)
      return failed(
        `the API server is Kubernetes ${git}`,
        `upgrade it to 1.${oldestMinor} or newer: older ones refuse a preStop hook that sleeps, which install writes`,
      );
    return git === ''
      ? warning('the API server does not say its version', 'see kubectl version')
      : ok(`the API server is Kubernetes ${git}`);
  },
};

/** What `gatehouse install | kubectl apply` creates. */
const created = [crdKind, ...installedKinds.toReversed()];

export const permissions: Check<CheckContext> = {
  name: 'Permissions to install',
  run: async ({ cluster, namespace }) => {
    const may = await Promise.all(
      created.map((kind) =>
        cluster.may({
          group: groupOf(kind),
          resource: kind.plural,
          verb: 'create',
          ...(kind.scope === 'Cluster' ? {} : { namespace }),
        }),
      ),
    );
    const missing = created.flatMap((kind, index) =>
      may[index] === true ? [] : [[kind.plural, groupOf(kind)].filter((part) => part !== '').join('.')],
    );
    if (missing.length === 0)
      return ok(`you may create all that install prints, in the namespace ${namespace}`);
    return failed(
      `you may not create ${missing.join(', ')}`,
      'ask a cluster-admin to apply it; gatehouse install --crds and --skip-crds print the parts',
    );
  },
};

const gatewayApi: Check<CheckContext> = {
  name: 'Gateway API',
  run: async ({ cluster }) => {
    const names = ['httproutes', 'grpcroutes'];
    const found = await Promise.all(
      names.map((plural) => cluster.get(`${crdPath}/${plural}.gateway.networking.k8s.io`)),
    );
    const absent = names.filter((_, index) => found[index] === undefined);
    return absent.length === 0
      ? ok('HTTPRoutes and GRPCRoutes of the Gateway API are installed')
      : ok(
          `${absent.join(' and ')} of gateway.networking.k8s.io are not installed: those of policy.linkerd.io work without`,
        );
  },
};

export const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export const clusterChecks: readonly Check<CheckContext>[] = [kubernetesVersion, gatewayApi];
