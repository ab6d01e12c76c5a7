import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import { Type } from 'typebox';
import { getObject } from '../../reach/get-object.ts';
import { listObjects } from '../../reach/list-objects.ts';

const Item = Type.Record(Type.String(), Type.Unknown());

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
    return this.#once(`get ${path}`, () =>
      getObject(this.client, { path, schema: Item, signal: this.signal }),
    );
  }

  /** Undefined where the kind is not served. */
  list(path: string, labelSelector?: string): Promise<readonly WireObject[] | undefined> {
    return this.#once(`list ${path} ${labelSelector ?? ''}`, () =>
      listObjects(this.client, { path, labelSelector, schema: Item, signal: this.signal }),
    );
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
}

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
