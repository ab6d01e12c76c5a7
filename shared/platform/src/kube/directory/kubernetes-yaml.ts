import { printable } from '@gatehouse/core/foreign-text';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';
import {
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  FAILSAFE_SCHEMA,
  loadAll,
  mapTag,
  mergeTag,
  NOT_RESOLVED,
  YAMLException,
} from 'js-yaml';
import { readPlainBoolean, readPlainFloat, readPlainInteger, readPlainNull } from './plain-scalar.ts';

/** CRDs, the deepest manifests that are written, nest some forty levels. */
export const mostLevels = 200;

/** Keys that `<<` brings in, in one file: each is copied. */
const mostMergedKeys = 100_000;

/** Nothing is ever dumped with these tags. */
const identify = (): boolean => false;

/** `firstChars` spares most scalars the question; '' is the first character of an empty one. */
const plainTag = (name: string, read: (text: string) => unknown, firstChars: readonly string[]) =>
  defineScalarTag(`tag:yaml.org,2002:${name}`, {
    implicit: true,
    implicitFirstChars: firstChars,
    resolve: (text) => {
      const value = read(text);
      return value === undefined ? NOT_RESOLVED : value;
    },
    identify,
  });

/** A tag that means nothing here (`!Ref`, `!!binary`) is passed over, as kubectl does; its node is read as what it is. */
const anyTag = ['!', 'tag:'].flatMap((prefix) => [
  defineScalarTag(prefix, { matchByTagPrefix: true, resolve: (text) => text, identify }),
  defineSequenceTag<unknown[]>(prefix, {
    matchByTagPrefix: true,
    create: () => [],
    addItem: (list, item) => {
      list.push(item);
    },
    identify,
  }),
  defineMappingTag(prefix, { ...mapTag, matchByTagPrefix: true }),
]);

const schema = FAILSAFE_SCHEMA.withTags(
  plainTag('null', readPlainNull, ['', '~', 'n', 'N']),
  plainTag('bool', readPlainBoolean, [...'tTfFyYnNoO']),
  plainTag('int', readPlainInteger, [...'+-0123456789']),
  plainTag('float', readPlainFloat, [...'+-.0123456789']),
  mergeTag,
  ...anyTag,
);

/**
 * The documents of a YAML stream as plain values, an alias as the very object that its anchor names. A key written twice
 * is an error: nobody knows which is meant. The time is linear in the text's length, whatever stands in it. `linesBefore`
 * are those of the file before the text.
 */
export const loadYaml = (text: string, linesBefore = 0): Parsed<readonly unknown[]> => {
  try {
    return parsed(loadAll(text, { schema, maxDepth: mostLevels, maxTotalMergeKeys: mostMergedKeys }));
  } catch (error) {
    if (!(error instanceof YAMLException)) {
      return problem('', printable(error instanceof Error ? error.message : String(error)), fix);
    }
    const { reason, mark } = error;
    const where =
      mark === undefined || mark === null
        ? ''
        : `line ${linesBefore + mark.line + 1}, column ${mark.column + 1}`;
    return problem(where, printable(reason), fix);
  }
};

const fix = 'fix the YAML; nothing of this file is used until then';
