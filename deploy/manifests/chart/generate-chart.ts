import { writeFile } from 'node:fs/promises';
import { chartFiles } from './chart-files.ts';

const folder = new URL('../../chart/', import.meta.url);

for (const [path, text] of chartFiles()) await writeFile(new URL(path, folder), text);
