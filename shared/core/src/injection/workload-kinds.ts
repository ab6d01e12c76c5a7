import { pointer } from './json-patch.ts';

/** Where an object has its pods: itself, or a template of them. */
export interface TemplatePlace {
  /** The keys that lead to it; none for a Pod. */
  readonly keys: readonly string[];
  /** The same as a JSON Pointer. */
  readonly pointer: string;
  /** For messages: `spec.template`. */
  readonly path: string;
}

const place = (...keys: readonly string[]): TemplatePlace => ({
  keys,
  pointer: pointer(...keys),
  path: keys.join('.'),
});

const template = place('spec', 'template');
const templates: Readonly<Record<string, TemplatePlace>> = {
  Pod: place(),
  Deployment: template,
  StatefulSet: template,
  DaemonSet: template,
  ReplicaSet: template,
  ReplicationController: template,
  Job: template,
  CronJob: place('spec', 'jobTemplate', 'spec', 'template'),
};
const groups = ['', 'apps', 'batch', 'extensions'];

/** Where an object of Kubernetes' own kinds has its pods; undefined for all others, which have none. */
export const templatePlaceOf = (apiVersion: string, kind: string): TemplatePlace | undefined => {
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
  return groups.includes(group) && Object.hasOwn(templates, kind) ? templates[kind] : undefined;
};
