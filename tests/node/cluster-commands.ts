import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const checkout = fileURLToPath(new URL('../..', import.meta.url));

const execute = promisify(execFile);

/** The environment in which the commands of the documentation run: as ours, and `gatehouse` is that of this checkout. */
export const documentedEnvironment = async (binFolder: string): Promise<NodeJS.ProcessEnv> => {
  const path = join(binFolder, 'gatehouse');
  await writeFile(path, `#!/bin/sh\nexec "${process.execPath}" "${checkout}cli/src/main.ts" "$@"\n`);
  await chmod(path, 0o755);
  return { ...process.env, PATH: `${binFolder}:${process.env.PATH}`, NO_COLOR: '1' };
};

/** kubectl on the cluster of KUBECONFIG. */
export class Kubectl {
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** What it prints to its standard output; rejects with what it said where it fails. */
  async run(...args: readonly string[]): Promise<string> {
    const { stdout } = await execute('kubectl', args, {
      env: this.#env,
      cwd: checkout,
      maxBuffer: 64 << 20,
      timeout: 300_000,
    });
    return stdout;
  }

  /** Waits until all Deployments of a namespace, or those named, have rolled out. */
  async rolledOut(namespace: string, ...deployments: readonly string[]): Promise<void> {
    const which = deployments.length === 0 ? ['deployment'] : deployments.map((name) => `deployment/${name}`);
    await this.run('rollout', 'status', '-n', namespace, ...which, '--timeout=180s');
  }

  /** The answer's status to a GET from a Deployment's `curl` container. */
  async statusOf(from: string, url: string): Promise<string> {
    const curl = ['curl', '-s', '-m', '5', '-o', '/dev/null', '-w', '%{http_code}', url];
    return this.run('exec', '-n', 'demo', `deploy/${from}`, '-c', 'curl', '--', ...curl);
  }
}
