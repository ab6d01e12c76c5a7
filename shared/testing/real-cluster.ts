import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { type KubeClient, type KubeRequest, openKubeClient } from '@gatehouse/platform/kube/client/client';
import { kindOf, rowOf } from '@gatehouse/platform/kube/kind-table';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { parse } from 'yaml';
import { type RealApiServer, type RealApiServerOptions, startRealApiServer } from './real-api-server.ts';

export type { WireObject } from '@gatehouse/platform/kube/parse/fields';

/** Our CustomResourceDefinitions, as they are shipped. */
const crdFolder = new URL('../../deploy/crds/generated/', import.meta.url);

/** A test does not wait longer for one answer. */
const answerWithinMs = 60_000;

interface Place {
  /** `/apis/policy.linkerd.io/v1beta3` */
  readonly api: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** What tests write that no service watches. */
const unwatched: Readonly<Record<string, Omit<Place, 'api'>>> = {
  'apiextensions.k8s.io/CustomResourceDefinition': {
    plural: 'customresourcedefinitions',
    namespaced: false,
  },
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': {
    plural: 'mutatingwebhookconfigurations',
    namespaced: false,
  },
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': {
    plural: 'validatingwebhookconfigurations',
    namespaced: false,
  },
  '/ConfigMap': { plural: 'configmaps', namespaced: true },
  '/Secret': { plural: 'secrets', namespaced: true },
  'apps/Deployment': { plural: 'deployments', namespaced: true },
  'batch/Job': { plural: 'jobs', namespaced: true },
  'networking.k8s.io/NetworkPolicy': { plural: 'networkpolicies', namespaced: true },
  'policy/PodDisruptionBudget': { plural: 'poddisruptionbudgets', namespaced: true },
  'rbac.authorization.k8s.io/ClusterRole': { plural: 'clusterroles', namespaced: false },
  'rbac.authorization.k8s.io/ClusterRoleBinding': { plural: 'clusterrolebindings', namespaced: false },
  'rbac.authorization.k8s.io/Role': { plural: 'roles', namespaced: true },
  'rbac.authorization.k8s.io/RoleBinding': { plural: 'rolebindings', namespaced: true },
};

/** A ServiceAccount. */
export interface AccountName {
  readonly namespace: string;
  readonly name: string;
}

/** What a cluster stands on: how it is reached, and its end. */
export type ClusterServer = Pick<RealApiServer, 'kubeconfig' | 'stop'>;

/**
 * A cluster that is only its API server, with our CRDs installed: whatever controllers and kubelets do, the test does.
 * The server is a real one unless it says otherwise.
 */
export class RealCluster<S extends ClusterServer = RealApiServer> implements AsyncDisposable {
  readonly server: S;
  readonly client: KubeClient;

  private constructor(server: S, client: KubeClient) {
    this.server = server;
    this.client = client;
  }

  /** Starts the binaries of the folder `assets`, installs the CRDs and waits until they are served. */
  static async start(assets: string, options: RealApiServerOptions = {}): Promise<RealCluster> {
    return RealCluster.on(await startRealApiServer(assets, options));
  }

  /** The same on any API server, which ends with the cluster. */
  static async on<S extends ClusterServer>(server: S): Promise<RealCluster<S>> {
    try {
      const cluster = new RealCluster(server, await openKubeClient({ kubeconfig: server.kubeconfig }));
      await cluster.#installCrds();
      return cluster;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Makes the object, or makes it what it says (server-side apply). Returns what the server has of it now. */
  apply(object: WireObject): Promise<WireObject> {
    return this.#patch(pathOf(object), object);
  }

  /** The same for an object that the server may refuse by its schema: then undefined, and there is no such object. */
  async applyIfValid(object: WireObject): Promise<WireObject | undefined> {
    const made = await this.#ask(applying(pathOf(object), object), (status) => status === 422);
    return made.kind === 'Status' ? undefined : made;
  }

  /** Installs definitions beside ours, and waits until they are served. */
  async install(...crds: readonly WireObject[]): Promise<void> {
    for (const crd of crds) await this.apply(crd);
    for (const crd of crds) await this.#untilServed(crd);
  }

  /** What kubelet or a controller would report. */
  setStatus(object: WireObject): Promise<WireObject> {
    return this.#patch(`${pathOf(object)}/status`, object);
  }

  /** At once, without the grace that a kubelet would need; what is gone already is gone. */
  async remove(object: WireObject): Promise<void> {
    const path = pathOf(object);
    const request = { method: 'DELETE', path, body: { gracePeriodSeconds: 0 } } as const;
    await this.#ask(request, (status) => status === 404);
  }

  /** All objects of a kind in a namespace, in one list. */
  async list(kind: Kind, namespace: string): Promise<readonly WireObject[]> {
    const { group, versions, plural } = rowOf(kind);
    const api = group === '' ? `/api/${versions[0]}` : `/apis/${group}/${versions[0]}`;
    const { items } = await this.ask({ path: `${api}/namespaces/${namespace}/${plural}` });
    return items as readonly WireObject[];
  }

  /** A token as kubelet projects it: of the pod's ServiceAccount, for one audience, bound to the pod. */
  token(pod: WireObject, audience: string): Promise<string> {
    const { name, namespace, uid } = metaOf(pod);
    const account = String((pod.spec as WireObject).serviceAccountName);
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid };
    return this.#requestToken({ namespace, name: account }, { audiences: [audience], boundObjectRef });
  }

  /** A token as `kubectl create token` gets it; without an audience it is for the API server. */
  accountToken(account: AccountName, ...audiences: readonly string[]): Promise<string> {
    return this.#requestToken(account, { audiences });
  }

  /** One call; throws with what the server said unless it was done. */
  ask(request: Omit<KubeRequest, 'signal'>): Promise<WireObject> {
    return this.#ask(request, () => false);
  }

  /** How the API server is reached with a token of one's own, as the text of a kubeconfig. */
  async kubeconfigWith(token: string): Promise<string> {
    const config = parse(await readFile(this.server.kubeconfig, 'utf8')) as WireObject;
    const [user] = config.users as readonly WireObject[];
    return JSON.stringify({ ...config, users: [{ ...user, user: { token } }] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.server.stop();
  }

  async #requestToken({ namespace, name }: AccountName, spec: WireObject): Promise<string> {
    const answer = await this.ask({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 3_600, ...spec },
      },
    });
    return String((answer.status as WireObject).token);
  }

