import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type FakeApiServer, startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { readManifests } from '@gatehouse/dev/api-server/read-manifests';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printTable } from '../../print/table.ts';
import type { ApiServerOptions } from './api-server.ts';

/** Serves until it is interrupted. */
export const runApiServer = async (
  options: ApiServerOptions,
  { terminal, workingDirectory, interrupted }: Surroundings,
): Promise<ExitCode> => {
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
