import { age, type Definition } from '../definition.ts';
import { objectRef } from '../parts.ts';
import { list, object, text } from '../schema.ts';

const spec = object(
  'Identities, by their names or by what they belong to.',
  {
    identities: list(
      'Names of identities.',
      text('A name, `*.` and the end of names, `*` for any identity, or a SPIFFE id.', {
        minLength: 1,
        maxLength: 2048,
      }),
      { minItems: 1 },
    ),
    identityRefs: list(
      'ServiceAccounts, or Namespaces for all their ServiceAccounts.',
      objectRef('A ServiceAccount or a Namespace of the core group.', [
        {
          rule: "self.kind.lowerAscii() != 'namespace' || !has(self.__namespace__)",
          message: 'a Namespace is in no namespace: remove the field',
        },
      ]),
      { minItems: 1 },
    ),
  },
  {
    rules: [
      {
        rule: 'has(self.identities) != has(self.identityRefs)',
        message: 'needs exactly one of identities and identityRefs',
      },
    ],
  },
);

/** Linkerd's. */
export const meshTlsAuthentication: Definition = {
  group: 'policy.linkerd.io',
  kind: 'MeshTLSAuthentication',
  plural: 'meshtlsauthentications',
  shortNames: ['meshtlsauthn'],
  categories: ['policy'],
  description: 'A set of mesh identities, for an AuthorizationPolicy to require.',
  versions: [
    {
      name: 'v1alpha1',
      spec,
      columns: [{ name: 'Identities', type: 'string', jsonPath: '.spec.identities' }, age],
    },
  ],
};
