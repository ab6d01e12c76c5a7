import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
/** Where the generated code is committed. */
export const generatedDirectory = join(here, '..', 'gen');

const packageFile = (name: string, file: string): string =>
  join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), file);

/**
 * Why ts-proto: docs/decisions/0003. Without `forceLong=bigint` an IPv6 address, two fixed64, silently loses bits
 * beyond 2^53; `enumsAsLiterals` and `importSuffix` keep the output erasable, so Node runs it as it is.
 */
const options = [
  'outputServices=grpc-js',
  'esModuleInterop=true',
  'importSuffix=.ts',
  'enumsAsLiterals=true',
  'oneof=unions-value',
  'env=node',
  'forceLong=bigint',
];

/** Writes TypeScript for every proto of this folder into `out`, which it empties first. Needs no network. */
export const generate = async (out: string): Promise<void> => {
  const template = {
    version: 'v2',
    clean: true,
    plugins: [
      { local: [process.execPath, packageFile('ts-proto', 'protoc-gen-ts_proto')], out, opt: options },
    ],
  };
  await promisify(execFile)(process.execPath, [
    packageFile('@bufbuild/buf', 'bin/buf'),
    'generate',
    here,
    '--template',
    JSON.stringify(template),
  ]);
};

const filesUnder = async (directory: string): Promise<Map<string, string>> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = new Map<string, string>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(directory, path), await readFile(path, 'utf8'));
  }
  return files;
};

/** One line for each file of `committed` that is missing, left over or not what the protos give now; none = up to date. */
export const differences = async (committed: string): Promise<string[]> => {
  const scratch = await mkdtemp(join(tmpdir(), 'gatehouse-gen-'));
  try {
    await generate(scratch);
    const [fresh, old] = [await filesUnder(scratch), await filesUnder(committed)];
    return [...new Set([...fresh.keys(), ...old.keys()])].sort().flatMap((file) => {
      if (!old.has(file)) return [`${file} is missing`];
      if (!fresh.has(file)) return [`${file} comes from no proto`];
      return fresh.get(file) === old.get(file) ? [] : [`${file} differs`];
    });
  } finally {
    await rm(scratch, { recursive: true });
  }
};

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const stale = await differences(generatedDirectory);
    if (stale.length > 0) {
      console.error(
        `shared/wire/gen is not what shared/wire/proto gives; run \`npm run gen\` and commit the result:`,
      );
      for (const line of stale) console.error(`  ${line}`);
      process.exitCode = 1;
    }
  } else {
    await generate(generatedDirectory);
  }
}
