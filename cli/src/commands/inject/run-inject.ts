import { GatehouseError } from '@gatehouse/core/error';
import type { Labels } from '@gatehouse/core/label-selector';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printExactly } from '../../print/exact-output.ts';
import { type AnnotationOptions, annotationsOf } from './annotation-options.ts';
import type { InjectOptions } from './inject.ts';
import { injectManifest, namespacesIn } from './inject-manifest.ts';
import type { Injecting } from './inject-object.ts';
import { findMesh, type MeshAtHand } from './mesh-at-hand.ts';
import { readManifests } from './read-manifests.ts';
import { joinTexts, printReport, requireValid } from './report.ts';

/** `gatehouse inject SOURCE…`. */
export const runInject = async (
  sources: readonly string[],
  options: InjectOptions & AnnotationOptions,
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const { terminal } = surroundings;
  if (sources.length === 0 && options.enablePerNamespaceDefaults !== true)
    throw new GatehouseError(
      'invalid-argument',
      'nothing to inject: name a file, a folder or a URL, or - for stdin; or a namespace with ' +
        '--enable-per-namespace-defaults -n NAMESPACE',
    );
  const mesh = await findMesh(options, surroundings);
  const manifests = await readManifests(sources, surroundings);
  const written = namespacesIn(manifests);
  const injecting: Injecting = {
    manual: options.manual === true,
    mesh: meshFor(mesh, options),
    annotations: annotationsOf(options),
    mode: options.ingress === true ? 'ingress' : 'enabled',
    namespace: options.namespace,
    annotationsOf: (namespace): Labels | undefined => written.get(namespace),
  };
  const done = manifests.map((manifest) => injectManifest(manifest, injecting));
  const treated = done.flatMap((one) => one.treated);
  requireValid(treated);
  printExactly(terminal, joinTexts(done.map(({ text }) => text)));
  printReport(treated, terminal);
  return exitCode.ok;
};

const meshFor = (mesh: MeshAtHand, { manual }: InjectOptions): Injecting['mesh'] => {
  if (manual === true && mesh.trustAnchors === undefined)
    throw new GatehouseError(
      'failed-precondition',
      `the sidecar needs the trust anchors of the mesh, and ${mesh.whyNone}: name them with --trust-anchors FILE`,
    );
  return {
    settings: mesh.settings,
    // Annotating needs none, and writes none.
    trustAnchors: mesh.trustAnchors ?? { pem: '', sha256: '' },
    createdBy: 'gatehouse/cli',
  };
};
