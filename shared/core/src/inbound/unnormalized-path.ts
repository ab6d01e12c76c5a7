/**
 * Paths that an application may read as another path than the proxy did, which does not normalise them: empty and dot
 * segments, backslashes, path parameters, and the escapes of dot, slash, percent (of which
 * more escapes would come), backslash, semicolon and NUL (design §6.4).
 * Written for the proxy's engine, anchored to the whole path; policies may name no path that it matches.
 */
export const unnormalizedPath = '^(?:.*(?://|\\\\|;|/\\.{1,2}(?:/|$)|%(?:2[eEfF5]|5[cC]|3[bB]|00)).*)$';

const asRegExp = new RegExp(unnormalizedPath, 's');

export const isUnnormalizedPath = (path: string): boolean => asRegExp.test(path);
