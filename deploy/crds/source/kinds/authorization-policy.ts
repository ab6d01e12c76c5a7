import { age, type Definition } from '../definition.ts';
import { localRef, objectRef } from '../parts.ts';
import { list, object } from '../schema.ts';

const count = (kind: string): string =>
  `self.requiredAuthenticationRefs.filter(r, r.kind.lowerAscii() == '${kind}').size()`;

const spec = object(
  'What is authorized, and for whom.',
  {
    targetRef: localRef(
      'A Server or HTTPRoute of policy.linkerd.io, an HTTPRoute or GRPCRoute of gateway.networking.k8s.io, or the own Namespace.',
    ),
    requiredAuthenticationRefs: list(
      'What a client must satisfy, all of it: at most one identity source (MeshTLSAuthentication or ServiceAccount) and one NetworkAuthentication. An empty list admits everybody.',
      objectRef('A MeshTLSAuthentication, a NetworkAuthentication, or a ServiceAccount.'),
      { maxItems: 2 },
    ),
  },
  {
    required: ['targetRef', 'requiredAuthenticationRefs'],
    rules: [
      {
        rule: `${count('meshtlsauthentication')} + ${count('serviceaccount')} <= 1`,
        message: 'at most one MeshTLSAuthentication or ServiceAccount: write several policies instead',
      },
      {
        rule: `${count('networkauthentication')} <= 1`,
        message: 'at most one NetworkAuthentication: write several policies instead',
      },
    ],
  },
);

/** Linkerd's. */
export const authorizationPolicy: Definition = {
  group: 'policy.linkerd.io',
  kind: 'AuthorizationPolicy',
  plural: 'authorizationpolicies',
  shortNames: ['authzpolicy'],
  categories: ['policy'],
  description: 'Admits clients that satisfy authentications to a Server, a route or a namespace.',
  versions: [
    {
      name: 'v1alpha1',
      spec,
      columns: [
        { name: 'Target kind', type: 'string', jsonPath: '.spec.targetRef.kind' },
        { name: 'Target name', type: 'string', jsonPath: '.spec.targetRef.name' },
        age,
      ],
    },
  ],
};
