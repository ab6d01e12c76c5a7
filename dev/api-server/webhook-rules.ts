import { type LabelExpression, type LabelSelector, selects } from '@gatehouse/core/label-selector';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { fieldsOf, listOf, metaOf, textOf } from './object-meta.ts';
import type { ResourceRequest } from './resource-request.ts';
import { namespaceType, type ResourceType, resourceKey } from './resource-types.ts';
import type { Store } from './store.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE';

export interface Asked {
  readonly request: ResourceRequest;
  readonly operation: Operation;
  readonly object: WireObject | undefined;
  readonly old: WireObject | undefined;
}

/** The version in which a webhook wants to see an object; undefined when it does not want to. */
export const versionFor = (store: Store, webhook: WireObject, asked: Asked): string | undefined => {
  const { type, version } = asked.request;
  if (!selectedByNamespace(store, webhook, asked) || !selectedByObject(webhook, asked)) return undefined;
  const rules = listOf(webhook.rules).map(fieldsOf);
  if (rules.some((rule) => isRuleFor(rule, asked, version))) return version;
  if (webhook.matchPolicy === 'Exact') return undefined;
  // Equivalent, the default: a rule for another version of the kind sees the object in that version.
  return type.versions.find((other) => rules.some((rule) => isRuleFor(rule, asked, other)));
};

const isRuleFor = (rule: WireObject, { request, operation }: Asked, version: string): boolean => {
  const { type, subresource } = request;
  const has = (list: unknown, value: string): boolean =>
    listOf(list).some((each) => each === '*' || each === value);
  const scope = rule.scope ?? '*';
  return (
    has(rule.operations, operation) &&
    has(rule.apiGroups, type.group) &&
    has(rule.apiVersions, version) &&
    listOf(rule.resources).some((each) => namesResource(textOf(each), type, subresource)) &&
    (scope === '*' || (scope === 'Namespaced') === type.namespaced)
  );
};

/** `pods`, `pods/status`, `pods/*`, `*`, and the same with a star for the resource: without a slash, subresources are not meant. */
const namesResource = (text: string, type: ResourceType, subresource: string): boolean => {
  const [resource, sub = ''] = text.split('/');
  return (resource === '*' || resource === type.plural) && (sub === '*' || sub === subresource);
};

const selectorOf = (value: unknown): LabelSelector => {
  const { matchLabels, matchExpressions } = fieldsOf(value);
  return {
    matchLabels: fieldsOf(matchLabels) as Readonly<Record<string, string>>,
    matchExpressions: listOf(matchExpressions) as readonly LabelExpression[],
  };
};

/** A namespace is selected by its own labels, what is in one by those of its namespace, anything else always. */
const selectedByNamespace = (store: Store, webhook: WireObject, { request, object, old }: Asked): boolean => {
  const selector = selectorOf(webhook.namespaceSelector);
  if (request.type === namespaceType) return selects(selector, metaOf(object ?? old ?? {}).labels ?? {});
  if (!request.type.namespaced) return true;
  const namespace = store.get(resourceKey(namespaceType), request.namespace);
  return selects(selector, metaOf(namespace ?? {}).labels ?? {});
};

/** Either state of the object may match: otherwise a change of labels would escape. */
const selectedByObject = (webhook: WireObject, { object, old }: Asked): boolean => {
  const selector = selectorOf(webhook.objectSelector);
  return [object, old].some((each) => each !== undefined && selects(selector, metaOf(each).labels ?? {}));
};
