import { asGatehouseError } from '@gatehouse/core/error';
import type { Problem } from '@gatehouse/core/problem';
import { unusableValues } from '../values/read-values.ts';
import { isField, type Values, type ValueTree, valueFields } from '../values/value-fields.ts';
import type { SettingField } from '../values/value-forms.ts';
import type { ServiceFacts } from './control-plane.ts';
import { webhookPort } from './injector.ts';

/** One variable of a container, as core/v1 EnvVar. */
export type Variable =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly valueFrom: { readonly fieldRef: { readonly fieldPath: string } } };

const isSettingField = (field: object): field is SettingField => 'variable' in field;

/** The variables that values stand for, of all services. */
const variablesOf = (
  tree: ValueTree,
  values: Readonly<Record<string, unknown>>,
): readonly (readonly [string, string])[] =>
  Object.entries(tree).flatMap(([name, node]) => {
    const value = values[name];
    if (!isField(node)) return variablesOf(node, value as Readonly<Record<string, unknown>>);
    return isSettingField(node) ? [[node.variable, String(value)] as const] : [];
  });

/** Wildcards of both families: pods of an IPv6 cluster are not reached at 0.0.0.0. */
const addressesOf = ({ ports }: ServiceFacts): readonly (readonly [string, string])[] => [
  ['GATEHOUSE_GRPC_ADDR', `[::]:${ports.grpc}`],
  ['GATEHOUSE_ADMIN_ADDR', `[::]:${ports.admin}`],
  [webhookAddress, `[::]:${webhookPort}`],
];

/** Of policy; the others do not know it. */
const webhookAddress = 'GATEHOUSE_WEBHOOK_ADDR';

/**
 * What the container of a service is told. Its own configuration reader is asked whether it would start with that: a mistake is an
 * error here and no pod that restarts for ever. Throws `invalid-argument` that names the values.
 */
export const environmentOf = (facts: ServiceFacts, values: Values): readonly Variable[] => {
  const { service, settings } = facts;
  const known = new Set<string>(Object.values(settings).map(({ variable }) => variable));
  const extra = Object.entries(values[service].env);
  const written = new Map<string, string>([
    ['GATEHOUSE_NAMESPACE', values.namespace],
    ...variablesOf(valueFields, values as unknown as Readonly<Record<string, unknown>>),
    ...(values.ipv6 ? addressesOf(facts) : []),
    ...(values.injector.enabled ? [] : [[webhookAddress, ''] as const]),
  ]);
  const own = [...written].filter(([variable]) => known.has(variable));
  const problems = extra.flatMap(([variable]): readonly Problem[] => {
    const field = `${service}.env.${variable}`;
    if (variable === podName || own.some(([name]) => name === variable)) {
      return [
        { field, found: 'another value says it already', fix: 'use that value (docs/reference/values.md)' },
      ];
    }
    return variable.startsWith('GATEHOUSE_') && !known.has(variable)
      ? [{ field, found: `${service} reads no such variable`, fix: 'docs/reference/settings.md lists them' }]
      : [];
  });
  if (problems.length > 0) throw unusableValues(problems);
  const all = new Map([...own, ...extra]);
  tryOut(facts, Object.fromEntries(all));
  return [
    { name: podName, valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ...[...all].map(([name, value]) => ({ name, value })),
  ];
};

const podName = 'GATEHOUSE_POD_NAME';

const tryOut = ({ service, readConfig }: ServiceFacts, env: Readonly<Record<string, string>>): void => {
  try {
    readConfig(env);
  } catch (thrown) {
    const { problems } = asGatehouseError(thrown).details as { readonly problems?: readonly Problem[] };
    if (problems === undefined) throw thrown;
    throw unusableValues(problems.map((one) => ({ ...one, field: `${one.field} of ${service}` })));
  }
};
