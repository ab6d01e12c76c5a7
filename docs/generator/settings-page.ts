import { destinationSettings } from '@gatehouse/destination/config';
import { identitySettings } from '@gatehouse/identity/config';
import type { Setting, Settings } from '@gatehouse/platform/settings/config';
import { policySettings } from '@gatehouse/policy/config';
import { code, page, table } from './table.ts';

const services: Readonly<Record<string, Settings>> = {
  identity: identitySettings,
  destination: destinationSettings,
  policy: policySettings,
};

/** One variable with what each service that reads it takes for its default. */
interface Variable {
  readonly setting: Setting<unknown>;
  readonly defaults: ReadonlyMap<string, string>;
}

/** Every variable that a service reads, in the order of the tables. */
export const variables = (): readonly Variable[] => {
  const found = new Map<string, { setting: Setting<unknown>; defaults: Map<string, string> }>();
  for (const [service, settings] of Object.entries(services)) {
    for (const setting of Object.values(settings)) {
      const known = found.get(setting.variable) ?? { setting, defaults: new Map<string, string>() };
      known.defaults.set(service, setting.absent ?? code(setting.fallback ?? ''));
      found.set(setting.variable, known);
    }
  }
  return [...found.values()];
};

/** The two variables of the reference proxy that linkerd2-proxy does not have; the rest of its environment is linkerd2-proxy's. */
export const proxyVariables: readonly (readonly [string, string, string])[] = [
  [
    'GATEHOUSE_DEV_INBOUND',
    'podIP:port=127.0.0.1:appPort, comma-separated',
    'The ports to listen on for the pod, and where its application really is.',
  ],
  [
    'GATEHOUSE_DEV_HTTP_PROXY',
    'host:port',
    "Where the pod's own calls come in: absolute-form HTTP or CONNECT.",
  ],
];

const whatDefault = ({ defaults }: Variable): string => {
  const distinct = [...new Set(defaults.values())];
  return distinct.length === 1
    ? (distinct[0] ?? '')
    : [...defaults].map(([service, fallback]) => `${service} ${fallback}`).join(', ');
};

const rowOf = (variable: Variable): string[] => [
  code(variable.setting.variable),
  whatDefault(variable),
  variable.setting.value.form,
  variable.setting.sentence,
];

const titleOf = (readers: readonly string[]): string =>
  readers.length === Object.keys(services).length ? 'Every service' : readers.join(' and ');

/** One table for each set of services that read the same variables, those of all first. */
const tables = (): readonly string[] => {
  const groups = new Map<string, string[][]>();
  for (const variable of variables()) {
    const title = titleOf([...variable.defaults.keys()]);
    groups.set(title, [...(groups.get(title) ?? []), rowOf(variable)]);
  }
  return [...groups].flatMap(([title, rows]) => [
    `## ${title}`,
    table(['variable', 'default', 'value', 'meaning'], rows),
  ]);
};

export const settingsPage = (): string =>
  page(
    'Settings',
    'Every service is configured by its environment, read once at the start. All problems are reported together, each with its\n' +
      'variable, what was found and what is right; a start with a wrong value, or with a variable that looks like a mistyped\n' +
      'setting, ends with exit code 2. A service ignores the variables of the others, so all can be given the same environment.',
    ...tables(),
    '## Reference proxy',
    "Beside linkerd2-proxy's own variables, which it reads as linkerd2-proxy does.",
    table(
      ['variable', 'value', 'meaning'],
      proxyVariables.map(([variable, value, meaning]) => [code(variable), value, meaning]),
    ),
  );
