import { age, type Definition } from '../definition.ts';
import { conditions, networks } from '../parts.ts';
import { choice, object } from '../schema.ts';

/** Linkerd's. */
export const egressNetwork: Definition = {
  group: 'policy.linkerd.io',
  kind: 'EgressNetwork',
  plural: 'egressnetworks',
  categories: ['policy'],
  description: 'Stands for destinations outside the cluster, so that routes can be attached to them.',
  versions: [
    {
      name: 'v1alpha1',
      spec: object(
        'Which destinations, and whether they may be reached.',
        {
          trafficPolicy: choice('What becomes of traffic that no attached route describes.', [
            'Allow',
            'Deny',
          ]),
          networks: networks('The destinations. Default: all that is outside the cluster.', {
            minItems: 1,
          }),
        },
        { required: ['trafficPolicy'] },
      ),
      columns: [{ name: 'Traffic policy', type: 'string', jsonPath: '.spec.trafficPolicy' }, age],
    },
  ],
  status: object('What became of the network.', { conditions }),
};
