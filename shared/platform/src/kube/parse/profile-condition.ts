import type { Condition, RequestCondition, ResponseCondition } from '@gatehouse/core/resources/kinds/linkerd';
import { spend } from './budget.ts';
import type { Fields } from './fields.ts';
import { readRegex } from './http-route-match.ts';
import { readMethod } from './http-token.ts';

/**
 * A condition of a ServiceProfile: `all`, `any`, `not` and the leaves of its sort. Several fields at once must all hold;
 * none at all is refused, as nobody can tell whether everything or nothing was meant (semantics §1.5).
 */
const readCondition = <Leaf>(
  fields: Fields,
  readLeaves: (fields: Fields) => readonly Leaf[],
): Condition<Leaf> | undefined => {
  if (!spend(fields, 'matches')) return undefined;
  const nested = (item: Fields): Condition<Leaf> | undefined => readCondition(item, readLeaves);
  const given: Condition<Leaf>[] = [...readLeaves(fields)];
  for (const kind of ['all', 'any'] as const) {
    const conditions = fields.eachFields(kind, nested);
    if (fields.isEmptyList(kind))
      fields.refuse(kind, 'an empty list', 'add a condition, or remove the field');
    if (conditions !== undefined) given.push({ kind, conditions });
  }
  const not = fields.fields('not');
  const condition = not === undefined ? undefined : nested(not);
  if (condition !== undefined) given.push({ kind: 'not', condition });
  fields.close();
  const [first, ...others] = given;
  if (fields.names().length === 0) return fields.refuseSelf('an empty condition', 'say what it is about');
  return others.length === 0 ? first : { kind: 'all', conditions: given };
};

export const readRequestCondition = (fields: Fields): RequestCondition | undefined =>
  readCondition(fields, (condition) => {
    const leaves: Exclude<RequestCondition, { kind: 'all' | 'any' | 'not' }>[] = [];
    const method = condition.has('method')
      ? readMethod(condition, 'method', condition.raw('method'))
      : undefined;
    if (method !== undefined) leaves.push({ kind: 'method', value: method });
    const text = condition.text('pathRegex');
    const path = text === undefined ? undefined : readRegex(condition, 'pathRegex', text);
    if (path !== undefined) leaves.push({ kind: 'path', value: path });
    return leaves;
  });

const lowestStatus = 100;
const highestStatus = 599;

export const readResponseCondition = (fields: Fields): ResponseCondition | undefined =>
  readCondition(fields, (condition) => {
    const status = condition.fields('status');
    if (status === undefined) return [];
    const min = status.whole('min', lowestStatus, highestStatus) ?? lowestStatus;
    const max = status.whole('max', lowestStatus, highestStatus) ?? highestStatus;
    status.close();
    if (!status.has('min') && !status.has('max')) {
      status.refuseSelf('neither min nor max', 'write at least one');
      return [];
    }
    if (max < min) status.refuse('max', `${max} is below min`, `a status from ${min} to ${highestStatus}`);
    return [{ kind: 'status' as const, min, max }];
  });
