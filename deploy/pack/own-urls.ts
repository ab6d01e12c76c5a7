import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Plugin } from 'esbuild';
import { checkout } from './programs.ts';

/**
 * Modules find files relative to themselves, and a bundle merges modules into one. So a module of ours that says `import.meta.url`
 * keeps a URL of its own: its path in the checkout, below `files/` of the packed folder, where the files lie that it looks for.
 * All bundled files lie in one folder, so this is the same expression in each.
 */
export const ownUrls = (onRead: (read: ReadBeside) => void): Plugin => ({
  name: 'own-urls',
  setup: (build) => {
    build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (!path.startsWith(checkout) || path.includes('/node_modules/')) return undefined;
      const contents = await readFile(path, 'utf8');
      const inCheckout = relative(checkout, path);
      for (const [, target = ''] of contents.matchAll(/new URL\(\s*'([^']+)',\s*import\.meta\.url/g))
        onRead({ path: inCheckout, target: join(dirname(inCheckout), target) });
      return { contents: withOwnUrl(contents, inCheckout), loader: 'ts' };
    });
  },
});

/** A module that reads a file or folder beside itself, both by their paths in the checkout. */
export interface ReadBeside {
  readonly path: string;
  readonly target: string;
}

/** The module's text with its own URL. Throws for uses of `import.meta` that mean something else in a bundle. */
export const withOwnUrl = (text: string, path: string): string => {
  const other = /\bimport\.meta\.(?!url\b)\w+/.exec(text);
  if (other !== null) {
    throw new Error(`${path}: ${other[0]} means another file once it is bundled; use import.meta.url`);
  }
  const own = JSON.stringify(`files/${path.replace(/\.ts$/, '.mjs')}`);
  return text.replaceAll(/\bimport\.meta\.url\b/g, () => `new URL(${own}, import.meta.url).href`);
};
