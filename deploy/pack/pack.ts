import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { neededNode } from './needed-node.ts';
import { checkout } from './programs.ts';
import { printThirdParties, thirdParties } from './third-party.ts';

/**
 * Writes what users get into `folder`, in place of what was there: the npm package of the command line, which is also what the image
 * holds below /gatehouse. It needs Node and nothing else.
 */
export const pack = async (folder: string): Promise<void> => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const files = await bundle(folder);
  await Promise.all([
    writeFile(join(folder, 'package.json'), `${JSON.stringify(await packageJson(), undefined, 2)}\n`),
    writeFile(join(folder, 'THIRD-PARTY-LICENSES'), printThirdParties(await thirdParties(files))),
    copyFile(join(checkout, 'LICENSE'), join(folder, 'LICENSE')),
    copyFile(join(checkout, 'deploy/pack/package-readme.md'), join(folder, 'README.md')),
  ]);
};

/** Everything is bundled, so there are no dependencies; Node comes along as in a checkout where the machine's own is too old. */
const packageJson = async (): Promise<object> => {
  const [root, cli] = await Promise.all(
    ['package.json', 'cli/package.json'].map(async (file) =>
      JSON.parse(await readFile(join(checkout, file), 'utf8')),
    ),
  );
  return {
    name: cli.name,
    version: cli.version,
    description: root.description,
    license: root.license,
    type: 'module',
    // kubectl runs the second as `kubectl gatehouse`, and the third to complete its words.
    bin: Object.fromEntries(Object.keys(cli.bin).map((name) => [name, './gatehouse.mjs'])),
    engines: { node: `>=${neededNode}` },
    optionalDependencies: root.optionalDependencies,
  };
};
