import type { KubeObject } from '@gatehouse/manifests/objects/kube-object';
import { printList, printObjects } from '@gatehouse/manifests/print-objects';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import type { Terminal } from '../../print/terminal.ts';
import type { ClusterOptions, ManifestFormat } from './install-options.ts';

export const printAs = (format: ManifestFormat, objects: readonly KubeObject[]): string =>
  format === 'json' ? printList(objects) : printObjects(objects).trimEnd();

/** What kubectl does not know: where it is told nothing, it means its current context. */
export const noteOfCluster = (
  { server }: Pick<KubeClient, 'server'>,
  { kubeconfig, context }: ClusterOptions,
): readonly string[] => {
  const named = [
    ...(kubeconfig === undefined ? [] : [`--kubeconfig ${kubeconfig}`]),
    ...(context === undefined ? [] : [`--context ${context}`]),
  ].join(' ');
  return named === '' ? [] : [`this is for the cluster ${server}: give kubectl ${named} too`];
};

/** To standard error, since standard output is for kubectl. */
export const printNotes = (terminal: Terminal, notes: readonly string[]): void => {
  for (const note of notes) terminal.err(`${terminal.paint('yellow', 'note:')} ${note}`);
};
