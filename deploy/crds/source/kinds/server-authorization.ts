import { age, type Definition, type PrinterColumn } from '../definition.ts';
import { labelSelector, namespaceName, networks, objectName } from '../parts.ts';
import { flag, list, object, text } from '../schema.ts';

const spec = object(
  'Which Servers, and which clients of theirs.',
  {
    server: object(
      'Servers of the own namespace: one by name, or some by their labels.',
      {
        name: objectName('Name of a Server.'),
        selector: labelSelector('Labels of Servers.'),
      },
      {
        rules: [
          { rule: 'has(self.name) != has(self.selector)', message: 'needs exactly one of name and selector' },
        ],
      },
    ),
    client: object(
      'Who may call.',
      {
        networks: networks('Where calls may come from. Default: the networks of the cluster.'),
        unauthenticated: flag('Admits clients without identity.'),
        meshTLS: object(
          'Admits clients by their identity in the mesh.',
          {
            unauthenticatedTLS: flag(
              'Admits every client that uses TLS, even one that has no certificate yet.',
            ),
            identities: list(
              'Identities that may call.',
              text('A name, `*.` and the end of names, `*` for any identity, or a SPIFFE id.'),
            ),
            serviceAccounts: list(
              'ServiceAccounts that may call.',
              object(
                'One ServiceAccount.',
                {
                  name: objectName('Its name.'),
                  namespace: namespaceName('Its namespace. Default: that of this object.'),
                },
                { required: ['name'] },
              ),
            ),
          },
          {
            rules: [
              {
                rule: '!has(self.unauthenticatedTLS) || !self.unauthenticatedTLS || (!has(self.identities) && !has(self.serviceAccounts))',
                message: 'unauthenticatedTLS admits everybody: remove it, or identities and serviceAccounts',
              },
            ],
          },
        ),
      },
      {
        rules: [
          {
            rule: '!has(self.unauthenticated) || !self.unauthenticated || !has(self.meshTLS)',
            message: 'unauthenticated admits everybody: remove it, or meshTLS',
          },
        ],
      },
    ),
  },
  { required: ['server', 'client'] },
);

const columns: readonly PrinterColumn[] = [
  { name: 'Server', type: 'string', jsonPath: '.spec.server.name', description: 'The Server, if named' },
  age,
];

/** Linkerd's, in one shape in both versions. */
export const serverAuthorization: Definition = {
  group: 'policy.linkerd.io',
  kind: 'ServerAuthorization',
  plural: 'serverauthorizations',
  shortNames: ['saz'],
  categories: ['policy'],
  description: 'Admits clients to Servers; the older way, beside AuthorizationPolicy.',
  versions: [
    {
      name: 'v1alpha1',
      spec,
      columns,
      deprecationWarning:
        'policy.linkerd.io/v1alpha1 ServerAuthorization is deprecated: use policy.linkerd.io/v1beta1',
    },
    { name: 'v1beta1', spec, columns },
  ],
};
