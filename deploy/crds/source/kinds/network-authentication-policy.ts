import { age, type Definition } from '../definition.ts';
import { conditions, labelSelector, namespaceName, networks, objectName, portOrName } from '../parts.ts';
import { choice, flag, keepingEverything, list, object, text, whole } from '../schema.ts';

const source = object(
  'One alternative: all that it gives must hold, and it gives something.',
  {
    podSelector: labelSelector(
      'Pods that may call, by their labels: of the own namespace, or of those that namespaceSelector selects. They are admitted by their identity, and only from their own addresses.',
    ),
    namespaceSelector: labelSelector(
      'Namespaces whose pods may call; alone it means all their pods, bound to their addresses.',
    ),
    serviceAccounts: list(
      'ServiceAccounts that may call, from any address.',
      object(
        'One ServiceAccount.',
        {
          name: objectName('Its name.'),
          namespace: namespaceName('Its namespace. Default: that of this object.'),
        },
        { required: ['name'] },
      ),
      { minItems: 1 },
    ),
    identities: list(
      'Mesh identities that may call, from any address.',
      text('A name, `*.` and the end of names, `*` for any identity, or a SPIFFE id.'),
      { minItems: 1 },
    ),
    networks: networks('Where calls may come from; alone it admits clients without identity from there.', {
      minItems: 1,
    }),
  },
  { minProperties: 1 },
);

const rule = object(
  'Requests that are admitted: all given fields must hold; of a list one value must.',
  {
    methods: list('HTTP methods.', text('A method in upper case.', { minLength: 1 }), { minItems: 1 }),
    paths: list(
      'Paths.',
      object(
        'One path.',
        {
          type: choice('Whether it is the whole path or its beginning, in whole segments.', [
            'Exact',
            'PathPrefix',
          ]),
          value: text('An absolute path that can be read in one way only.', { pattern: '^/' }),
        },
        { required: ['type', 'value'] },
      ),
      { minItems: 1 },
    ),
    headers: list(
      'Headers; all of them must be there.',
      object(
        'One header.',
        { name: text('Its name, in any case.', { minLength: 1 }), value: text('Its exact value.') },
        { required: ['name', 'value'] },
      ),
      { minItems: 1 },
    ),
  },
  { minProperties: 1 },
);

const port = object(
  'One port, or a range of ports.',
  {
    port: portOrName('A number, or the name of a container port.'),
    endPort: whole('The last port of the range that begins at `port`.', { min: 1, max: 65535 }),
  },
  {
    required: ['port'],
    rules: [
      {
        rule: '!has(self.endPort) || dyn(self.endPort) == null || (has(self.port) && type(self.port) == int && self.endPort >= self.port)',
        message: 'endPort needs a number in port, and is not below it',
      },
    ],
  },
);

const spec = object(
  'Which pods are called, on which ports, by whom, and with which requests.',
  {
    target: object(
      'The pods that are called.',
      { selector: labelSelector('Meshed pods of the own namespace, by their labels.') },
      { required: ['selector'] },
    ),
    ports: list('Ports. Default: all but those of the proxy itself.', port, { minItems: 1 }),
    sources: list('Who may call: any one of these. An empty list grants nothing.', source),
    rules: list(
      'Narrows the grant to HTTP requests: any one of these. When left out all requests and raw TCP are admitted; an empty list admits none.',
      rule,
    ),
    mode: choice(
      'Enforce makes deny the base of the selected ports; Audit only reports what would be denied.',
      ['Enforce', 'Audit'],
      'Enforce',
    ),
    allowUnnormalizedPaths: flag(
      'Lets requests reach `rules` whose path can be read in more than one way. Default: they are denied.',
    ),
  },
  { required: ['target', 'sources'] },
);

const status = object('What became of the policy.', {
  observedGeneration: whole('The metadata.generation that was looked at.', { min: 0, format: 'int64' }),
  conditions,
  matchedPods: whole('How many pods the target selects.', { min: 0 }),
  matchedSources: whole('How many pods the sources select.', { min: 0 }),
});

/**
 * Ours. Nothing that is written under `spec` is dropped by the API server, so that parser and admission see every
 * slip: a pruned condition would open what it was to close (design §6.1).
 */
export const networkAuthenticationPolicy: Definition = {
  group: 'policy.linkerd.io',
  kind: 'NetworkAuthenticationPolicy',
  plural: 'networkauthenticationpolicies',
  shortNames: ['nap'],
  categories: ['policy'],
  description: 'Says which workloads may call the selected pods; whatever it does not admit is denied.',
  versions: [
    {
      name: 'v1alpha1',
      spec: keepingEverything(spec),
      columns: [
        { name: 'Mode', type: 'string', jsonPath: '.spec.mode', description: 'Enforce or Audit' },
        { name: 'Pods', type: 'integer', jsonPath: '.status.matchedPods', description: 'Pods it protects' },
        {
          name: 'Sources',
          type: 'integer',
          jsonPath: '.status.matchedSources',
          description: 'Pods it admits',
        },
        {
          name: 'Effective',
          type: 'string',
          jsonPath: '.status.conditions[?(@.type=="Effective")].status',
          description: 'Whether all of it is enforced',
        },
        age,
      ],
    },
  ],
  status,
};
