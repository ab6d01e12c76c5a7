import { readFile } from 'node:fs/promises';
import { manifestFile } from './demo-paths.ts';

/** The text of one of the story's manifests, with `values` in place of the upper-case words they are keyed by. */
export const readManifest = async (
  name: string,
  values: Readonly<Record<string, string>> = {},
): Promise<string> => {
  let text = await readFile(manifestFile(name), 'utf8');
  for (const [word, value] of Object.entries(values)) text = text.replaceAll(word, value);
  return text;
};
