import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { type Static, type TSchema, Type } from 'typebox';
import { getObject } from './get-object.ts';

/** Pages keep an answer about thousands of objects from being one of megabytes. */
const pageSize = '500';

interface Listed<T extends TSchema> {
  readonly path: string;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Of one item. */
  readonly schema: T;
  readonly signal: AbortSignal;
}

/** All objects of a list, page by page; undefined where the kind is not served. Throws what the API server says otherwise. */
export const listObjects = async <T extends TSchema>(
  client: KubeClient,
  { path, labelSelector, fieldSelector, schema, signal }: Listed<T>,
): Promise<readonly Static<T>[] | undefined> => {
  const Page = Type.Object({
    metadata: Type.Optional(Type.Object({ continue: Type.Optional(Type.String()) })),
    items: Type.Array(schema),
  });
  const items: Static<T>[] = [];
  let next: string | undefined;
  do {
    const query = { limit: pageSize, labelSelector, fieldSelector, continue: next };
    const page: Static<typeof Page> | undefined = await getObject(client, {
      path,
      query,
      schema: Page,
      signal,
    });
    if (page === undefined) return undefined;
    items.push(...page.items);
    next = page.metadata?.continue;
  } while (next !== undefined && next !== '');
  return items;
};
