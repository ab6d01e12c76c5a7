import type { KubeObject } from '@gatehouse/manifests/objects/kube-object';
import { printList, printObjects } from '@gatehouse/manifests/print-objects';
import type { Terminal } from '../../print/terminal.ts';
import type { ManifestFormat } from './install-options.ts';

export const printAs = (format: ManifestFormat, objects: readonly KubeObject[]): string =>
  format === 'json' ? printList(objects) : printObjects(objects).trimEnd();

/** To standard error, since standard output is for kubectl. */
export const printNotes = (terminal: Terminal, notes: readonly string[]): void => {
  for (const note of notes) terminal.err(`${terminal.paint('yellow', 'note:')} ${note}`);
};