  async #ask(request: Omit<KubeRequest, 'signal'>, isFine: (status: number) => boolean): Promise<WireObject> {
    const signal = AbortSignal.timeout(answerWithinMs);
    const { status, body } = await this.client.request({ ...request, signal });
    if ((status < 200 || status > 299) && !isFine(status)) {
      throw new Error(`${request.method ?? 'GET'} ${request.path}: ${status} ${body.toString()}`);
    }
    return JSON.parse(body.toString()) as WireObject;
  }

  #patch(path: string, body: WireObject): Promise<WireObject> {
    return this.ask(applying(path, body));
  }

  async #installCrds(): Promise<void> {
    const files = (await readdir(crdFolder)).filter((name) => name.endsWith('.yaml'));
    if (files.length === 0) throw new Error(`${crdFolder.pathname} holds no CRDs`);
    const crds = await Promise.all(
      files.map(async (name) => parse(await readFile(new URL(name, crdFolder), 'utf8')) as WireObject),
    );
    await this.install(...crds);
  }

  /** A CRD is established a while after it was taken in; what is listed before that is a 404. */
  async #untilServed(crd: WireObject): Promise<void> {
    const spec = crd.spec as {
      readonly group: string;
      readonly names: { readonly plural: string };
      readonly versions: readonly { readonly name: string; readonly served: boolean }[];
    };
    const deadline = AbortSignal.timeout(answerWithinMs);
    for (const { name } of spec.versions.filter(({ served }) => served)) {
      const path = `/apis/${spec.group}/${name}/${spec.names.plural}`;
      const served = async (): Promise<boolean> =>
        (await this.client.request({ path, signal: deadline })).status === 200;
      while (!(await served())) await sleep(50);
    }
  }
}

/** Server-side apply; without `force` a field that another client set would be a conflict. */
const applying = (path: string, body: WireObject): Omit<KubeRequest, 'signal'> => ({
  method: 'PATCH',
  path,
  query: { fieldManager: 'gatehouse-test', force: true },
  contentType: 'application/apply-patch+yaml',
  body,
});

const metaOf = (
  object: WireObject,
): { readonly name: string; readonly namespace: string; readonly uid: string } => {
  const {
    name = '',
    namespace = 'default',
    uid = '',
  } = object.metadata as Record<string, string | undefined>;
  return { name, namespace, uid };
};

const placeOf = ({ apiVersion, kind }: WireObject): Place => {
  const parts = String(apiVersion).split('/');
  const group = parts.length === 1 ? '' : String(parts[0]);
  const api = group === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
  const watched = kindOf(group, String(kind));
  const place = watched === undefined ? unwatched[`${group}/${kind}`] : rowOf(watched);
  if (place === undefined) throw new TypeError(`no test writes ${apiVersion} ${kind} yet: add its plural`);
  return { api, plural: place.plural, namespaced: place.namespaced };
};

const pathOf = (object: WireObject): string => {
  const { api, plural, namespaced } = placeOf(object);
  const { name, namespace } = metaOf(object);
  return namespaced ? `${api}/namespaces/${namespace}/${plural}/${name}` : `${api}/${plural}/${name}`;
};
