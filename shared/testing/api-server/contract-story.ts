import { fieldsOf, listOf, metaOf } from '@gatehouse/dev/api-server/object-meta';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { Client, Heard, ServerAddress } from './client.ts';

/** A server that the suite talks to, and how to end it. */
export type OpenedServer = ServerAddress & { readonly stop: () => Promise<void> };

/** What the suite's tests are told by: a namespace of their own, and its client. */
export interface Story extends Client {
  readonly configMaps: string;
  readonly events: string;
  readonly leases: string;
  readonly pods: string;
  readonly tops: string;
}

export const aPod = (name: string, more: WireObject = {}): WireObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }], ...more },
});
export const aTop = (name: string, spec: unknown): WireObject => ({
  apiVersion: 'ex.io/v1',
  kind: 'Top',
  metadata: { name },
  spec,
});
export const aConfigMap = (name: string, more: WireObject = {}): WireObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...fieldsOf(more.metadata) },
  ...(more.data === undefined ? {} : { data: more.data }),
});
export const merge = { 'content-type': 'application/merge-patch+json' };
export const apply = { 'content-type': 'application/apply-patch+yaml' };

export const said = ({ code, body }: Heard): readonly unknown[] => [code, body.reason, body.message];
export const names = ({ body }: Heard): readonly unknown[] =>
  listOf(body.items).map((item) => metaOf(fieldsOf(item)).name);
export const causes = ({ body }: Heard): readonly string[] =>
  listOf(fieldsOf(body.details).causes)
    .map(fieldsOf)
    // The real server adds this one when a schema has CEL rules and the object was too broken to ask them.
    .filter(({ message }) => !`${message}`.includes('some validation rules were not checked'))
    .map(({ reason, field, message }) => `${reason} ${field} ${message}`)
    .sort();

/** Tells one story in a namespace of its own. */
export type TellStory = (tell: (story: Story) => Promise<void>) => Promise<void>;
