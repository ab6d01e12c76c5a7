import { argv, exit, stderr } from 'node:process';

/**
 * `node serve.mjs NAME`: what a container of the image runs. Nothing but the named service is loaded; its settings come from the
 * environment, as always.
 */
const services: Readonly<Record<string, () => Promise<unknown>>> = {
  identity: () => import('@gatehouse/identity/main'),
  destination: () => import('@gatehouse/destination/main'),
  policy: () => import('@gatehouse/policy/main'),
};

const name = argv[2] ?? '';
const start = Object.hasOwn(services, name) && argv.length === 3 ? services[name] : undefined;
if (start === undefined) {
  const given = argv.length === 2 ? 'nothing' : argv.slice(2).join(' ');
  stderr.write(
    `serve.mjs takes the name of one service (${Object.keys(services).join(', ')}), not ${given}\n`,
  );
  exit(2);
}
await start();
