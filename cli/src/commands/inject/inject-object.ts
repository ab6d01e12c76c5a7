import { type InjectingMesh, injectPod } from '@gatehouse/core/injection/inject-pod';
import { type Addition, addition, below, pointer } from '@gatehouse/core/injection/json-patch';
import { templatePlaceOf } from '@gatehouse/core/injection/workload-kinds';
import type { Labels } from '@gatehouse/core/label-selector';
import { opaquePortsAnnotation } from '@gatehouse/core/mesh/opaque-port';
import type { Problem } from '@gatehouse/core/problem';
import { injectAnnotation } from '@gatehouse/core/resources/annotations';

/** An object of a manifest, as kubectl reads it. */
export type Wire = Readonly<Record<string, unknown>>;

export const isWire = (value: unknown): value is Wire =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** How a command line wants objects to be injected. */
export interface Injecting {
  /** Whether the sidecar itself is written, or only the annotation that the webhook acts on. */
  readonly manual: boolean;
  readonly mesh: InjectingMesh;
  /** Annotations that the command line asks for. */
  readonly annotations: Labels;
  readonly mode: 'enabled' | 'ingress';
  /** What one namespace is to have beside the annotations. */
  readonly defaults?: { readonly namespace: string; readonly labels: Labels; readonly annotations: Labels };
  /** Where objects are that do not say it; undefined = nobody said. */
  readonly namespace: string | undefined;
  /** Annotations of a namespace, where they are known. */
  readonly annotationsOf: (namespace: string) => Labels | undefined;
}

/** What became of one object. */
export interface Treated {
  readonly kind: string;
  readonly name: string;
  /** For the object: paths begin at its root. */
  readonly patch: readonly Addition[];
  readonly outcome: 'injected' | 'annotated' | 'uninjected' | 'skipped';
  /** Why it was skipped. */
  readonly why?: string;
  readonly warnings: readonly string[];
  /** What is wrong with it; nothing is printed then. */
  readonly problems: readonly Problem[];
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const textsOf = (value: unknown): Labels => (isWire(value) ? (value as Labels) : {});

export const metadataOf = (object: Wire): Wire => (isWire(object.metadata) ? object.metadata : {});

/** What injecting does to any object of a manifest; those that have no pods are left as they are. */
export const injectObject = (object: Wire, injecting: Injecting): Treated => {
  const metadata = metadataOf(object);
  const kind = textOf(object.kind);
  const about = {
    kind: kind.toLowerCase(),
    name: textOf(metadata.name) || textOf(metadata.generateName),
    patch: [],
    warnings: [],
    problems: [],
  };
  const apiVersion = textOf(object.apiVersion);
  const template = templatePlaceOf(apiVersion, kind);
  if (apiVersion === 'v1' && kind === 'Namespace') {
    const defaults = injecting.defaults?.namespace === about.name ? injecting.defaults : undefined;
    const wanted = { [injectAnnotation]: injecting.mode, ...injecting.annotations, ...defaults?.annotations };
    const patch = [
      ...annotate(metadata, 'annotations', wanted),
      ...annotate(metadata, 'labels', defaults?.labels ?? {}),
    ];
    return { ...about, outcome: 'annotated', patch };
  }
  if (apiVersion === 'v1' && kind === 'Service') {
    const ports = injecting.annotations[opaquePortsAnnotation];
    return ports === undefined
      ? { ...about, outcome: 'skipped', why: 'a Service has no pods of its own' }
      : {
          ...about,
          outcome: 'annotated',
          patch: annotate(metadata, 'annotations', { [opaquePortsAnnotation]: ports }),
        };
  }
  if (template === undefined) return { ...about, outcome: 'skipped', why: `a ${kind} has no pods` };
  return { ...about, ...injectTemplate({ object, kind, name: about.name }, template, injecting) };
};

/** Adds annotations or labels, or makes those that are there say what is wanted. */
const annotate = (metadata: Wire, part: 'annotations' | 'labels', wanted: Labels): readonly Addition[] => {
  const present = textsOf(metadata[part]);
  const news = Object.entries(wanted).filter(([name, value]) => present[name] !== value);
  if (news.length === 0) return [];
  return isWire(metadata[part])
    ? news.map(([name, value]) => addition(pointer('metadata', part, name), value))
    : [addition(pointer('metadata', part), Object.fromEntries(news))];
};

interface Named {
  readonly object: Wire;
  readonly kind: string;
  readonly name: string;
}

type TemplateOutcome = Pick<Treated, 'patch' | 'outcome' | 'warnings' | 'problems'> & {
  readonly why?: string;
};

const injectTemplate = (
  { object, kind, name }: Named,
  { keys, pointer: prefix, path }: NonNullable<ReturnType<typeof templatePlaceOf>>,
  injecting: Injecting,
): TemplateOutcome => {
  const written = keys.reduce<unknown>((value, key) => (isWire(value) ? value[key] : undefined), object);
  const template = isWire(written) ? written : {};
  const metadata = metadataOf(template);
  const own = textsOf(metadata.annotations);
  // As in Linkerd, who names a workload wants it injected unless the workload itself says otherwise.
  const asked = (own[injectAnnotation] ?? '') === '' ? { [injectAnnotation]: injecting.mode } : {};
  const wanted = { ...asked, ...injecting.annotations };
  const namespace = textOf(metadataOf(object).namespace) || injecting.namespace;
  const injection = injectPod(
    {
      template: { ...template, metadata: { ...metadata, annotations: { ...own, ...wanted } } },
      path,
      namespace: {
        name: namespace,
        annotations: (namespace === undefined ? undefined : injecting.annotationsOf(namespace)) ?? {},
      },
      owner: kind === 'Pod' ? undefined : { kind, name },
    },
    injecting.mesh,
  );
  switch (injection.kind) {
    case 'invalid':
      return { outcome: 'skipped', patch: [], warnings: [], problems: injection.problems };
    case 'left-alone':
      return { outcome: 'skipped', why: injection.sentence, patch: [], warnings: [], problems: [] };
    case 'injected': {
      return {
        outcome: 'injected',
        patch: below(
          prefix,
          injecting.manual
            ? [...annotateTemplate(template, injecting.annotations, true), ...injection.patch]
            : annotateTemplate(template, wanted, false),
        ),
        warnings: injection.warnings,
        problems: [],
      };
    }
  }
};

/** `always` also makes an empty place for annotations: what follows adds to it one by one. */
const annotateTemplate = (template: Wire, wanted: Labels, always: boolean): readonly Addition[] => {
  const metadata = metadataOf(template);
  const isThere = isWire(metadata.annotations);
  const annotations = annotate(metadata, 'annotations', wanted);
  const additions =
    annotations.length === 0 && always && !isThere ? [addition('/metadata/annotations', {})] : annotations;
  return isWire(template.metadata) || additions.length === 0
    ? additions
    : [addition('/metadata', {}), ...additions];
};
