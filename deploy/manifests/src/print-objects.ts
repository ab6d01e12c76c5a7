import { stringify } from 'yaml';
import type { KubeObject } from './objects/kube-object.ts';

/** A stream of YAML documents. Written out without anchors, and in YAML 1.1's terms, so that every tool reads the same. */
export const printObjects = (objects: readonly KubeObject[]): string =>
  objects.map((object) => `---\n${stringify(object, options)}`).join('');

const options = { aliasDuplicateObjects: false, lineWidth: 0, compat: 'yaml-1.1' } as const;

/** The same as one JSON List, for programs. */
export const printList = (objects: readonly KubeObject[]): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
