import {
  isLabelName,
  isLabelValue,
  type LabelExpression,
  type LabelSelector,
} from '@gatehouse/core/label-selector';
import { intern } from '../intern.ts';
import { describe, type Fields } from './fields.ts';

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

const keyFix = 'a label name such as app or example.com/app';
const valueFix = 'a label value: at most 63 letters, digits, `-`, `_` and `.`';

const readMatchLabels = (fields: Fields): Readonly<Record<string, string>> => {
  const labels: Record<string, string> = {};
  const written = fields.fields('matchLabels');
  for (const key of written?.names() ?? []) {
    if (!isLabelName(key)) written?.refuse(key, 'no label has such a name', keyFix);
    const value = written?.text(key, valueFix);
    if (value === undefined) continue;
    if (isLabelValue(value)) labels[intern(key)] = intern(value);
    else written?.refuse(key, `${describe(value)} is not a valid label value`, valueFix);
  }
  return labels;
};

const readExpression = (fields: Fields): LabelExpression | undefined => {
  fields.need('key', keyFix);
  const key = fields.text('key');
  if (key !== undefined && !isLabelName(key)) {
    fields.refuse('key', `${describe(key)} is not a valid label name`, keyFix);
  }
  fields.need('operator', `use ${operators.join(', ')}`);
  const operator = fields.oneOf('operator', operators);
  const values = fields.texts('values', valueFix);
  fields.close();
  if (key === undefined || operator === undefined) return undefined;
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values === undefined || values.length === 0) {
        return fields.refuse('values', 'missing', `${operator} needs at least one value`);
      }
      return { key: intern(key), operator, values: values.map(intern) };
    case 'Exists':
    case 'DoesNotExist':
      if (values !== undefined && values.length > 0) {
        return fields.refuse('values', `${operator} takes no values`, 'remove them, or use In or NotIn');
      }
      return { key: intern(key), operator };
  }
};

/** A LabelSelector as Kubernetes validates it; `{}` matches everything, a misspelt field or operator is refused. */
export const readSelector = (fields: Fields): LabelSelector => {
  const matchLabels = readMatchLabels(fields);
  const matchExpressions = fields.eachFields('matchExpressions', readExpression) ?? [];
  fields.close();
  return { matchLabels, matchExpressions };
};
