import { mkdir, writeFile } from 'node:fs/promises';
import { referencePages } from './generator/pages.ts';

/** `node docs/generate-reference.ts` writes docs/reference; docs/reference.test.ts fails until it has. */
const folder = new URL('reference/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, text] of Object.entries(await referencePages())) {
  await writeFile(new URL(name, folder), text);
}
