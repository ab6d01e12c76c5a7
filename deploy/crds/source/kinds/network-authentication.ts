import { age, type Definition } from '../definition.ts';
import { networks } from '../parts.ts';
import { object } from '../schema.ts';

/** Linkerd's. */
export const networkAuthentication: Definition = {
  group: 'policy.linkerd.io',
  kind: 'NetworkAuthentication',
  plural: 'networkauthentications',
  shortNames: ['netauthn', 'networkauthn'],
  categories: ['policy'],
  description: 'A set of networks, for an AuthorizationPolicy to require.',
  versions: [
    {
      name: 'v1alpha1',
      spec: object(
        'Networks, any one of which suffices.',
        { networks: networks('Networks that clients call from.', { minItems: 1 }) },
        { required: ['networks'] },
      ),
      columns: [{ name: 'Networks', type: 'string', jsonPath: '.spec.networks[*].cidr' }, age],
    },
  ],
};
