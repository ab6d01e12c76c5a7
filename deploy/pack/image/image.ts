import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { arch, version } from 'node:process';
import { baseLayer, user } from './base-layer.ts';
import { compileCache, compiledCode, nodeOptions } from './compiled.ts';
import { entriesOf, layerOf } from './layer.ts';
import { type Archive, type ImageConfig, ociArchive } from './oci-archive.ts';

/** Where the image holds what `npm run pack` made. */
const home = 'gatehouse';

const architectures: Readonly<Record<string, ImageConfig['architecture']>> = { x64: 'amd64', arm64: 'arm64' };

/** The image of what lies in `packed`, under this name: for the machine's own architecture, made without a daemon. */
export const imageOf = async (packed: string, name: string): Promise<Archive> => {
  const architecture = architectures[arch];
  if (architecture === undefined)
    throw new Error(`there is no image for ${arch}: use a machine with x64 or arm64`);
  const about = JSON.parse(await readFile(join(packed, 'package.json'), 'utf8'));
  const code = await compiledCode(packed, home);
  const layers = await Promise.all([
    layerOf(await baseLayer()),
    layerOf([...(await entriesOf(packed, home)), ...code]),
  ]);
  const config: ImageConfig = {
    architecture,
    user: `${user.id}:${user.id}`,
    env: { PATH: '/usr/local/bin', NODE_ENV: 'production', ...compileCache(`/${home}`) },
    entrypoint: ['/usr/local/bin/node', ...nodeOptions, `/${home}/serve.mjs`],
    labels: {
      'org.opencontainers.image.title': 'gatehouse',
      'org.opencontainers.image.description': about.description,
      'org.opencontainers.image.version': about.version,
      'org.opencontainers.image.licenses': about.license,
      'org.opencontainers.image.base.name': `node ${version}`,
    },
  };
  return ociArchive(name, config, layers);
};
