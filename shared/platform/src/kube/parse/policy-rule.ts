import { isUnnormalizedPath } from '@gatehouse/core/inbound/unnormalized-path';
import type { PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import { bytesOf, fits, lengthOf, spend } from './budget.ts';
import { describe, type Fields } from './fields.ts';
import { readHeaderName, readHeaderText, readMethod } from './http-token.ts';

type RulePath = NonNullable<PolicyRule['paths']>[number];
type RuleHeader = NonNullable<PolicyRule['headers']>[number];

const pathTypes = ['Exact', 'PathPrefix'] as const;

/** The proxy sees paths as they were sent, so a rule names only paths that can be read in one way (design §6.4). */
const readPath = (path: Fields): RulePath | undefined => {
  const type = path.need('type', 'Exact or PathPrefix') ? path.oneOf('type', pathTypes) : undefined;
  const value = path.need('value', 'an absolute path such as /api') ? path.text('value') : undefined;
  path.close();
  if (value === undefined) return undefined;
  if (!fits(path, 'patternBytes', { name: 'value', size: bytesOf(value) })) return undefined;
  if (!value.startsWith('/')) {
    return path.refuse('value', `${describe(value)} is not absolute`, 'begin with `/`');
  }
  if (isUnnormalizedPath(value)) {
    return path.refuse(
      'value',
      `${describe(value)} can be read as another path`,
      'no `//`, `/./`, `/../`, `\\`, `;`, escapes of these, of `%` and of control bytes; other bytes than visible ASCII escaped in UTF-8 (docs/policy.md)',
    );
  }
  return type === undefined ? undefined : { kind: type === 'Exact' ? 'exact' : 'prefix', value };
};

const readHeader = (header: Fields): RuleHeader | undefined => {
  const name = header.need('name', 'name a header') ? readHeaderName(header, 'name') : undefined;
  const value = header.need('value', 'the exact value') ? readHeaderText(header, 'value') : undefined;
  header.close();
  return name === undefined || value === undefined ? undefined : { name, value };
};

/** One of `spec.rules`: what it gives must hold, and it gives something. */
export const readRule = (rule: Fields): PolicyRule | undefined => {
  // Its lists are alternatives, so each path with each method is a match of its own.
  const matches = Math.max(1, lengthOf(rule, 'paths')) * Math.max(1, lengthOf(rule, 'methods'));
  const isWithin =
    spend(rule, 'matches', matches) &&
    fits(rule, 'headers', { name: 'headers', size: lengthOf(rule, 'headers') });
  if (!isWithin) return undefined;
  const methods = rule.each('methods', (value, item) => readMethod(rule, item, value));
  const paths = rule.eachFields('paths', readPath);
  const headers = rule.eachFields('headers', readHeader);
  for (const name of ['methods', 'paths', 'headers']) {
    if (rule.isEmptyList(name))
      rule.refuse(name, 'an empty list', 'add an item, or remove the field to match all');
  }
  rule.close();
  if (rule.names().length === 0) {
    return rule.refuseSelf('an empty rule', 'say which requests: methods, paths or headers');
  }
  return {
    ...(methods === undefined ? {} : { methods }),
    ...(paths === undefined ? {} : { paths }),
    ...(headers === undefined ? {} : { headers }),
  };
};
