import { fileURLToPath } from 'node:url';

/** The checkout, with a slash at its end. */
export const checkout: string = fileURLToPath(new URL('../../', import.meta.url));

/** What is bundled: the program's name in the packed folder and the module that it starts with, by its path in the checkout. */
export const programs: Readonly<Record<string, string>> = {
  gatehouse: 'deploy/pack/gatehouse.ts',
  serve: 'deploy/pack/serve.ts',
  identity: 'services/identity/src/main.ts',
  destination: 'services/destination/src/main.ts',
  policy: 'services/policy/src/main.ts',
  proxy: 'dev/proxy/main.ts',
};

/**
 * Programs that the code starts as processes of their own, by their path in the checkout: in the packed folder they lie at the same
 * path below `files/`, with the ending `.mjs` in place of `.ts`.
 */
export const started: readonly string[] = ['identity', 'destination', 'policy', 'proxy'];

/** Files that the code reads beside itself at run time. In the packed folder they lie at the same path below `files/`. */
export const readAtRunTime: readonly string[] = ['dev/demo/manifests/*', 'deploy/rbac/*.yaml'];
