import { choice, list, object, type Schema, text, whole } from './schema.ts';

const dnsLabel = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';
const dnsSubdomain = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';

export const objectName = (description: string): Schema =>
  text(description, { minLength: 1, maxLength: 253 });

export const namespaceName = (description: string): Schema =>
  text(description, { maxLength: 63, pattern: dnsLabel });

export const groupName = (description: string): Schema =>
  text(description, { maxLength: 253, pattern: `^$|${dnsSubdomain}` });

export const kindName = (description: string): Schema =>
  text(description, { minLength: 1, maxLength: 63, pattern: '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$' });

/** A reference to an object of the same namespace. */
export const localRef = (description: string): Schema =>
  object(
    description,
    {
      group: groupName('API group of the object; the core group when it is empty or left out.'),
      kind: kindName('Kind of the object.'),
      name: objectName('Name of the object.'),
    },
    { required: ['kind', 'name'] },
  );

/** A reference to an object of any namespace. */
export const objectRef = (
  description: string,
  rules: NonNullable<Parameters<typeof object>[2]>['rules'] = [],
): Schema =>
  object(
    description,
    {
      group: groupName('API group of the object; the core group when it is empty or left out.'),
      kind: kindName('Kind of the object.'),
      name: objectName('Name of the object.'),
      namespace: namespaceName('Namespace of the object. Default: that of this object.'),
    },
    { required: ['kind', 'name'], ...(rules.length === 0 ? {} : { rules }) },
  );

/** Nulls among matchLabels are kept, so that `app:` with nothing behind it does not widen a selector unseen. */
export const labelSelector = (description: string): Schema =>
  object(`${description} All given conditions must hold; an empty selector selects everything.`, {
    matchLabels: {
      description: 'Labels that must be there, with these values.',
      type: 'object',
      additionalProperties: { type: 'string', nullable: true },
    },
    matchExpressions: list(
      'Conditions on single labels.',
      object(
        'One condition on one label.',
        {
          key: text('Name of the label.'),
          operator: choice('How the label must stand to the values.', [
            'In',
            'NotIn',
            'Exists',
            'DoesNotExist',
          ]),
          values: list(
            'The values; at least one for In and NotIn, none for Exists and DoesNotExist.',
            text('A value.'),
          ),
        },
        { required: ['key', 'operator'] },
      ),
    ),
  });

export const networks = (description: string, bounds: { readonly minItems?: number } = {}): Schema =>
  list(
    description,
    object(
      'A network, less its exceptions.',
      {
        cidr: text('An IPv4 or IPv6 network such as 10.0.0.0/8, or a single address.'),
        except: list(
          'Networks inside `cidr` that do not count; something of it must be left.',
          text('A network or a single address.'),
        ),
      },
      { required: ['cidr'] },
    ),
    bounds,
  );

/**
 * A number, or the name of a container port: at most 15 characters, one of them a letter (RFC 6335 §5.1). The bounds
 * apply to numbers, the patterns to texts.
 */
export const portOrName = (description: string): Schema => ({
  description,
  anyOf: [{ type: 'integer' }, { type: 'string' }],
  'x-kubernetes-int-or-string': true,
  minimum: 1,
  maximum: 65535,
  maxLength: 15,
  pattern: '^[a-z0-9](-?[a-z0-9])*$',
  allOf: [{ pattern: '[a-z]' }],
});

const conditionWithout = (
  probe: Readonly<Record<string, Schema>>,
  required: readonly string[] = ['type', 'status'],
): Schema =>
  object(
    'One aspect of the state of the object.',
    {
      type: text('What it is about, in CamelCase.', { minLength: 1, maxLength: 316 }),
      status: choice('Whether it holds.', ['True', 'False', 'Unknown']),
      observedGeneration: whole('The metadata.generation that was looked at.', { min: 0, format: 'int64' }),
      lastTransitionTime: text('When the status changed last.', { format: 'date-time' }),
      ...probe,
      reason: text('Why, in one CamelCase word for programs.', { minLength: 1, maxLength: 1024 }),
      message: text('Why, in a sentence for people.', { maxLength: 32768 }),
    },
    { required },
  );

/** `map` lets several writers own one condition each by server-side apply. */
export const conditions: Schema = list('The state of the object, one aspect each.', conditionWithout({}), {
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
});

export const probedConditions: Schema = list(
  'The state of the object, one aspect each.',
  conditionWithout({ lastProbeTime: text('When it was looked at last.', { format: 'date-time' }) }),
  { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
);
