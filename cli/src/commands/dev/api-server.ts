import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { FakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { Command } from 'commander';
import type { Run, Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { readPort } from '../../print/output.ts';
import { printTable } from '../../print/table.ts';

interface ApiServerOptions {
  readonly dir?: string;
  readonly port: number;
  readonly kubeconfig?: string;
  readonly tls?: true;
}

/** `gatehouse dev api-server`: a Kubernetes API without a cluster, for kubectl and for services on a kubeconfig. */
export const devApiServerCommand = (finish: (run: Run) => void): Command =>
  new Command('api-server')
    .description('Serve the Kubernetes API of the watched kinds from memory, on loopback, until interrupted.')
    .option('--dir <folder>', 'folder of manifests to begin with; its CRDs take the place of the open ones')
    .option('--port <port>', 'port to listen on; 0 = any free', readPort(0), 0)
    .option('--kubeconfig <file>', 'where to write the kubeconfig (default: a temporary file)')
    .option('--tls', 'serve TLS instead of plain HTTP')
    .action((options: ApiServerOptions) => finish((surroundings) => devApiServer(options, surroundings)));

const devApiServer = async (
  options: ApiServerOptions,
  { terminal, workingDirectory, interrupted }: Surroundings,
): Promise<ExitCode> => {
  // Loaded here, so that no other command waits for it.
  const { startFakeApiServer } = await import('@gatehouse/dev/api-server/fake-api-server');
  const { readManifests } = await import('@gatehouse/dev/api-server/read-manifests');
  const folder = options.dir === undefined ? undefined : resolve(workingDirectory, options.dir);
  const manifests = folder === undefined ? [] : await readManifests(folder);
  const crds = manifests.filter(({ kind }) => kind === 'CustomResourceDefinition');
  const server = await startFakeApiServer({
    port: options.port,
    ...(options.tls === true ? { tls: true } : {}),
    ...(crds.length > 0 ? { crds } : {}),
  });
  const own = options.kubeconfig === undefined ? await mkdtemp(join(tmpdir(), 'gatehouse-api-')) : undefined;
  try {
    const kubeconfig = resolve(workingDirectory, options.kubeconfig ?? join(own ?? '', 'kubeconfig'));
    await server.kubeconfig(kubeconfig);
    const taken = put(
      server,
      manifests.filter(({ kind }) => kind !== 'CustomResourceDefinition'),
      terminal.err,
    );
    terminal.out(
      printTable(
        ['', ''],
        [
          ['server', server.url],
          ['kubeconfig', kubeconfig],
          ...(folder === undefined ? [] : [['objects', `${taken} from ${folder}`]]),
        ],
      ).trimStart(),
    );
    if (!interrupted.aborted) await once(interrupted, 'abort');
    return exitCode.ok;
  } finally {
    await server.stop();
    if (own !== undefined) await rm(own, { recursive: true, force: true });
  }
};

/** Puts what is served, says what is not, and answers how many objects it took. */
const put = (server: FakeApiServer, objects: readonly WireObject[], warn: (text: string) => void): number => {
  const served = objects.filter((object) => server.serves(object));
  server.put(...served);
  for (const { apiVersion, kind } of objects.filter((object) => !server.serves(object)))
    warn(`left out: ${apiVersion} ${kind} is not served here; add its CRD to the folder`);
  return served.length;
};
