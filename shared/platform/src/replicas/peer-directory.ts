import { GatehouseError } from '@gatehouse/core/error';
import type { EndpointSliceSpec } from '@gatehouse/core/resources/kinds/kubernetes';
import type { KubeClient } from '../kube/client/client.ts';
import { isWireObject } from '../kube/parse/fields.ts';
import { readObject } from '../kube/read-object.ts';
import { within } from '../process/within.ts';
import { findPeers, type Peer } from './find-peers.ts';

export interface PeerDirectoryOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** The Service whose pods are our replicas. */
  readonly service: string;
  /** The name of our own pod. */
  readonly self: string;
  /** Where replicas answer when the Service has no port named `admin`. */
  readonly adminPort: number;
  /** How long a list is good. Default: 3 s. */
  readonly keepMs?: number;
  /** How long one list may take. Default: 2 s. */
  readonly timeoutMs?: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export type FoundPeers =
  | { readonly kind: 'known'; readonly peers: readonly Peer[] }
  /** The last that were known, none at first, and why there is no newer list. */
  | { readonly kind: 'unsure'; readonly peers: readonly Peer[]; readonly reason: string };

/**
 * Who the other replicas are, asked of the API server on demand: a question in minutes is no reason
 * for a watch, and identity has none where it asks about tokens. All who ask within seconds share one list, a failed one
 * too. Needs `list` on endpointslices in its namespace.
 */
export class PeerDirectory {
  readonly #options: PeerDirectoryOptions;
  readonly #end = new AbortController();
  #last: FoundPeers = { kind: 'known', peers: [] };
  #current: { readonly found: Promise<FoundPeers>; readonly until: number } | undefined;

  constructor(options: PeerDirectoryOptions) {
    this.#options = options;
  }

  /** The last that were known, without asking anybody. */
  get last(): FoundPeers {
    return this.#last;
  }

  find(): Promise<FoundPeers> {
    const { now, keepMs = 3_000 } = this.#options;
    if (this.#current === undefined || this.#current.until <= now()) {
      this.#current = { found: this.#ask(), until: now() + keepMs };
    }
    return this.#current.found;
  }

  close(): void {
    this.#end.abort(new GatehouseError('cancelled', 'the service ends'));
  }

  async #ask(): Promise<FoundPeers> {
    const { self, adminPort } = this.#options;
    try {
      this.#last = { kind: 'known', peers: findPeers(await this.#list(), { self, adminPort }) };
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.#last = { kind: 'unsure', peers: this.#last.peers, reason };
    }
    return this.#last;
  }

  async #list(): Promise<readonly EndpointSliceSpec[]> {
    const { client, namespace, service, timeoutMs = 2_000 } = this.#options;
    const late = (): GatehouseError =>
      new GatehouseError('unavailable', `${client.server} did not list them within ${timeoutMs} ms`);
    const question = {
      path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      query: { labelSelector: `kubernetes.io/service-name=${service}` },
    };
    const { status, body } = await within({ ms: timeoutMs, signal: this.#end.signal, late }, (signal) =>
      client.request({ ...question, signal }),
    );
    if (status !== 200) {
      const fix = status === 403 ? ': grant list on endpointslices of discovery.k8s.io' : '';
      throw new GatehouseError(
        'unavailable',
        `the API server answered ${status} when asked for the EndpointSlices of ${namespace}/${service}${fix}`,
      );
    }
    return readSlices(body);
  }
}

const readSlices = (body: Buffer): readonly EndpointSliceSpec[] => {
  const list: unknown = JSON.parse(body.toString());
  const items = isWireObject(list) && Array.isArray(list.items) ? list.items : undefined;
  if (items === undefined) throw new GatehouseError('unavailable', 'the API server answered with no list');
  return items.flatMap((item) => {
    const read = isWireObject(item) ? readObject('EndpointSlice', item) : undefined;
    return read?.outcome === 'read' ? [read.object.spec as EndpointSliceSpec] : [];
  });
};
