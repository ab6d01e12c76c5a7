import type { WireObject } from '@gatehouse/testing/real-cluster';
import fc from 'fast-check';

/** A field that is left out as often as not. */
export const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 });

/** The usual value nine times in ten. */
export const usually = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: usual, weight: 9 }, { arbitrary: rare, weight: 1 });

/** An object without the fields that are undefined. */
export const said = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<WireObject> =>
  fc
    .record(fields, { noNullPrototype: true })
    .map((object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)));

export const here = 'demo';
export const elsewhere = 'other';
export const namespaces = [here, elsewhere] as const;

/** The labels of pods, Servers and ExternalWorkloads. */
export const labels: fc.Arbitrary<WireObject> = said({
  app: fc.constantFrom('backend', 'worker', undefined),
  tier: fc.constantFrom('x', 'y', undefined),
});

const expression = fc.oneof(
  fc.record({
    key: fc.constantFrom('app', 'tier'),
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.subarray(['backend', 'worker', 'x'], { minLength: 1 }),
  }),
  fc.record({
    key: fc.constantFrom('app', 'tier'),
    operator: fc.constantFrom('Exists', 'DoesNotExist'),
  }),
);

export const selector: fc.Arbitrary<WireObject> = fc.oneof(
  { arbitrary: fc.constant({}), weight: 3 },
  { arbitrary: fc.constantFrom('backend', 'worker').map((app) => ({ matchLabels: { app } })), weight: 3 },
  {
    arbitrary: said({
      matchLabels: maybe(labels),
      matchExpressions: fc.array(expression, { minLength: 1, maxLength: 2 }),
    }),
    weight: 2,
  },
);

/** Networks as authors write them: bare addresses, host bits, exceptions. */
export const networks: fc.Arbitrary<readonly WireObject[]> = fc.array(
  fc.constantFrom<WireObject>(
    { cidr: '10.0.0.0/8' },
    { cidr: '10.0.0.0/30', except: ['10.0.0.2/32'] },
    { cidr: '10.1.2.3/16', except: ['10.1.7.7', '10.1.8.9/24'] },
    { cidr: '192.168.7.7' },
    { cidr: 'fd00::/8', except: ['fd00::9'] },
    { cidr: 'fd00:0:0:1::7' },
    { cidr: '0.0.0.0/0' },
    { cidr: '::/0' },
  ),
  { minLength: 1, maxLength: 3 },
);

export const identityName = fc.constantFrom(
  '*',
  '*.demo.serviceaccount.identity.gatehouse.cluster.local',
  '*.cluster.local',
  'default.demo.serviceaccount.identity.gatehouse.cluster.local',
  'web.other.serviceaccount.identity.gatehouse.cluster.local',
  'someone.elsewhere.example',
  'spiffe://elsewhere/app',
);

const written = <T>(text: T): fc.Arbitrary<T | undefined> => fc.constantFrom(text, text, undefined);

/** A namespace as a reference gives it: perhaps not at all, for its own. */
export const refNamespace = fc.constantFrom(here, elsewhere, undefined);

export const accountRef: fc.Arbitrary<WireObject> = said({
  kind: fc.constantFrom('ServiceAccount', 'ServiceAccount', 'serviceaccount'),
  group: written(''),
  name: fc.constantFrom('default', 'web'),
  namespace: refNamespace,
});

export interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** The names `prefix-0` and so on, in the namespace of the targets unless it says otherwise. */
export const names = (prefix: string, count: number, where: readonly string[] = [here]): readonly Named[] =>
  where.flatMap((namespace) =>
    Array.from({ length: count }, (_, at) => ({ namespace, name: `${prefix}-${at}` })),
  );

/** An object of a kind under some of the names, each with its own spec and version. */
export const someObjects = (
  group: string,
  kind: string,
  {
    versions,
    called,
    spec,
    marked,
  }: {
    readonly versions: readonly string[];
    readonly called: readonly Named[];
    readonly spec: fc.Arbitrary<WireObject>;
    readonly marked?: fc.Arbitrary<WireObject>;
  },
): fc.Arbitrary<readonly WireObject[]> =>
  fc.subarray([...called]).chain((chosen) =>
    fc.tuple(
      ...chosen.map((name) =>
        fc.record({ version: fc.constantFrom(...versions), spec, labels: marked ?? fc.constant({}) }).map(
          (one): WireObject => ({
            apiVersion: `${group}/${one.version}`,
            kind,
            metadata: { ...name, labels: one.labels },
            spec: one.spec,
          }),
        ),
      ),
    ),
  );
