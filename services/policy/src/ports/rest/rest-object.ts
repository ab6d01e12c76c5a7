import type { Meta } from '@gatehouse/core/inbound/inbound-server';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { kindTable } from '@gatehouse/platform/kube/kind-table';
import { type TSchema, Type } from 'typebox';
import type { ObjectRef } from '../../core/inbound/model.ts';

export const nullable = <T extends TSchema>(schema: T, options = {}) =>
  Type.Union([schema, Type.Null()], options);

/** One of some words, each with its meaning: a word that is added to the union must be added here too. */
export const wordOf = <W extends string>(meanings: Readonly<Record<W, string>>) =>
  Type.Unsafe<W>({
    type: 'string',
    enum: Object.keys(meanings),
    description: Object.entries(meanings)
      .map(([word, meaning]) => `\`${word}\`: ${meaning}`)
      .join('; '),
  });

/** An object as its manifest names it. */
export const ObjectName = Type.Object({
  group: Type.String({ description: 'Empty for the kinds of Kubernetes itself' }),
  kind: Type.String(),
  namespace: Type.String(),
  name: Type.String(),
});
export type ObjectName = Type.Static<typeof ObjectName>;

export const objectName = ({ kind, namespace, name }: ObjectRef): ObjectName => {
  const { group, wireKind } = kindTable[kind];
  return { group, kind: wireKind, namespace, name };
};

/** What stands behind an authorization or a route. */
export const Behind = Type.Union([
  Type.Object({ kind: Type.Literal('object'), object: ObjectName }),
  Type.Object({
    kind: Type.Literal('default'),
    name: Type.String({
      description:
        'A default policy, or what Gatehouse adds: `probe`, `rules`, `unnormalized-path`, `default`',
    }),
  }),
]);
export type Behind = Type.Static<typeof Behind>;

const kinds = new Map(
  (Object.keys(kindTable) as readonly Kind[]).map((kind) => {
    const { group, wireKind } = kindTable[kind];
    return [`${group}/${wireKind.toLowerCase()}`, kind];
  }),
);

/** Proxies are told of resources by group and kind, the latter in lower case as a rule; all are of the pod's namespace. */
export const behind = (meta: Meta, namespace: string): Behind => {
  if (meta.kind === 'default') return { kind: 'default', name: meta.name };
  const { group, kind: written, name } = meta.resource;
  const kind = kinds.get(`${group}/${written.toLowerCase()}`);
  return {
    kind: 'object',
    object:
      kind === undefined ? { group, kind: written, namespace, name } : objectName({ kind, namespace, name }),
  };
};
