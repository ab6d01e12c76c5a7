import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';

export interface PatternInSource {
  /** As it is written, with its flags: `/^a+$/i`. */
  readonly text: string;
  /** `shared/src/core/duration.ts:8` */
  readonly place: string;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What is no part of the product: tests and what they stand on, generated code, benches, and tools that read our own files. */
const isOutside = (path: string): boolean =>
  /(?:^|\/)(?:node_modules|testing|tests|gen|proto|bench|docs|deploy|api-server)(?:\/|$)/.test(path) ||
  path.endsWith('.test.ts');

const productFiles = (): readonly string[] =>
  globSync('**/*.ts', { cwd: root, exclude: isOutside })
    .filter((path) => !isOutside(path))
    .sort();

/**
 * Every regular expression in the product's source. Literals come with their text; of one that is made with `RegExp` only
 * the place is known, and `text` is the call.
 */
export const productPatterns = (): readonly PatternInSource[] =>
  productFiles().flatMap((path) => {
    const source = stripTypeScriptTypes(readFileSync(`${root}${path}`, 'utf8'));
    const found: PatternInSource[] = [];
    let isMade = false;
    parse(source, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      locations: true,
      onToken: (token) => {
        const place = `${path}:${token.loc?.start.line}`;
        if (token.type.label === 'regexp') {
          found.push({ text: source.slice(token.start, token.end), place });
        }
        if (isMade && token.type.label === '(') found.push({ text: 'RegExp(', place });
        isMade = source.slice(token.start, token.end) === 'RegExp';
      },
    });
    return found;
  });
