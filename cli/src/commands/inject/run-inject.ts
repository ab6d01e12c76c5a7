import { GatehouseError } from '@gatehouse/core/error';
import type { Labels } from '@gatehouse/core/label-selector';
import { defaultInboundPolicyAnnotation } from '@gatehouse/core/resources/annotations';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printExactly } from '../../print/exact-output.ts';
import { noteOfCluster, printNotes } from '../install/print-manifests.ts';
import { type AnnotationOptions, annotationsOf } from './annotation-options.ts';
import type { InjectOptions } from './inject.ts';
import {
  injectManifest,
  type Manifest,
  namespacesIn,
  objectsOf,
  type PlacedObject,
} from './inject-manifest.ts';
import { type Injecting, metadataOf } from './inject-object.ts';
import { findMesh, type MeshAtHand } from './mesh-at-hand.ts';
import { missingWebhook, type NamespaceDefaults, namespaceDefaults } from './namespace-defaults.ts';
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
  const { annotations, policy } = splitPolicy(annotationsOf(options), options);
  const mode = options.ingress === true ? 'ingress' : 'enabled';
  const given = await readManifests(sources, surroundings);
  const defaults =
    options.enablePerNamespaceDefaults === true
      ? await namespaceDefaults({ ...inNamespace(options), mesh, mode, policy })
      : undefined;
  const manifests = [...given, ...liveManifests(defaults, given)];
  const namespaces = namespacesIn(defaults === undefined ? manifests : [...manifests, asGiven(defaults)]);
  const injecting: Injecting = {
    manual: options.manual === true,
    mesh: meshFor(mesh, options),
    annotations,
    mode,
    ...(defaults === undefined ? {} : { defaults: defaults.wanted }),
    namespace: options.namespace,
    annotationsOf: (namespace) => namespaces.get(namespace),
  };
  const done = manifests.map((manifest) => injectManifest(manifest, injecting));
  const treated = done.flatMap((one) => one.treated);
  requireValid(treated);
  const texts = done.map(({ text }) => text);
  // A manifest of the namespace that was given got the defaults; a second one would take its other labels away again.
  const isGiven = objectsOf(given).some((placed) => nameOf(placed) === `Namespace ${options.namespace}`);
  const added = isGiven ? undefined : defaults;
  printExactly(terminal, joinTexts(added === undefined ? texts : [added.namespace, ...texts]));
  const first = added === undefined ? [] : [added.treated];
  printReport([...first, ...treated, ...(defaults?.left ?? [])], terminal);
  if (defaults !== undefined && mesh.cluster !== undefined)
    printNotes(terminal, noteOfCluster(mesh.cluster.client, options));
  if (options.manual !== true)
    for (const line of await missingWebhook(mesh)) terminal.err(terminal.paint('yellow', `‼ ${line}`));
  return exitCode.ok;
};

const inNamespace = ({ namespace }: InjectOptions): { readonly name: string } => {
  if (namespace !== undefined) return { name: namespace };
  throw new GatehouseError(
    'invalid-argument',
    '--enable-per-namespace-defaults changes a namespace: say which, with -n NAMESPACE',
  );
};

/**
 * The default that --enable-per-namespace-defaults promises: nobody is admitted, unless the command line says otherwise. It is
 * the namespace's then, which stays free to change it, and not written on pods.
 */
const splitPolicy = (
  { [defaultInboundPolicyAnnotation]: policy, ...others }: Labels,
  { enablePerNamespaceDefaults }: InjectOptions,
): { readonly annotations: Labels; readonly policy: string } => {
  const isOnPods = policy !== undefined && enablePerNamespaceDefaults !== true;
  return {
    annotations: isOnPods ? { ...others, [defaultInboundPolicyAnnotation]: policy } : others,
    policy: policy ?? 'deny',
  };
};

const asGiven = ({ namespace }: NamespaceDefaults): Manifest => ({
  origin: 'the namespace',
  text: namespace,
});

const nameOf = ({ object }: PlacedObject): string => `${object.kind} ${metadataOf(object).name}`;

/** The workloads in the cluster, but for those that the given manifests hold: these are the newer. */
const liveManifests = (
  defaults: NamespaceDefaults | undefined,
  given: readonly Manifest[],
): readonly Manifest[] => {
  const names = new Set(objectsOf(given).map(nameOf));
  return (defaults?.workloads ?? [])
    .map((text) => ({ origin: 'the cluster', text }))
    .filter((manifest) => !objectsOf([manifest]).some((placed) => names.has(nameOf(placed))));
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
