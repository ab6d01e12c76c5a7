import { age, type Definition, type PrinterColumn } from '../definition.ts';
import { probedConditions } from '../parts.ts';
import { choice, list, object, type Schema, text, whole } from '../schema.ts';

const specWith = (tls: 'meshTls' | 'meshTLS'): Schema =>
  object(
    'How a workload outside the cluster is reached, and who it is.',
    {
      [tls]: object(
        'What it says of itself in TLS.',
        {
          identity: text('The identity that its certificate holds, by which clients verify it.', {
            minLength: 1,
            maxLength: 253,
          }),
          serverName: text('The name that it ends TLS for (SNI).', { minLength: 1, maxLength: 253 }),
        },
        { required: ['identity', 'serverName'] },
      ),
      ports: list(
        'The ports it serves.',
        object(
          'One port.',
          {
            name: text('Name of the port, for Services to refer to.', { maxLength: 15 }),
            port: whole('Number of the port.', { min: 1, max: 65535 }),
            protocol: choice('What carries it.', ['TCP', 'UDP'], 'TCP'),
          },
          { required: ['port'] },
        ),
      ),
      workloadIPs: list(
        'Its addresses: at most one of each family.',
        object('One address.', { ip: text('An IPv4 or IPv6 address.') }),
        { maxItems: 2 },
      ),
    },
    { required: [tls] },
  );

const columns = (tls: string): readonly PrinterColumn[] => [
  { name: 'Identity', type: 'string', jsonPath: `.spec.${tls}.identity`, description: 'Who it is' },
  { name: 'IPs', type: 'string', jsonPath: '.spec.workloadIPs[*].ip', priority: 1 },
  age,
];

/**
 * Linkerd's. The versions spell one required field differently and objects are not converted, as where Linkerd's own
 * definition is installed: what is written as v1alpha1 is stored without its identity, so that nobody can be it. Anyone who
 * writes one is warned.
 */
export const externalWorkload: Definition = {
  group: 'workload.linkerd.io',
  kind: 'ExternalWorkload',
  plural: 'externalworkloads',
  categories: ['external'],
  description: 'A workload outside the cluster that takes part in the mesh.',
  versions: [
    {
      name: 'v1alpha1',
      spec: specWith('meshTls'),
      columns: columns('meshTls'),
      deprecationWarning:
        'workload.linkerd.io/v1alpha1 ExternalWorkload is stored without meshTls: use meshTLS of workload.linkerd.io/v1beta1',
    },
    { name: 'v1beta1', spec: specWith('meshTLS'), columns: columns('meshTLS') },
  ],
  status: object('What became of the workload.', { conditions: probedConditions }),
};
