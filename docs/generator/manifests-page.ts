import { readAnnotationFamilies, readAnnotations } from '@gatehouse/core/resources/annotations';
import { isActedUpon, unactedKinds } from '@gatehouse/platform/kube/directory/unacted-kinds';
import { workloadGroup, workloadKinds } from '@gatehouse/platform/kube/directory/workload';
import { kinds, kindTable } from '@gatehouse/platform/kube/kind-table';
import { code, page, table } from './table.ts';

const versionsOf = (group: string, versions: readonly string[]): string =>
  versions.map((version) => code(group === '' ? version : `${group}/${version}`)).join(', ');

const readKinds = (): string =>
  table(
    ['kind', 'apiVersion', 'when it cannot be read'],
    kinds.filter(isActedUpon).map((kind) => {
      const { wireKind, group, versions, class: kindClass } = kindTable[kind];
      const consequence =
        kindClass === 'core'
          ? 'costs the field'
          : 'rejected: grants nothing, and closes what it would have governed';
      return [code(wireKind), versionsOf(group, versions), consequence];
    }),
  );

/** What a folder of manifests may hold, from the tables that read it. */
export const manifestsPage = (): string =>
  page(
    'Manifests',
    '`GATEHOUSE_SOURCE=directory:PATH` makes a folder the cluster: every `*.yaml`, `*.yml` and `*.json` below it, except names that\n' +
      'begin with a dot and links that lead out of it. A file is read once its size and modification time have not changed for\n' +
      '50 ms, or when it was renamed into the folder, which is the way to replace a manifest without anybody seeing half of it.',
    '## Kinds',
    readKinds(),
    `${workloadKinds.map(code).join(', ')} (${code(`${workloadGroup}/v1`)}) become pods \`NAME-0\`, \`NAME-1\` and so on; a DaemonSet has one on each\n` +
      'Node, at least one. `List` is taken apart. The kinds of others are named in one line of the log of policy and ignored; one that\n' +
      'may be a misspelt one of these is a warning. So are these of Linkerd, until they are acted upon:',
    table(
      ['kind', 'apiVersion', 'until then'],
      unactedKinds.map(({ kind, without }) => {
        const { wireKind, group, versions } = kindTable[kind];
        return [code(wireKind), versionsOf(group, versions), without];
      }),
    ),
    '## What a manifest may leave out',
    table(
      ['field', 'then'],
      [
        ['`metadata.namespace`', '`default`; namespaces that are only named exist too'],
        [
          '`metadata.uid`',
          'a UUID made of kind, namespace and name: write another one for another life of the same name',
        ],
        ['`metadata.creationTimestamp`', 'as old as all others without one; the name decides'],
        ['`status` of a Pod', '`Running` and ready'],
        [
          '`status.podIPs`',
          'an address in 127.64.0.0/10 made of namespace and name; one that is written for two pods belongs to the one that runs and has the later `status.startTime`, else to neither',
        ],
        [
          '`spec.clusterIP` of a Service',
          'an address in 127.128.0.0/10 in the same way; at one that is written for two Services the older answers, else the first by name',
        ],
        [
          `label ${code('linkerd.io/control-plane-ns')} of a Pod`,
          `the mesh's, if the annotation ${code('linkerd.io/inject')} of the pod, else of its namespace, is ${code('enabled')}`,
        ],
        ['ServiceAccount `default`', 'every namespace has it'],
      ],
    ),
    'All of it depends on nothing but what the folder holds, so every process that reads the folder comes to the same. The pods and\n' +
      'ServiceAccounts `gatehouse-identity`, `gatehouse-destination` and `gatehouse-policy` are there without being written.',
    '## What goes wrong',
    'A mistake in a policy object never opens anything: with an unknown or unreadable field it is rejected, the log names every\n' +
      'problem, and [what it restricted stays closed](../policy.md#what-a-rejected-object-closes). A file that\n' +
      'cannot be read any more keeps its objects, its policies rejected; until one that never could be read is fixed or removed,\n' +
      'only what policies grant on whole ports is open. A policy object that is written twice is rejected; of any other object the first copy counts.\n' +
      'Copies that differ in the default policy mean `deny`; labels, and what decides about a pod, count as unread where they differ. When the folder is gone, what it held last stays in force.',
    '## Annotations',
    `These are read; all others are dropped: ${[...readAnnotations, ...readAnnotationFamilies.map((family) => `${family}*`)].map(code).join(', ')}.`,
  );
