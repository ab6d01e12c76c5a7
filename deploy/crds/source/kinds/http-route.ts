import { age, type Definition, type PrinterColumn } from '../definition.ts';
import { conditions, groupName, kindName, namespaceName, objectName } from '../parts.ts';
import { choice, list, object, type Schema, text, whole } from '../schema.ts';
import { filter } from './http-route-filter.ts';

const hostname = text('A lower-case DNS name, or `*.` and the end of names.', {
  minLength: 1,
  maxLength: 253,
  pattern: '^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
});

const parentRef = (description: string): Schema =>
  object(
    description,
    {
      group: { ...groupName('API group of the parent.'), default: 'policy.linkerd.io' },
      kind: { ...kindName('Kind of the parent, such as Server or Service.'), default: 'Gateway' },
      namespace: namespaceName('Namespace of the parent. Default: that of this object.'),
      name: objectName('Name of the parent.'),
      sectionName: text('A part of the parent; a Server has none.', { minLength: 1, maxLength: 253 }),
      port: whole('A port of the parent; a Server has none.', { min: 1, max: 65535 }),
    },
    { required: ['name'] },
  );

const valueMatch = (description: string, name: Schema): Schema =>
  object(
    description,
    {
      type: choice(
        'How the value is compared; a regular expression must match all of it.',
        ['Exact', 'RegularExpression'],
        'Exact',
      ),
      name,
      value: text('The value.', { minLength: 1, maxLength: 4096 }),
    },
    { required: ['name', 'value'] },
  );

const match = object('One alternative; all that it gives must hold.', {
  path: {
    ...object(
      'The path of the request.',
      {
        type: choice(
          'Whether it is the whole path, its beginning in whole segments, or a regular expression for all of it.',
          ['Exact', 'PathPrefix', 'RegularExpression'],
          'PathPrefix',
        ),
        value: text('The path.', { maxLength: 1024, default: '/' }),
      },
      {
        rules: [
          {
            rule: "self.type == 'RegularExpression' || self.value.startsWith('/')",
            message: 'a path begins with /',
          },
        ],
      },
    ),
    default: { type: 'PathPrefix', value: '/' },
  },
  method: text('The HTTP method, in upper case.', { maxLength: 64 }),
  headers: list(
    'Headers; all must match.',
    valueMatch('One header.', text('Its name, in any case.', { minLength: 1, maxLength: 256 })),
    { maxItems: 16 },
  ),
  queryParams: list(
    'Query parameters; all must match.',
    valueMatch('One query parameter.', text('Its name.', { minLength: 1, maxLength: 256 })),
    { maxItems: 16 },
  ),
});

const duration = (description: string): Schema =>
  text(description, { maxLength: 32, pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' });

const backendRef = object(
  'One destination.',
  {
    group: { ...groupName('API group of the destination. Default: the core group.'), default: '' },
    kind: { ...kindName('Kind of the destination.'), default: 'Service' },
    name: objectName('Name of the destination.'),
    namespace: namespaceName('Namespace of the destination. Default: that of this object.'),
    port: whole('Its port; a Service needs one.', { min: 1, max: 65535 }),
    weight: { ...whole('Its share among all weights.', { min: 0, max: 1_000_000 }), default: 1 },
    filters: list('What is done to requests that go there.', filter, { maxItems: 16 }),
  },
  { required: ['name'] },
);

const rule = object('Requests, and what is done to them.', {
  name: text('Name of the rule.', { minLength: 1, maxLength: 253 }),
  matches: list('Which requests: any one of these. Default: every request.', match, {
    maxItems: 8,
    default: [{ path: { type: 'PathPrefix', value: '/' } }],
  }),
  filters: list('What is done to the requests, in this order.', filter, { maxItems: 16 }),
  backendRefs: list('Where the requests go, for routes of Services.', backendRef, { maxItems: 16 }),
  timeouts: object(
    'How long things may take, for routes of Services; 0s means forever.',
    {
      request: duration('The whole of a request, with its retries.'),
      backendRequest: duration('One attempt.'),
    },
    {
      rules: [
        {
          rule: "!has(self.request) || !has(self.backendRequest) || duration(self.request) == duration('0s') || duration(self.backendRequest) <= duration(self.request)",
          message: 'backendRequest is longer than request',
        },
      ],
    },
  ),
});

const spec = object('What the route is attached to, and which requests it describes.', {
  parentRefs: list(
    'What the route is attached to.',
    parentRef('A Server of the own namespace, a Service, or another parent.'),
    {
      maxItems: 32,
    },
  ),
  hostnames: list('Hosts that the request must be for. Default: any.', hostname, { maxItems: 16 }),
  rules: list('The requests. Default: every request.', rule, {
    maxItems: 16,
    default: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }] }],
  }),
});

const status = object(
  'What became of the route.',
  {
    parents: list(
      'What each parent says of it.',
      object(
        'What one parent says of it.',
        {
          parentRef: parentRef('The parent.'),
          controllerName: text('Who wrote this.', { minLength: 1, maxLength: 253 }),
          conditions,
        },
        { required: ['parentRef', 'controllerName'] },
      ),
      { maxItems: 32 },
    ),
  },
  { required: ['parents'] },
);

const columns: readonly PrinterColumn[] = [
  { name: 'Hostnames', type: 'string', jsonPath: '.spec.hostnames' },
  age,
];

/** Linkerd's, which came before Gateway API's was in every cluster; one shape in all versions. */
export const httpRoute: Definition = {
  group: 'policy.linkerd.io',
  kind: 'HTTPRoute',
  plural: 'httproutes',
  categories: ['policy'],
  description: 'Describes HTTP requests to a Server or a Service, for authorizations to be about.',
  versions: ['v1alpha1', 'v1beta1', 'v1beta2', 'v1beta3'].map((name) => ({ name, spec, columns })),
  status,
};
