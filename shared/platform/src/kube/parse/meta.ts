import type { Labels } from '@gatehouse/core/label-selector';
import {
  defaultInboundPolicyAnnotation,
  injectAnnotation,
  isReadAnnotation,
} from '@gatehouse/core/resources/annotations';
import type { ObjectMeta } from '@gatehouse/core/resources/kinds';
import { intern, internValue } from '../intern.ts';
import { bytesOf, fits } from './budget.ts';
import { describe, type Fields, isWireObject } from './fields.ts';
import { readTime } from './time.ts';

interface TextsReader {
  readonly keep: (key: string) => boolean;
  /** What counts when there is something, and it cannot be read. */
  readonly unreadable: Labels;
  /** How much may be kept; more cannot be read. */
  readonly budget?: 'annotationBytes';
}

const labelsReader: TextsReader = { keep: () => true, unreadable: {} };

/** Annotations that nobody can read may have said `deny`, and asked for a proxy, so that is what they say. */
const annotationsReader: TextsReader = {
  keep: isReadAnnotation,
  unreadable: { [defaultInboundPolicyAnnotation]: 'deny', [injectAnnotation]: 'enabled' },
  budget: 'annotationBytes',
};

/**
 * Labels or annotations. Kubernetes refuses a value that is not text; a manifest that says `quarantine: true` means the
 * text, and dropping the label could open what a selector closes: so scalars are read as text, with a problem noted.
 */
const readTexts = (
  fields: Fields,
  name: string,
  { keep, unreadable, budget, onUnreadable }: TextsReader & { readonly onUnreadable: () => void },
): Labels => {
  const value = fields.raw(name);
  if (value === undefined) return {};
  if (!isWireObject(value)) {
    fields.refuse(name, `${describe(value)} is not an object`, 'write names and texts');
    onUnreadable();
    return unreadable;
  }
  const kept = Object.entries(value).filter(([key]) => keep(key));
  if (budget !== undefined && !fits(fields, budget, { name, size: sizeOf(kept) })) {
    onUnreadable();
    return unreadable;
  }
  const texts: Record<string, string> = {};
  for (const [key, text] of kept) {
    if (text === null) texts[intern(key)] = '';
    else if (typeof text === 'string') texts[intern(key)] = intern(text);
    else {
      const asText = typeof text === 'object' ? JSON.stringify(text) : String(text);
      if (typeof text === 'object') onUnreadable();
      fields.refuse(
        `${name}[${key}]`,
        `${describe(text)} is not text`,
        `read as "${asText}": put it in quotes`,
      );
      texts[intern(key)] = asText;
    }
  }
  return texts;
};

const sizeOf = (texts: readonly (readonly [string, unknown])[]): number => {
  let size = 0;
  for (const [key, text] of texts) size += bytesOf(key) + (typeof text === 'string' ? bytesOf(text) : 0);
  return size;
};

const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const label = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

/** Whether Kubernetes takes the text as an object's name: an RFC 1123 subdomain. */
export const isObjectName = (text: string): boolean => text.length <= 253 && subdomain.test(text);
/** A namespace's name is one RFC 1123 label: no dot, or an identity could be read two ways. */
export const isNamespaceName = (text: string): boolean => text.length <= 63 && label.test(text);

/** The fields that may be there without being readable, so that what they say is not known. */
export type MetaField = 'labels' | 'annotations' | 'creationTimestamp' | 'deletionTimestamp';

export interface ReadMeta {
  readonly meta: ObjectMeta;
  readonly unread: readonly MetaField[];
}

/**
 * Reads the metadata that services use. The problems are warnings: a field that cannot be read has a safe reading, here
 * or with those who look at `unread`. Undefined only when the name or namespace is missing or not a text, since then
 * nobody can say which object this is.
 */
export const readMeta = (fields: Fields, namespaced: boolean): ReadMeta | undefined => {
  if (!fields.need('name', 'give the object a name')) return undefined;
  const name = fields.text('name');
  // An empty one is what a chart writes for none, and the API server's clients take it for `default`.
  const namespace = namespaced && fields.has('namespace') ? fields.text('namespace') : '';
  if (name === undefined || namespace === undefined) return undefined;
  const unread: MetaField[] = [];
  const time = (field: MetaField): number | undefined => {
    const read = readTime(fields, field);
    if (read === undefined && fields.has(field)) unread.push(field);
    return read;
  };
  const texts = (field: 'labels' | 'annotations', reader: TextsReader): Labels =>
    readTexts(fields, field, { ...reader, onUnreadable: () => unread.push(field) });
  const createdAt = time('creationTimestamp') ?? 0;
  const deletedAt = time('deletionTimestamp') ?? (unread.includes('deletionTimestamp') ? 0 : undefined);
  const meta: ObjectMeta = {
    namespace: namespaced ? intern(namespace || 'default') : '',
    name,
    uid: fields.text('uid') ?? '',
    createdAt,
    ...(deletedAt === undefined ? {} : { deletedAt }),
    labels: texts('labels', labelsReader),
    annotations: internValue(texts('annotations', annotationsReader)),
  };
  const deciding = unread.filter((field) => field === 'labels' || field === 'annotations');
  return {
    meta: deciding.length === 0 ? meta : { ...meta, unreadTexts: deciding },
    unread: unread.length === 0 ? nothingUnread : unread,
  };
};

const nothingUnread: readonly MetaField[] = [];
