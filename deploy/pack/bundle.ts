import { access, cp, glob, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { neededNode } from './needed-node.ts';
import { ownUrls, type ReadBeside } from './own-urls.ts';
import { checkout, programs, readAtRunTime, started } from './programs.ts';

/**
 * Bundles the programs and what they need into `folder`: plain JavaScript without dependencies. What two programs share is a file
 * that both load; what is imported when it is needed stays so. Returns the paths, in the checkout, of all that went in. Throws where a
 * module reads a file that is not packed.
 */
export const bundle = async (folder: string): Promise<readonly string[]> => {
  const reads: ReadBeside[] = [];
  const { metafile } = await build({
    absWorkingDir: checkout,
    entryPoints: Object.entries(programs).map(([out, path]) => ({ in: path, out })),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: `node${neededNode}`,
    // Names and lines stay, so that a stack trace in a bug report can be read.
    legalComments: 'none',
    banner: { js: commonJs },
    plugins: [ownUrls((read) => reads.push(read))],
    metafile: true,
    logLevel: 'warning',
  });
  for (const name of started) await startedAtItsPath(folder, name);
  for await (const path of glob([...readAtRunTime], { cwd: checkout })) {
    await cp(join(checkout, path), join(folder, 'files', path), { recursive: true });
  }
  for (const { path, target } of reads) {
    const isThere = await access(join(folder, 'files', target)).then(
      () => true,
      () => false,
    );
    if (!isThere)
      throw new Error(`${path} reads ${target}: add it to readAtRunTime in deploy/pack/programs.ts`);
  }
  return Object.keys(metafile.inputs).sort();
};

/** What CommonJS packages expect to find around them. */
const commonJs = [
  "import { createRequire as commonJsRequire } from 'node:module';",
  'const require = commonJsRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;',
].join('\n');

/** A file at the path where a module of ours starts this program; it does nothing but load it. */
const startedAtItsPath = async (folder: string, name: string): Promise<void> => {
  const path = join(folder, 'files', (programs[name] ?? name).replace(/\.ts$/, '.mjs'));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `import '${relative(dirname(path), join(folder, `${name}.mjs`))}';\n`);
};
