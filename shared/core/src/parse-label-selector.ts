import { quoted } from './foreign-text.ts';
import { isLabelName, isLabelValue, type LabelExpression, type LabelSelector } from './label-selector.ts';
import { type Parsed, type Problem, parsed, problem } from './problem.ts';

const forms =
  'use app=web, app!=web, app in (web,api), app notin (web), app or !app, with commas between them';
const nameFix = 'a label name such as app or example.com/app';
const valueFix = 'a label value: at most 63 letters, digits, `-`, `_` and `.`';

/**
 * Reads a selector as `kubectl -l` and the query `labelSelector` have it: `a=b,c==d,e!=f,g in (h,i),j notin (k),l,!m`.
 * All requirements must hold; the empty text selects everything. Source: Kubernetes, "Labels and Selectors", API. Numbers
 * (`a>1`) are not compared: no LabelSelector of an object can. Problems name the requirement, under `field`.
 */
export const parseLabelSelector = (text: string, field = ''): Parsed<LabelSelector> => {
  if (text.trim() === '') return parsed({ matchLabels: {}, matchExpressions: [] });
  const matchExpressions: LabelExpression[] = [];
  const problems: Problem[] = [];
  for (const requirement of splitRequirements(text)) {
    const read = parseRequirement(requirement, field);
    if (read.ok) matchExpressions.push(read.value);
    else problems.push(...read.problems);
  }
  return problems.length > 0 ? { ok: false, problems } : parsed({ matchLabels: {}, matchExpressions });
};

/** Splits at the commas that stand outside parentheses. */
const splitRequirements = (text: string): readonly string[] => {
  const requirements: string[] = [];
  let start = 0;
  let isInside = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '(' || char === ')') isInside = char === '(';
    if (char !== ',' || isInside) continue;
    requirements.push(text.slice(start, at).trim());
    start = at + 1;
  }
  return [...requirements, text.slice(start).trim()];
};

const parseRequirement = (text: string, field: string): Parsed<LabelExpression> => {
  const expression = readRequirement(text);
  if (expression === undefined) {
    return problem(field, text === '' ? 'a part is empty' : `${quoted(text)} is not a requirement`, forms);
  }
  const inside = quoted(text);
  if (!isLabelName(expression.key)) {
    return problem(field, `${quoted(expression.key)} in ${inside} is not a valid label name`, nameFix);
  }
  const wrong = 'values' in expression ? expression.values.find((value) => !isLabelValue(value)) : undefined;
  return wrong === undefined
    ? parsed(expression)
    : problem(field, `${quoted(wrong)} in ${inside} is not a valid label value`, valueFix);
};

/** Undefined when it has none of the three forms. */
const readRequirement = (text: string): LabelExpression | undefined => {
  const set = /^([^\s=!<>(),]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text);
  if (set !== null) {
    const [, key = '', word, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return { key, operator: word === 'in' ? 'In' : 'NotIn', values };
  }
  const equality = /^([^\s=!<>(),]+)\s*(==|=|!=)\s*([^\s=!<>(),]*)$/.exec(text);
  if (equality !== null) {
    const [, key = '', word, value = ''] = equality;
    return { key, operator: word === '!=' ? 'NotIn' : 'In', values: [value] };
  }
  const presence = /^(!?)\s*([^\s=!<>(),]+)$/.exec(text);
  if (presence === null) return undefined;
  return { key: presence[2] ?? '', operator: presence[1] === '!' ? 'DoesNotExist' : 'Exists' };
};
