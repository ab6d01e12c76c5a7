import { GatehouseError } from '@gatehouse/core/error';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';

/** Pages keep an answer about thousands of pods from being one of megabytes. */
const pageSize = 500;

/** Reads of the API server, each once: checks ask for the same things. */
export class ClusterReader {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
  readonly #read = new Map<string, Promise<unknown>>();

  constructor(client: KubeClient, signal: AbortSignal) {
    this.client = client;
    this.signal = signal;
  }

  /** Undefined where there is nothing. Throws what the API server says otherwise. */
  get(path: string): Promise<WireObject | undefined> {
    return this.#once(`get ${path}`, () => this.#ask(path, {}));
  }

  /** Undefined where the kind is not served. */
  list(path: string, labelSelector?: string): Promise<readonly WireObject[] | undefined> {
    return this.#once(`list ${path} ${labelSelector ?? ''}`, async () => {
      const items: WireObject[] = [];
      let next: string | undefined;
      do {
        const page = await this.#ask(path, { labelSelector, limit: pageSize, continue: next });
        if (page === undefined) return undefined;
        if (Array.isArray(page.items)) items.push(...page.items.filter(isWireObject));
        const mark = isWireObject(page.metadata) ? page.metadata.continue : undefined;
        next = typeof mark === 'string' && mark !== '' ? mark : undefined;
      } while (next !== undefined);
      return items;
    });
  }

  /** Whether the caller may do this; `namespace` left out = in the whole cluster. */
  async may(resourceAttributes: {
    readonly group: string;
    readonly resource: string;
    readonly verb: string;
    readonly namespace?: string;
  }): Promise<boolean> {
    const { body } = await this.client.request({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes },
      },
      changesNothing: true,
      signal: this.signal,
    });
    const answer: unknown = JSON.parse(body.toString('utf8'));
    return isWireObject(answer) && isWireObject(answer.status) && answer.status.allowed === true;
  }

  #once<T>(key: string, read: () => Promise<T>): Promise<T> {
    const known = this.#read.get(key) as Promise<T> | undefined;
    const answer = known ?? read();
    this.#read.set(key, answer);
    return answer;
  }

  async #ask(
    path: string,
    query: Readonly<Record<string, string | number | undefined>>,
  ): Promise<WireObject | undefined> {
    const { status, body } = await this.client.request({ path, query, signal: this.signal });
    if (status === 404) return undefined;
    const value = readJson(body);
    if (status === 200 && isWireObject(value)) return value;
    const said =
      isWireObject(value) && typeof value.message === 'string' ? value.message : 'without a reason';
    throw new GatehouseError(
      status === 403 ? 'permission-denied' : 'unavailable',
      `the API server answers ${status} to ${path}: ${said}`,
    );
  }
}

const readJson = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
};

/** A member of an object at a path, undefined where there is none. */
export const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((inner, key) => {
    if (Array.isArray(inner)) return inner[Number(key)];
    return isWireObject(inner) ? inner[String(key)] : undefined;
  }, value);

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export const items = (value: unknown): readonly WireObject[] =>
  Array.isArray(value) ? value.filter(isWireObject) : [];

export const nameOf = (object: WireObject): string => text(at(object, 'metadata', 'name'));
export const namespaceOf = (object: WireObject): string => text(at(object, 'metadata', 'namespace'));
