import { type LabelExpression, type LabelSelector, selects } from '@gatehouse/core/label-selector';
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

/** `a=b,c!=d,e in (f,g),h notin (i),j,!k`: the query syntax of selectors, not that of objects. */
const parseLabels = (text: string): LabelSelector | undefined => {
  if (text.trim() === '') return undefined;
  const matchExpressions = splitRequirements(text).map((requirement): LabelExpression => {
    const set = /^(\S+)\s+(in|notin)\s+\(([^()]*)\)$/.exec(requirement);
    if (set !== null) {
      const [, key = '', word, list = ''] = set;
      const values = list.split(',').map((value) => value.trim());
      return { key, operator: word === 'in' ? 'In' : 'NotIn', values };
    }
    const equality = /^([^\s=!]+)\s*(==|=|!=)\s*([^\s=!]*)$/.exec(requirement);
    if (equality !== null) {
      const [, key = '', word, value = ''] = equality;
      return { key, operator: word === '!=' ? 'NotIn' : 'In', values: [value] };
    }
    const presence = /^(!?)\s*([^\s=!(),]+)$/.exec(requirement);
    if (presence === null) throw badRequest(`unable to parse requirement: found '${requirement}'`);
    return { key: presence[2] ?? '', operator: presence[1] === '!' ? 'DoesNotExist' : 'Exists' };
  });
  return { matchLabels: {}, matchExpressions };
};

/** Splits at the commas that stand outside parentheses. */
const splitRequirements = (text: string): readonly string[] =>
  text.split(/,(?![^(]*\))/).map((requirement) => requirement.trim());

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
