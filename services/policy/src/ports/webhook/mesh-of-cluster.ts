import { createHash } from 'node:crypto';
import { asGatehouseError, GatehouseError } from '@gatehouse/core/error';
import type { InjectingMesh } from '@gatehouse/core/injection/inject-pod';
import {
  defaultProxySettings,
  type ProxySettings,
  parseProxySettings,
} from '@gatehouse/core/injection/proxy-settings';
import { type Parsed, parsed, printProblem, problem } from '@gatehouse/core/problem';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { NamedObject } from '@gatehouse/platform/kube/watch/named-object';
import type { Log } from '@gatehouse/platform/log/log';
import { readPemBundle } from '@gatehouse/platform/tls/pem-bundle';

export interface MeshOfClusterOptions {
  readonly client: KubeClient;
  /** The control plane's. */
  readonly namespace: string;
  readonly trustDomain: string;
  readonly clusterDomain: string;
  readonly log: Log;
}

/** Follows what injection needs to know of the mesh: two ConfigMaps of the control plane's namespace. */
export class MeshOfCluster {
  readonly #options: MeshOfClusterOptions;
  readonly #settings: NamedObject;
  readonly #anchors: NamedObject;
  #read: ProxySettings | undefined;
  #trust: InjectingMesh['trustAnchors'] | undefined;

  constructor(options: MeshOfClusterOptions) {
    this.#options = options;
    const { client, namespace, log } = options;
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const follow = (name: string, key: string, take: (text: string | undefined) => void): NamedObject =>
      new NamedObject({ client, path, name, log, onState: (object) => take(dataOf(object, key)) });
    this.#settings = follow('gatehouse-config', 'proxy.json', (text) => this.#takeSettings(text));
    this.#anchors = follow('gatehouse-trust-roots', 'ca-bundle.crt', (text) => this.#takeAnchors(text));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#settings.run(signal), this.#anchors.run(signal)]);
  }

  /** Throws `unavailable` while it is not known: the failure policy decides then. */
  get mesh(): InjectingMesh {
    const { namespace } = this.#options;
    if (this.#read === undefined)
      throw new GatehouseError(
        'unavailable',
        `ConfigMap ${namespace}/gatehouse-config has not been read yet`,
      );
    if (this.#trust === undefined)
      throw new GatehouseError(
        'unavailable',
        `ConfigMap ${namespace}/gatehouse-trust-roots holds no trust anchors yet`,
      );
    return { settings: this.#read, trustAnchors: this.#trust, createdBy: 'gatehouse/webhook' };
  }

  /** Why pods cannot be injected, each a sentence. */
  warnings(): readonly string[] {
    try {
      void this.mesh;
      return [];
    } catch (error) {
      return [`pods cannot be injected: ${asGatehouseError(error).message}`];
    }
  }

  /** What cannot be read leaves what was read before: proxies would get another mesh's names otherwise. */
  #takeSettings(text: string | undefined): void {
    const { namespace, trustDomain, clusterDomain, log } = this.#options;
    const own = { ...defaultProxySettings, controlPlaneNamespace: namespace, trustDomain, clusterDomain };
    const settings = text === undefined ? parsed(own) : parseText(text);
    if (settings.ok) this.#read = settings.value;
    else
      log.error(
        { problems: settings.problems.map(printProblem) },
        'ConfigMap gatehouse-config: proxy.json cannot be read',
      );
  }

  /** Handed on as it was read: what else the text holds, a key perhaps, has no business in a pod. */
  #takeAnchors(text: string | undefined): void {
    if (text === undefined) return;
    const bundle = readPemBundle(text);
    if (!bundle.ok) {
      this.#options.log.error(
        { problems: bundle.problems.map(printProblem) },
        'ConfigMap gatehouse-trust-roots: ca-bundle.crt cannot be read',
      );
      return;
    }
    const { pem } = bundle.value;
    this.#trust = { pem, sha256: createHash('sha256').update(pem).digest('hex') };
  }
}

const dataOf = (object: WireObject | undefined, key: string): string | undefined => {
  const value = ((object?.data ?? {}) as WireObject)[key];
  return typeof value === 'string' ? value : undefined;
};

const parseText = (text: string): Parsed<ProxySettings> => {
  try {
    return parseProxySettings(JSON.parse(text), 'proxy.json');
  } catch (error) {
    return problem(
      'proxy.json',
      `is not JSON (${(error as Error).message})`,
      'apply what `gatehouse install` prints',
    );
  }
};
