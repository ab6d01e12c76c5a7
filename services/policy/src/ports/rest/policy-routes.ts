import { GatehouseError } from '@gatehouse/core/error';
import { printable } from '@gatehouse/core/foreign-text';
import { nearestWord } from '@gatehouse/core/nearest-word';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { AdminApp } from '@gatehouse/platform/admin/admin-server';
import { namespaceQuery, pageOf, pageQuery } from '@gatehouse/platform/http/page';
import { permittedPage } from '@gatehouse/platform/http/permitted';
import { kindTable } from '@gatehouse/platform/kube/kind-table';
import { Type } from 'typebox';
import { isForServers } from '../../core/judgement/judge.ts';
import { type Judged, type JudgedKind, type Judgement, judgedKinds } from '../../core/judgement/judgement.ts';
import { Turns } from '../turns.ts';
import { PolicyItem, policyItem } from './rest-judgement.ts';

/** What there is to say of policy objects. */
export interface KnownJudgements {
  readonly index: ResourceIndex;
  readonly judge: (object: Judged) => Judgement | undefined;
}

const access = { reads: 'authorizations' } as const;

/** In the order of a list: by namespace, kind and name. */
export const judgedKey = ({ kind, meta }: Judged): string => `${meta.namespace}/${kind}/${meta.name}`;

/** Every object that is judged, of one namespace or of all. */
export function* judgedObjects(
  { index }: Pick<KnownJudgements, 'index'>,
  namespace: string | undefined,
): Generator<Judged> {
  for (const kind of judgedKinds) {
    const objects = (
      namespace === undefined ? index.all(kind) : index.in(kind, namespace).values()
    ) as Iterable<Judged>;
    for (const object of objects) if (isForServers(object)) yield object;
  }
}

/** What became of every policy object. */
export const judgementRoutes =
  (known: KnownJudgements, settled: () => void) =>
  (app: AdminApp): void => {
    app.get(
      '/v1/policies',
      {
        config: { access },
        schema: {
          summary:
            'Every policy object: how much of what it says is in force, and what its author should know',
          querystring: Type.Object({ ...pageQuery, ...namespaceQuery }),
          response: { 200: pageOf(PolicyItem) },
        },
      },
      async (request) => {
        settled();
        const { query } = request;
        const page = await permittedPage(request, judgedObjects(known, query.namespace), {
          keyOf: judgedKey,
          namespaceOf: ({ meta }) => meta.namespace,
          query,
        });
        return { ...page, items: await policyItems(page.items, known, request.signal) };
      },
    );

    app.get(
      '/v1/policies/:namespace/:kind/:name',
      {
        config: { access },
        schema: {
          summary: 'One policy object, and what became of it',
          params: Type.Object({
            namespace: Type.String(),
            kind: Type.String({ description: 'As manifests have it, in any case' }),
            name: Type.String(),
          }),
          querystring: Type.Object({
            group: Type.Optional(
              Type.String({ description: 'Needed where an HTTPRoute of this name is in two groups' }),
            ),
          }),
          response: { 200: PolicyItem },
        },
      },
      async ({ params, query }) => {
        settled();
        const object = findJudged(known.index, { ...params, group: query.group });
        const judgement = known.judge(object);
        if (judgement !== undefined) return policyItem(object, judgement);
        throw new GatehouseError(
          'not-found',
          `${object.kind} ${params.namespace}/${params.name} is for clients of a Service, and not judged here`,
        );
      },
    );
  };

/** In slices: some may have to be judged first. */
export const policyItems = async (
  objects: Iterable<Judged>,
  { judge }: KnownJudgements,
  signal?: AbortSignal,
): Promise<PolicyItem[]> => {
  const turns = new Turns(signal);
  const items: PolicyItem[] = [];
  for (const object of objects) {
    const judgement = judge(object);
    if (judgement !== undefined) items.push(policyItem(object, judgement));
    await turns.next();
  }
  return items;
};

export interface Named {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly group: string | undefined;
}

/** Throws when the kind is not one that is judged, and when the object does not exist. */
export const findJudged = (index: ResourceIndex, { namespace, kind, name, group }: Named): Judged => {
  const found = meantKinds({ kind, group }).flatMap(
    (each) => (index.get(each, namespace, name) as Judged | undefined) ?? [],
  );
  const [object] = found;
  const what = `${printable(kind)} ${printable(`${namespace}/${name}`)}`;
  if (object === undefined) throw new GatehouseError('not-found', `there is no ${what}`);
  if (found.length === 1) return object;
  const groups = found.map((each) => kindTable[each.kind].group).join(' and ');
  throw new GatehouseError('invalid-argument', `${what} is in ${groups}: name one with \`group\``);
};

/** The kinds that a kind as it is written may be, in one group or in all. Throws when it is none. */
export const meantKinds = ({ kind, group }: Pick<Named, 'kind' | 'group'>): readonly JudgedKind[] => {
  const meant = judgedKinds.filter((each) => kindTable[each].wireKind.toLowerCase() === kind.toLowerCase());
  if (meant.length === 0) {
    const words = [...new Set(judgedKinds.map((each) => kindTable[each].wireKind))];
    const near = nearestWord(kind, words);
    const hint = near === undefined ? `it is one of ${words.join(', ')}` : `did you mean ${near}?`;
    throw new GatehouseError(
      'invalid-argument',
      `${printable(kind)} is not a kind of policy object: ${hint}`,
    );
  }
  return group === undefined ? meant : meant.filter((each) => kindTable[each].group === group);
};
