import type { AdmissionRequest, Verdict } from '@gatehouse/core/admission/review';
import { quoted } from '@gatehouse/core/foreign-text';
import { type InjectingMesh, injectPod } from '@gatehouse/core/injection/inject-pod';
import { addition, pointer } from '@gatehouse/core/injection/json-patch';
import type { PodToInject } from '@gatehouse/core/injection/pod-to-inject';
import { isJsonObject, type JsonObject } from '@gatehouse/core/json-object';
import type { Labels } from '@gatehouse/core/label-selector';
import { annotationsOfService } from '@gatehouse/core/mesh/injection';
import { printProblem } from '@gatehouse/core/problem';

/** What injection at admission goes by. */
export interface InjectionFacts {
  readonly mesh: InjectingMesh;
  /** Those of the pod's Namespace, as they are now. */
  readonly namespaceAnnotations: Labels;
  /** Which policies will select the pod; undefined while that is not known. */
  readonly policiesFor: (pod: {
    readonly namespace: string;
    readonly labels: Labels;
  }) => PodToInject['policies'];
}

/** What is told to people who look at the object. */
export interface InjectionEvent {
  readonly reason: 'Injected' | 'InjectionSkipped' | 'InjectionRefused';
  readonly note: string;
  readonly about: Owner;
}

/** What an Event is about: the controller that makes the pod, else the pod. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
}

export interface InjectionAdmission {
  readonly verdict: Verdict;
  readonly event?: InjectionEvent;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const labelsOf = (value: unknown): Labels =>
  isJsonObject(value)
    ? Object.fromEntries(
        Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      )
    : {};

const untouched: Verdict = { kind: 'allowed', patch: [], warnings: [] };

/** Pods get a proxy; Services the opaque ports of their namespace, which clients' proxies read from them. */
export const admitForInjection = (request: AdmissionRequest, facts: InjectionFacts): InjectionAdmission => {
  if (request.operation !== 'CREATE' || request.group !== '') return { verdict: untouched };
  switch (request.kind) {
    case 'Pod':
      return admitPod(request, facts);
    case 'Service':
      return { verdict: admitService(request, facts) };
    default:
      return { verdict: untouched };
  }
};

const admitService = ({ object }: AdmissionRequest, { namespaceAnnotations }: InjectionFacts): Verdict => {
  const metadata = isJsonObject(object) && isJsonObject(object.metadata) ? object.metadata : {};
  const own = labelsOf(metadata.annotations);
  const inherited = Object.entries(annotationsOfService(own, namespaceAnnotations)).filter(
    ([name]) => own[name] === undefined,
  );
  if (inherited.length === 0) return untouched;
  const patch = isJsonObject(metadata.annotations)
    ? inherited.map(([name, value]) => addition(pointer('metadata', 'annotations', name), value))
    : [addition(pointer('metadata', 'annotations'), Object.fromEntries(inherited))];
  return { kind: 'allowed', patch, warnings: [] };
};

const admitPod = (request: AdmissionRequest, facts: InjectionFacts): InjectionAdmission => {
  const { namespace, object } = request;
  const metadata = isJsonObject(object) && isJsonObject(object.metadata) ? object.metadata : {};
  const labels = labelsOf(metadata.labels);
  const controller = controllerOf(metadata, namespace);
  const policies = facts.policiesFor({ namespace, labels });
  const injection = injectPod(
    {
      template: object,
      namespace: { name: namespace, annotations: facts.namespaceAnnotations },
      owner: controller === undefined ? undefined : workloadOf(controller, labels),
      ...(policies === undefined ? {} : { policies }),
    },
    facts.mesh,
  );
  const name = textOf(metadata.name) || request.name || textOf(metadata.generateName);
  const about = controller ?? { apiVersion: 'v1', kind: 'Pod', namespace, name };
  switch (injection.kind) {
    case 'injected': {
      const note = injection.warnings.length === 0 ? '' : `; ${injection.warnings.join('; ')}`;
      return {
        verdict: { kind: 'allowed', patch: injection.patch, warnings: injection.warnings },
        event: { reason: 'Injected', note: `a proxy was added to its pod${note}`, about },
      };
    }
    case 'left-alone':
      return {
        verdict: { kind: 'allowed', patch: injection.patch, warnings: [] },
        // Nothing is new about a pod that nobody wanted to have a proxy.
        ...(injection.reason === 'not-asked-for'
          ? {}
          : {
              event: {
                reason: 'InjectionSkipped',
                note: `its pod got no proxy: ${injection.sentence}`,
                about,
              },
            }),
      };
    case 'invalid': {
      const message = `gatehouse cannot inject ${quoted(name)}: ${injection.problems.map(printProblem).join('; ')}`;
      return {
        verdict: { kind: 'denied', message },
        event: { reason: 'InjectionRefused', note: message, about },
      };
    }
  }
};

const controllerOf = (
  metadata: JsonObject,
  namespace: string,
): (Owner & { readonly uid: string }) | undefined => {
  const references = Array.isArray(metadata.ownerReferences) ? metadata.ownerReferences : [];
  const controller = references.find((each) => isJsonObject(each) && each.controller === true);
  if (!isJsonObject(controller)) return undefined;
  const { apiVersion, kind, name, uid } = controller;
  return {
    apiVersion: textOf(apiVersion),
    kind: textOf(kind),
    namespace,
    name: textOf(name),
    uid: textOf(uid),
  };
};

/** The workload that a person names: a ReplicaSet whose name ends in the pod's template hash was made by a Deployment. */
const workloadOf = (
  { kind, name }: Owner,
  labels: Labels,
): { readonly kind: string; readonly name: string } => {
  const suffix = `-${labels['pod-template-hash']}`;
  return kind === 'ReplicaSet' && name.endsWith(suffix)
    ? { kind: 'Deployment', name: name.slice(0, -suffix.length) }
    : { kind, name };
};
