import { type LabelSelector, selects } from '@gatehouse/core/label-selector';
import { parseLabelSelector } from '@gatehouse/core/parse-label-selector';
import { printProblem } from '@gatehouse/core/problem';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { badRequest } from './api-status.ts';
import { fieldsOf, metaOf, textOf } from './object-meta.ts';
import { podType, type ResourceType } from './resource-types.ts';

/** Whether an object is among those that a list or watch asks for. */
export type Selection = ((object: WireObject) => boolean) | undefined;

/** Reads `labelSelector` and `fieldSelector`; undefined when everything is asked for. */
export const parseSelection = (query: URLSearchParams, type: ResourceType): Selection => {
  const labels = parseLabels(query.get('labelSelector') ?? '');
  const fields = parseFields(query.get('fieldSelector') ?? '', type);
  if (labels === undefined && fields.length === 0) return undefined;
  return (object) =>
    (labels === undefined || selects(labels, metaOf(object).labels ?? {})) &&
    fields.every((holds) => holds(object));
};

const parseLabels = (text: string): LabelSelector | undefined => {
  if (text === '') return undefined;
  const selector = parseLabelSelector(text);
  if (selector.ok) return selector.value;
  throw badRequest(`unable to parse requirement: ${selector.problems.map(printProblem).join('; ')}`);
};

const parseFields = (text: string, type: ResourceType): readonly ((object: WireObject) => boolean)[] =>
  text
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [, field = '', word, value = ''] = /^([^=!]+)(==|=|!=)(.*)$/.exec(part) ?? [];
      const read = selectableFields(type)[field];
      if (read === undefined) throw badRequest(`field label not supported: ${field || part}`);
      return (object) => (read(object) === value) === (word !== '!=');
    });

type ReadField = (object: WireObject) => string;

const selectableFields = (type: ResourceType): Readonly<Record<string, ReadField>> => ({
  'metadata.name': (object) => metaOf(object).name ?? '',
  'metadata.namespace': (object) => metaOf(object).namespace ?? '',
  ...(type === podType ? podFields : {}),
});

const podFields: Readonly<Record<string, ReadField>> = {
  'spec.nodeName': (object) => textOf(fieldsOf(object.spec).nodeName),
  'spec.serviceAccountName': (object) => textOf(fieldsOf(object.spec).serviceAccountName),
  'status.phase': (object) => textOf(fieldsOf(object.status).phase),
  'status.podIP': (object) => textOf(fieldsOf(object.status).podIP),
};
