import { defaultProxySettings } from '@gatehouse/core/injection/proxy-settings';
import { stringify } from 'yaml';
import manifest from '../package.json' with { type: 'json' };
import { controlPlane } from '../src/objects/control-plane.ts';
import { webhookPort } from '../src/objects/injector.ts';

import { highlyAvailable, isField, type ValueTree, valueFields } from '../src/values/value-fields.ts';
import type { SettingField } from '../src/values/value-forms.ts';
import { chartOnly } from './chart-only.ts';

type Tree = Readonly<Record<string, unknown>>;

const head = 'Made from deploy/manifests; change that, then run `npm run chart`.';

/** The release has a namespace already; and only a chart has to be given certificates as values. */
const { namespace: _, ...shared } = valueFields;
const chartFields: ValueTree = {
  ...shared,
  identityTrustAnchorsPEM: chartOnly.anchors,
  identity: {
    ...shared.identity,
    issuer: { ...shared.identity.issuer, tls: { crtPEM: chartOnly.certificate, keyPEM: chartOnly.key } },
  },
};

const chart = {
  apiVersion: 'v2',
  name: 'gatehouse',
  description: 'The control plane of a zero-trust service mesh for Kubernetes',
  type: 'application',
  version: manifest.version,
  appVersion: manifest.version,
  kubeVersion: '>=1.30.0-0',
};

/** What `highAvailability` decides has no default of its own: a chart cannot tell a default from the same value that was given. */
const defaultOf = (path: string, fallback: unknown): unknown =>
  Object.hasOwn(highlyAvailable, path) ? null : fallback;

const comment = (text: string, indent: string): string =>
  text
    .replace(/(.{1,100})(?: |$)/g, '$1\n')
    .trimEnd()
    .split('\n')
    .map((line) => `${indent}# ${line}\n`)
    .join('');

const valuesYaml = (tree: ValueTree, above: string, indent: string): string =>
  Object.entries(tree)
    .map(([name, node]) => {
      const path = above === '' ? name : `${above}.${name}`;
      if (!isField(node)) return `${indent}${name}:\n${valuesYaml(node, path, `${indent}  `)}`;
      const usual = Object.entries(highlyAvailable).find(([key]) => key === path)?.[1];
      const note = usual === undefined ? '' : ` null = ${node.fallback}, or ${usual} with highAvailability.`;
      const value = stringify(defaultOf(path, node.fallback), { lineWidth: 0, compat: 'yaml-1.1' }).trimEnd();
      return `${comment(`${node.sentence}${note} (${node.form.form})`, indent)}${indent}${name}: ${value}\n`;
    })
    .join('');

const typeOf = (fallback: unknown): string => {
  if (Array.isArray(fallback)) return 'array';
  return typeof fallback === 'number' ? 'number' : typeof fallback;
};

/** Names and types. What else a value must be is checked by the services, and by `gatehouse install` before that. */
const schemaOf = (tree: ValueTree, above = ''): object => ({
  type: 'object',
  additionalProperties: false,
  properties: {
    ...Object.fromEntries(
      Object.entries(tree).map(([name, node]) => {
        const path = above === '' ? name : `${above}.${name}`;
        if (!isField(node)) return [name, schemaOf(node, path)];
        const type = typeOf(node.fallback);
        return [
          name,
          {
            type: defaultOf(path, node.fallback) === null ? [type, 'null'] : type,
            description: node.sentence,
          },
        ];
      }),
    ),
    ...(above === '' ? { global: { type: 'object' } } : {}),
  },
});

const isSetting = (field: object): field is SettingField => 'variable' in field;

const settingPaths = (tree: ValueTree, above = ''): readonly (readonly [variable: string, path: string])[] =>
  Object.entries(tree).flatMap(([name, node]) => {
    const path = above === '' ? name : `${above}.${name}`;
    if (!isField(node)) return settingPaths(node, path);
    return isSetting(node) && path !== 'namespace' ? [[node.variable, path] as const] : [];
  });

const variable = (name: string, value: string): string => `- name: ${name}\n  value: ${value}\n`;

/** A helper for each service: the variables that values stand for. */
const environments = (): string =>
  controlPlane
    .map(({ service, settings }) => {
      const known = new Set<string>(Object.values(settings).map((each) => each.variable));
      const lines = settingPaths(valueFields)
        .filter(([name]) => known.has(name))
        .map(([name, path]) => variable(name, `{{ .Values.${path} | toString | quote }}`));
      const webhook = known.has('GATEHOUSE_WEBHOOK_ADDR')
        ? `{{- if not .Values.injector.enabled }}\n${variable('GATEHOUSE_WEBHOOK_ADDR', '""')}{{- else if .Values.ipv6 }}\n` +
          `${variable('GATEHOUSE_WEBHOOK_ADDR', `"[::]:${webhookPort}"`)}{{- end }}\n`
        : '';
      const own = variable('GATEHOUSE_NAMESPACE', '{{ .Release.Namespace | quote }}');
      return `{{- define "gatehouse.env.${service}" -}}\n${own}${lines.join('')}${webhook}{{- end -}}\n`;
    })
    .join('\n');

/** The settings of injection, as JSON: each from the value of its name, those that no value can change as they are. */
const settings = (): string => {
  const all: Tree = { ...defaultProxySettings };
  const lines = Object.entries(all).map(([name, value]) => {
    const json =
      name === 'controlPlaneNamespace'
        ? '{{ .Release.Namespace | toJson }}'
        : Object.hasOwn(valueFields, name)
          ? `{{ .Values.${name} | toJson }}`
          : JSON.stringify(value);
    return `"${name}": ${json}`;
  });
  return `{{- define "gatehouse.proxySettings" -}}\n{\n${lines.join(',\n')}\n}\n{{- end -}}\n`;
};

/** The files of the chart that are made, by their path in it. */
export const chartFiles = (): ReadonlyMap<string, string> =>
  new Map([
    ['Chart.yaml', `# ${head}\n${stringify(chart, { lineWidth: 0 })}`],
    ['values.yaml', `# ${head}\n${valuesYaml(chartFields, '', '')}`],
    [
      'values.schema.json',
      `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...schemaOf(chartFields) }, undefined, 2)}\n`,
    ],
    ['templates/_generated.tpl', `{{/* ${head} */}}\n${environments()}\n${settings()}`],
  ]);
