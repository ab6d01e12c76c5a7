import { GatehouseError } from '@gatehouse/core/error';
import type { KubeClient, KubeRequest } from '@gatehouse/platform/kube/client/client';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

interface Asked<T extends TSchema> {
  readonly path: string;
  readonly query?: KubeRequest['query'];
  readonly schema: T;
  readonly signal: AbortSignal;
}

/** What the API server has at a path; undefined where there is nothing. Throws what it says otherwise. */
export const getObject = async <T extends TSchema>(
  client: KubeClient,
  { path, query, schema, signal }: Asked<T>,
): Promise<Static<T> | undefined> => {
  const { status, body } = await client.request({ path, signal, ...(query === undefined ? {} : { query }) });
  if (status === 404) return undefined;
  const value: unknown = status === 200 ? JSON.parse(body.toString('utf8')) : undefined;
  if (Compile(schema).Check(value)) return value;
  throw new GatehouseError(
    status === 403 ? 'permission-denied' : status === 401 ? 'unauthenticated' : 'unavailable',
    `the API server ${client.server} answers ${status} to ${path}: ${sayStatus(body)}`,
  );
};

const sayStatus = (body: Buffer): string => {
  const text = body.toString('utf8');
  try {
    const status: unknown = JSON.parse(text);
    if (typeof status === 'object' && status !== null && 'message' in status) return `${status.message}`;
  } catch {
    // No Status: said as it is.
  }
  return text.trim().slice(0, 200);
};
