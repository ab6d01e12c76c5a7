import { age, type Definition, type PrinterColumn } from '../definition.ts';
import { flag, list, object, opaque, type Schema, text, whole } from '../schema.ts';

/** A condition inside a condition may nest forever, which a structural schema cannot say: its inside is kept as written. */
const nested = (what: string): Readonly<Record<'all' | 'any' | 'not', Schema>> => ({
  all: list(`All of these ${what}s must hold.`, opaque(`A ${what} like this one.`)),
  any: list(`One of these ${what}s must hold.`, opaque(`A ${what} like this one.`)),
  not: {
    description: `This ${what} must not hold.`,
    'x-kubernetes-preserve-unknown-fields': true,
  },
});

const route = object(
  'Requests that are measured, timed out and retried alike.',
  {
    name: text('Name of the route, as metrics show it.', { minLength: 1 }),
    condition: object('Which requests; all that is given must hold.', {
      ...nested('request condition'),
      method: text('The HTTP method.'),
      pathRegex: text('A regular expression for the whole path.'),
    }),
    isRetryable: flag('Whether a failed request may be sent again.'),
    timeout: text('How long a response may take, such as 300ms or 25s.'),
    responseClasses: list(
      'Which responses count as failures; the first that holds decides.',
      object(
        'Responses that count alike.',
        {
          condition: object('Which responses; all that is given must hold.', {
            ...nested('response condition'),
            status: object(
              'A range of HTTP statuses.',
              {
                min: whole('The lowest.', { min: 100, max: 599 }),
                max: whole('The highest.', { min: 100, max: 599 }),
              },
              {
                rules: [
                  {
                    rule: '!has(self.min) || !has(self.max) || self.min <= self.max',
                    message: 'max is below min',
                  },
                ],
              },
            ),
          }),
          isFailure: flag('Whether they are failures.'),
        },
        { required: ['condition'] },
      ),
    ),
  },
  { required: ['name', 'condition'] },
);

const specNeeding = (required?: readonly string[]): Schema =>
  object(
    'How requests to a Service are told apart, retried and sent elsewhere.',
    {
      routes: list('Routes; the first that matches a request is its route.', route),
      retryBudget: object(
        'How much retries may add to the load.',
        {
          retryRatio: {
            description: 'Retries per request, such as 0.2.',
            type: 'number',
            format: 'float',
            minimum: 0,
          },
          minRetriesPerSecond: whole('Retries a second that are allowed in any case.', { min: 0 }),
          ttl: text('How long a request counts, such as 10s.'),
        },
        { required: ['retryRatio', 'minRetriesPerSecond', 'ttl'] },
      ),
      dstOverrides: list(
        'Where requests go instead.',
        object(
          'One destination.',
          {
            authority: text('Host and port of it.', { minLength: 1 }),
            weight: {
              description: 'Its share among all weights: a Kubernetes quantity such as 1 or 500m.',
              anyOf: [{ type: 'integer' }, { type: 'string' }],
              'x-kubernetes-int-or-string': true,
              pattern: '^[0-9]+(\\.[0-9]*)?m?$',
            },
          },
          { required: ['authority', 'weight'] },
        ),
      ),
      opaquePorts: list('Ports on which no protocol is looked for.', text('A number or a range a-b.')),
    },
    required === undefined ? {} : { required },
  );

const columns: readonly PrinterColumn[] = [age];

/** Linkerd's, in one shape in both versions, but that the older one wants routes. */
export const serviceProfile: Definition = {
  group: 'linkerd.io',
  kind: 'ServiceProfile',
  plural: 'serviceprofiles',
  shortNames: ['sp'],
  description: 'Describes the requests to a Service; its name is the full DNS name of the Service.',
  versions: [
    { name: 'v1alpha1', spec: specNeeding(['routes']), columns },
    { name: 'v1alpha2', spec: specNeeding(), columns },
  ],
};
