import { fileURLToPath } from 'node:url';

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The manifests that the story writes into its folder, by file name. */
export const manifestFile = (name: string): string => fromHere(`./manifests/${name}`);

export const proxyScript = fromHere('../proxy/main.ts');
/** Beside the rig that it plays on, which is no part of what is installed. */
export const realStoryScript = fromHere('../../tests/mesh/demo-real.ts');
export const serviceScript = (service: 'identity' | 'destination' | 'policy'): string =>
  fromHere(`../../services/${service}/src/main.ts`);
