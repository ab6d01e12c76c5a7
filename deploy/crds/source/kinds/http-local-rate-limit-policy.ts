import { age, type Definition } from '../definition.ts';
import { conditions, groupName, kindName, localRef, objectName, objectRef } from '../parts.ts';
import { list, object, type Schema, whole } from '../schema.ts';

const requestsPerSecond = whole('Requests a second.', { min: 1, format: 'int64' });

const limit = (description: string): Schema =>
  object(description, { requestsPerSecond }, { required: ['requestsPerSecond'] });

const spec = object(
  'Which Server is limited, and how far.',
  {
    targetRef: localRef('The Server; nothing else can be limited.'),
    total: limit('For all clients together, of each pod.'),
    identity: limit('For each identity by itself; not above the total.'),
    overrides: list(
      'Other limits for some clients, in place of that for each identity; not above the total.',
      object(
        'A limit for some clients.',
        {
          requestsPerSecond,
          clientRefs: list('The clients.', objectRef('A ServiceAccount.')),
        },
        { required: ['requestsPerSecond', 'clientRefs'] },
      ),
    ),
  },
  {
    required: ['targetRef'],
    rules: [
      {
        rule: '!has(self.total) || !has(self.identity) || self.identity.requestsPerSecond <= self.total.requestsPerSecond',
        message: 'identity.requestsPerSecond is above total.requestsPerSecond',
      },
      {
        rule: '!has(self.total) || !has(self.overrides) || self.overrides.all(o, o.requestsPerSecond <= self.total.requestsPerSecond)',
        message: 'an override is above total.requestsPerSecond',
      },
    ],
  },
);

const status = object(
  'What became of the policy.',
  {
    conditions,
    targetRef: object(
      'The Server that the conditions are about.',
      {
        group: groupName('Its API group.'),
        kind: kindName('Its kind.'),
        name: objectName('Its name.'),
      },
      { required: ['name'] },
    ),
  },
  { required: ['targetRef'] },
);

/** Linkerd's. */
export const httpLocalRateLimitPolicy: Definition = {
  group: 'policy.linkerd.io',
  kind: 'HTTPLocalRateLimitPolicy',
  plural: 'httplocalratelimitpolicies',
  categories: ['policy'],
  description: 'Limits the rate of HTTP requests to a Server, in each proxy by itself.',
  versions: [
    {
      name: 'v1alpha1',
      spec,
      columns: [
        { name: 'Target kind', type: 'string', jsonPath: '.spec.targetRef.kind' },
        { name: 'Target name', type: 'string', jsonPath: '.spec.targetRef.name' },
        { name: 'Total RPS', type: 'integer', jsonPath: '.spec.total.requestsPerSecond' },
        { name: 'Identity RPS', type: 'integer', jsonPath: '.spec.identity.requestsPerSecond' },
        age,
      ],
    },
  ],
  status,
};
