/** An operation of JSON Patch (RFC 6902); injection only ever adds, so that whatever it did can be taken out again. */
export interface Addition {
  readonly op: 'add';
  /** A JSON Pointer (RFC 6901). */
  readonly path: string;
  readonly value: unknown;
}

/** A JSON Pointer; `-` as the last part means after the last item of a list. */
export const pointer = (...parts: readonly (string | number)[]): string =>
  parts.map((part) => `/${`${part}`.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** The parts of a pointer. */
export const pointerParts = (path: string): readonly string[] =>
  path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

export const addition = (path: string, value: unknown): Addition => ({ op: 'add', path, value });

/** The same operations, on an object that is inside another. */
export const below = (prefix: string, additions: readonly Addition[]): readonly Addition[] =>
  additions.map(({ path, value }) => addition(prefix + path, value));
