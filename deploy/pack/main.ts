import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { argv, exit, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { imageOf } from './image/image.ts';
import { pack } from './pack.ts';
import { checkout } from './programs.ts';

/** `npm run pack` and `npm run image`: what users get, in dist/ of the checkout. */
const packed = join(checkout, 'dist/gatehouse');
const archive = join(checkout, 'dist/gatehouse-image.tar');

const { values, positionals } = parseArgs({
  args: argv.slice(2),
  allowPositionals: true,
  options: { name: { type: 'string' } },
});
const [what, ...rest] = positionals;
if ((what !== 'pack' && what !== 'image') || rest.length > 0) {
  stdout.write('usage: npm run pack | npm run image -- [--name NAME:TAG]\n');
  exit(2);
}

await pack(packed);
stdout.write(`${relative(checkout, packed)}: the npm package, and what the image holds\n`);
if (what === 'image') {
  const { version } = JSON.parse(await readFile(join(packed, 'package.json'), 'utf8'));
  const name = values.name ?? `localhost/gatehouse:${version}`;
  const { bytes, digest } = await imageOf(packed, name);
  await mkdir(dirname(archive), { recursive: true });
  await writeFile(`${archive}.new`, bytes);
  await rename(`${archive}.new`, archive);
  stdout.write(`${relative(checkout, archive)}: ${name}@${digest}\n`);
  stdout.write(`load it with: ctr -n k8s.io images import ${relative(checkout, archive)}\n`);
}
