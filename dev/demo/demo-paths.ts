import { fileURLToPath } from 'node:url';

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** `.ts` in a checkout, `.mjs` in what is installed (deploy/pack), where the programs lie at the same paths. */
const ending = /\.\w+$/.exec(import.meta.url)?.[0] ?? '.ts';

/** The manifests that the story writes into its folder, by file name. */
export const manifestFile = (name: string): string => fromHere(`./manifests/${name}`);

export const proxyScript = fromHere(`../proxy/main${ending}`);
/** Beside the rig that it plays on, which is no part of what is installed. */
export const realStoryScript = fromHere(`../../tests/mesh/demo-real${ending}`);
export const serviceScript = (service: 'identity' | 'destination' | 'policy'): string =>
  fromHere(`../../services/${service}/src/main${ending}`);
