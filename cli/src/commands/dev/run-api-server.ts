import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { toManifest } from '@gatehouse/crds/definition';
import { definitions } from '@gatehouse/crds/definitions';
import { openCrds } from '@gatehouse/dev/api-server/custom-types';
import { type FakeApiServer, startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { impliedObjects } from '@gatehouse/dev/api-server/implied-objects';
import { readManifests } from '@gatehouse/dev/api-server/read-manifests';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printTable } from '../../print/table.ts';
import type { ApiServerOptions } from './api-server.ts';

/** Serves until it is interrupted. */
export const runApiServer = async (
  options: ApiServerOptions,
  { terminal, env, workingDirectory, interrupted }: Surroundings,
): Promise<ExitCode> => {
  const folder = options.dir === undefined ? undefined : resolve(workingDirectory, options.dir);
  const manifests = folder === undefined ? [] : await readManifests(folder);
  const own = manifests.filter(({ kind }) => kind === 'CustomResourceDefinition');
  const controlPlaneNamespace = env.GATEHOUSE_NAMESPACE ?? 'gatehouse';
  const server = await startFakeApiServer({
    port: options.port,
    ...(options.tls === true ? { tls: true } : {}),
    controllers: true,
    controlPlaneNamespace,
    crds: byName([...openCrds(), ...definitions.map((each) => ({ ...toManifest(each) })), ...own]),
  });
  const temporary =
    options.kubeconfig === undefined ? await mkdtemp(join(tmpdir(), 'gatehouse-api-')) : undefined;
  try {
    const kubeconfig = resolve(workingDirectory, options.kubeconfig ?? join(temporary ?? '', 'kubeconfig'));
    await server.kubeconfig(kubeconfig);
    const objects = manifests.filter(({ kind }) => kind !== 'CustomResourceDefinition');
    const implied =
      folder === undefined ? [] : await impliedObjects(folder, { manifests: objects, controlPlaneNamespace });
    const taken = put(server, objects, terminal.err);
    // At once: the server makes the pods of workloads that have none.
    server.put(...implied);
    const pods = implied.filter(({ kind }) => kind === 'Pod').length;
    terminal.out(
      printTable(
        ['', ''],
        [
          ['server', server.url],
          ['kubeconfig', kubeconfig],
          ...(folder === undefined
            ? []
            : [
                [
                  'objects',
                  `${taken} from ${folder}${pods === 0 ? '' : `, and ${pods} pods of their workloads`}`,
                ],
              ]),
        ],
      ).trimStart(),
    );
    if (!interrupted.aborted) await once(interrupted, 'abort');
    return exitCode.ok;
  } finally {
    await server.stop();
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
};

/** Of several of one name the last. */
const byName = (crds: readonly WireObject[]): readonly WireObject[] => [
  ...new Map(crds.map((crd) => [(crd.metadata as WireObject).name, crd])).values(),
];

/** Puts what is served, says what is not, and answers how many objects it took. */
const put = (server: FakeApiServer, objects: readonly WireObject[], warn: (text: string) => void): number => {
  const served = objects.filter((object) => server.serves(object));
  server.put(...served);
  for (const { apiVersion, kind } of objects.filter((object) => !server.serves(object)))
    warn(`left out: ${apiVersion} ${kind} is not served here; add its CRD to the folder`);
  return served.length;
};
