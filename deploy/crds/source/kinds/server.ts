import { age, type Definition, type PrinterColumn } from '../definition.ts';
import { labelSelector, portOrName } from '../parts.ts';
import { choice, object, type Schema } from '../schema.ts';

const port = portOrName('The port, by its number or by the name of a container port.');

const proxyProtocol = choice(
  'What is spoken on the port. `unknown` lets the proxy find out; it supersedes the annotation config.linkerd.io/opaque-ports.',
  ['unknown', 'HTTP/1', 'HTTP/2', 'gRPC', 'opaque', 'TLS'],
  'unknown',
);

const podSelector = labelSelector('Pods of the own namespace.');

const selectingPods: Schema = object(
  'A port of some pods.',
  { podSelector, port, proxyProtocol },
  { required: ['podSelector', 'port'] },
);

const selecting = (more: Readonly<Record<string, Schema>>): Schema =>
  object(
    'A port of some pods, or of some workloads outside the cluster.',
    {
      podSelector,
      externalWorkloadSelector: labelSelector('ExternalWorkloads of the own namespace.'),
      port,
      proxyProtocol,
      ...more,
    },
    {
      required: ['port'],
      rules: [
        {
          rule: 'has(self.podSelector) != has(self.externalWorkloadSelector)',
          message: 'needs exactly one of podSelector and externalWorkloadSelector',
        },
      ],
    },
  );

const columns: readonly PrinterColumn[] = [
  { name: 'Port', type: 'string', jsonPath: '.spec.port', description: 'The port' },
  { name: 'Protocol', type: 'string', jsonPath: '.spec.proxyProtocol', description: 'What is spoken on it' },
];

/**
 * Linkerd's. An older version knows fewer fields: an object written by it loses accessPolicy, so that the default,
 * deny, holds.
 */
export const server: Definition = {
  group: 'policy.linkerd.io',
  kind: 'Server',
  plural: 'servers',
  shortNames: ['srv'],
  categories: ['policy'],
  description: 'Names a port of some pods, so that authorizations and routes can be attached to it.',
  versions: [
    {
      name: 'v1alpha1',
      spec: selectingPods,
      columns: [...columns, age],
      deprecationWarning: 'policy.linkerd.io/v1alpha1 Server is deprecated: use policy.linkerd.io/v1beta3',
    },
    {
      name: 'v1beta1',
      spec: selectingPods,
      columns: [...columns, age],
      deprecationWarning: 'policy.linkerd.io/v1beta1 Server is deprecated: use policy.linkerd.io/v1beta3',
    },
    { name: 'v1beta2', spec: selecting({}), columns: [...columns, age] },
    {
      name: 'v1beta3',
      spec: selecting({
        accessPolicy: choice(
          'What holds where nothing is authorized.',
          [
            'all-unauthenticated',
            'all-authenticated',
            'cluster-unauthenticated',
            'cluster-authenticated',
            'deny',
            'audit',
          ],
          'deny',
        ),
      }),
      columns: [
        ...columns,
        {
          name: 'Access Policy',
          type: 'string',
          jsonPath: '.spec.accessPolicy',
          description: 'What holds where nothing is authorized',
        },
        age,
      ],
    },
  ],
};
