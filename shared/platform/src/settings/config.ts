import { GatehouseError } from '@gatehouse/core/error';
import { type Parsed, type Problem, printProblem } from '@gatehouse/core/problem';
import { type SettingName, settingNames } from './setting-names.ts';
import { lookalike } from './setting-typo.ts';

/** One way of writing a value in the environment: how the reference describes it, and its parser. */
export interface ValueForm<T> {
  /** For people: `duration`, `host:port`, `deny | hold`. */
  readonly form: string;
  readonly read: (text: string, field: string) => Parsed<T>;
}

/** All there is to know of one setting: the start reads it from here, and so does docs/reference/settings.md. */
export interface Setting<T> {
  readonly variable: SettingName;
  readonly value: ValueForm<T>;
  /** As an operator would write it, read by the same parser; undefined = the variable may be absent. */
  readonly fallback: string | undefined;
  /** What an absent variable means, for the reference; undefined when the fallback says it all. */
  readonly absent: string | undefined;
  /** What the setting is for, in one sentence. */
  readonly sentence: string;
}

export type Settings = Readonly<Record<string, Setting<unknown>>>;

export type Config<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
} & {
  /** What did not stop the start but should be logged: unknown variables. */
  readonly warnings: readonly string[];
};

interface Row<T> {
  readonly variable: SettingName;
  readonly value: ValueForm<T>;
  readonly sentence: string;
}

/** A setting that always has a value. */
export const setting = <T>(row: Row<T> & { readonly fallback: string }): Setting<T> => ({
  ...row,
  absent: undefined,
});

/** A setting whose absence means something of its own, said in `absent`; its value is then undefined. */
export const optionalSetting = <T>(row: Row<T> & { readonly absent: string }): Setting<T | undefined> => ({
  ...row,
  fallback: undefined,
});

/**
 * Reads every setting of the table from the environment. Throws one `invalid-argument` that lists all problems, each
 * naming its variable. `check` looks at settings together and is asked only when each can be read alone.
 */
export const readConfig = <S extends Settings>(
  settings: S,
  env: Readonly<Record<string, string | undefined>>,
  check: (config: Config<S>) => readonly Problem[] = () => [],
): Config<S> => {
  const problems: Problem[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, { variable, value, fallback }] of Object.entries(settings)) {
    const text = env[variable] ?? fallback;
    if (text === undefined) {
      values[key] = undefined;
      continue;
    }
    const outcome = value.read(text, variable);
    if (outcome.ok) values[key] = outcome.value;
    else problems.push(...outcome.problems);
  }
  const warnings: string[] = [];
  for (const name of Object.keys(env).filter(isUnknown)) {
    const meant = lookalike(name, settingNames);
    if (meant === undefined) warnings.push(`${name} means nothing to Gatehouse`);
    else problems.push({ field: name, found: 'is no setting', fix: `${meant} is meant, or unset it` });
  }
  const config = Object.freeze({ ...values, warnings: Object.freeze(warnings) }) as unknown as Config<S>;
  if (problems.length === 0) problems.push(...check(config));
  if (problems.length > 0) {
    const lines = problems.map((one) => `  ${printProblem(one)}`).join('\n');
    throw new GatehouseError('invalid-argument', `the configuration cannot be used:\n${lines}`, {
      details: { problems },
    });
  }
  return config;
};

const known: ReadonlySet<string> = new Set(settingNames);

// Kubernetes puts `GATEHOUSE_WEBHOOK_SERVICE_HOST`, `GATEHOUSE_WEBHOOK_PORT_443_TCP_ADDR` … into the pods of a
// namespace that has a Service `gatehouse-webhook` (enableServiceLinks): nobody wrote them.
const isServiceLink = (variable: string): boolean => {
  const name = variable.slice(prefix.length);
  return /^\w+$/.test(name) && (linkEnd.test(name) || name.indexOf('_SERVICE_PORT') > 0);
};
const linkEnd = /\w_(?:SERVICE_HOST|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;
const prefix = 'GATEHOUSE_';

const isUnknown = (name: string): boolean =>
  name.startsWith(prefix) && !known.has(name) && !isServiceLink(name);
