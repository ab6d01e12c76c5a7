import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { isWireObject } from '@gatehouse/platform/kube/parse/fields';

/** The part of metadata that the server itself reads. */
export interface Meta {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string | null;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly WireObject[];
  readonly [field: string]: unknown;
}

/** The metadata of an object; {} where there is none. Whether its fields have their types is checked at the door. */
export const metaOf = (object: WireObject): Meta =>
  isWireObject(object.metadata) ? (object.metadata as Meta) : {};

/** The object with other metadata; a field set to undefined is taken away. */
export const withMeta = (
  object: WireObject,
  meta: { readonly [F in keyof Meta]?: Meta[F] | undefined },
): WireObject => {
  const metadata = Object.fromEntries(
    Object.entries({ ...metaOf(object), ...meta }).filter(([, value]) => value !== undefined),
  );
  return { ...object, metadata };
};

export const fieldsOf = (value: unknown): WireObject => (isWireObject(value) ? value : {});

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
