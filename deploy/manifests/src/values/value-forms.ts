import { quoted } from '@gatehouse/core/foreign-text';
import type { Field } from '@gatehouse/core/injection/proxy-settings';
import type { ValueForm } from '@gatehouse/core/injection/value-forms';
import { isDnsName } from '@gatehouse/core/mesh/workload-identity';
import { type Parsed, type Problem, parsed, problem } from '@gatehouse/core/problem';
import { describe, isWireObject } from '@gatehouse/platform/kube/parse/fields';
import type { Setting } from '@gatehouse/platform/settings/config';

/** Values that become texts of a manifest: labels, annotations, variables. */
export type Texts = Readonly<Record<string, string>>;

/** What a service's own setting is, as a value of install: checked by the service's parser, kept as it is written. */
export interface SettingField extends Field<string> {
  /** The variable by which the service gets it. */
  readonly variable: string;
}

/** A setting of a service; form, default and sentence are the service's own. `fallback` is for settings that may be absent. */
export const settingField = (
  { variable, value, sentence, fallback: usual }: Setting<unknown>,
  fallback = usual,
): SettingField => {
  if (fallback === undefined) throw new TypeError(`${variable} has no default`);
  const readText = (text: string, field: string): Parsed<string> => {
    const outcome = value.read(text, field);
    return outcome.ok ? parsed(text) : outcome;
  };
  const readJson = (written: unknown, field: string): Parsed<string> => {
    if (typeof written === 'string') return readText(written, field);
    if (typeof written === 'boolean' || Number.isSafeInteger(written)) return readText(`${written}`, field);
    const items = Array.isArray(written) && written.every((item) => typeof item === 'string');
    return items
      ? readText(written.join(','), field)
      : problem(field, `${describe(written)} is not text`, `write ${value.form}`);
  };
  return { variable, form: { form: value.form, readText, readJson }, fallback, sentence };
};

/** One label of a DNS name, as namespaces have it (RFC 1123). */
export const namespaceName: ValueForm<string> = textForm('name of a namespace', (text, field) =>
  isNamespace(text)
    ? parsed(text)
    : problem(field, `${quoted(text)} is not a valid namespace`, 'use one DNS label, such as gatehouse'),
);

/** At least one. */
export const replicaCount: ValueForm<number> = {
  form: 'whole number from 1 to 100',
  readText: (text, field) => readCount(/^\d{1,3}$/.test(text) ? Number(text) : text, field),
  readJson: (value, field) => readCount(value, field),
};

const readCount = (value: unknown, field: string): Parsed<number> =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 100
    ? parsed(value)
    : problem(field, `${describe(value)} is not a number of replicas`, 'write a whole number from 1 to 100');

/** As admission webhooks may have it (admissionregistration.k8s.io/v1). */
export const webhookTimeout: ValueForm<number> = {
  form: 'whole number from 1 to 30',
  readText: (text, field) => readSeconds(/^\d{1,2}$/.test(text) ? Number(text) : text, field),
  readJson: (value, field) => readSeconds(value, field),
};

const readSeconds = (value: unknown, field: string): Parsed<number> =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 30
    ? parsed(value)
    : problem(field, `${describe(value)} is not a valid timeout`, 'write whole seconds from 1 to 30');

/** A number of replicas, where 0 leaves the decision to another value. */
export const optionalReplicaCount: ValueForm<number> = {
  form: `${replicaCount.form}; 0 = as \`replicas\``,
  readText: (text, field) => (text === '0' ? parsed(0) : replicaCount.readText(text, field)),
  readJson: (value, field) => (value === 0 ? parsed(0) : replicaCount.readJson(value, field)),
};

/** Switched on, and nothing else: for values that other installers have and that mean no choice here. */
export const alwaysTrue: ValueForm<true> = {
  form: '`true`',
  readText: (text, field) => (text === 'true' ? parsed(true) : alwaysOn(text, field)),
  readJson: (value, field) => (value === true ? parsed(true) : alwaysOn(value, field)),
};

const alwaysOn = (value: unknown, field: string): Parsed<never> =>
  problem(field, `${describe(value)} is not true`, 'the policy service is part of every installation');

/** Names of Kubernetes objects; as text, joined by commas. */
export const names: ValueForm<readonly string[]> = {
  form: 'list of names',
  readText: (text, field) => readNames(text === '' ? [] : text.split(','), field),
  readJson: (value, field) =>
    Array.isArray(value)
      ? readNames(value, field)
      : problem(field, `${describe(value)} is not a list`, 'write a list of names'),
};

const readNames = (items: readonly unknown[], field: string): Parsed<readonly string[]> => {
  const problems = items.flatMap((item, index): readonly Problem[] =>
    typeof item === 'string' && isDnsName(item)
      ? []
      : [
          {
            field: `${field}[${index}]`,
            found: `${describe(item)} is not a valid name`,
            fix: 'use lower-case letters, digits, - and .',
          },
        ],
  );
  return problems.length > 0 ? { ok: false, problems } : parsed(items as readonly string[]);
};

/** An object whose values are all text. On a command line each of its names is set by itself: `podLabels.team=mesh`. */
export const texts: ValueForm<Texts> = {
  form: 'names with a text each',
  readText: (text, field) => problem(field, `${quoted(text)} is not an object`, `set ${field}.NAME=TEXT`),
  readJson: (value, field) => {
    if (!isWireObject(value))
      return problem(field, `${describe(value)} is not an object`, 'write NAME: "TEXT"');
    const problems = Object.entries(value).flatMap(([name, text]): readonly Problem[] =>
      typeof text === 'string'
        ? []
        : [{ field: `${field}.${name}`, found: `${describe(text)} is not text`, fix: 'write it in quotes' }],
    );
    return problems.length > 0 ? { ok: false, problems } : parsed(value as Texts);
  },
};

/** A form whose JSON is a string. */
export function textForm(form: string, readText: ValueForm<string>['readText']): ValueForm<string> {
  return {
    form,
    readText,
    readJson: (value, field) =>
      typeof value === 'string'
        ? readText(value, field)
        : problem(field, `${describe(value)} is not text`, `write ${form}`),
  };
}

const isNamespace = (text: string): boolean => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text);
