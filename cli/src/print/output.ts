import { InvalidArgumentError, Option } from 'commander';
import { stringify } from 'yaml';
import { printTable } from './table.ts';

export const outputFormats = ['table', 'wide', 'json', 'yaml'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** `-o` as every command that shows things has it: tables for people, json and yaml for programs. */
export const outputOption = (): Option =>
  new Option('-o, --output <format>', 'table, wide, json or yaml')
    .default('table' satisfies OutputFormat)
    .choices([...outputFormats]);

/** One thing to show: its table, what `wide` adds to it, and the whole value for programs. */
export interface Shown {
  readonly value: unknown;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly wideHeads?: readonly string[];
  readonly wideRows?: readonly (readonly string[])[];
}

/** YAML for programs; kubectl and others read YAML 1.1, where `on` and `n` without quotes are not texts. */
export const printYaml = (value: unknown): string => stringify(value, { compat: 'yaml-1.1' }).trimEnd();

/** `columns` is where a terminal would wrap, undefined = nowhere: a table is cut to it, and `wide` never is. */
export const printShown = (format: OutputFormat, shown: Shown, columns?: number): string => {
  switch (format) {
    case 'json':
      return JSON.stringify(shown.value);
    case 'yaml':
      return printYaml(shown.value);
    case 'wide':
      return printTable(
        [...shown.heads, ...(shown.wideHeads ?? [])],
        shown.rows.map((row, index) => [...row, ...(shown.wideRows?.[index] ?? [])]),
      );
    case 'table':
      return printTable(shown.heads, shown.rows, columns);
  }
};

/** Reads `NAMESPACE/NAME` as an argument. */
export const readNamespaced = (text: string): { readonly namespace: string; readonly name: string } => {
  const [namespace, name, ...rest] = text.split('/');
  if (!namespace || !name || rest.length > 0) {
    throw new InvalidArgumentError('Use NAMESPACE/NAME, such as demo/frontend-0.');
  }
  return { namespace, name };
};

/** Reads a TCP port from `lowest` (1 unless 0 may stand for "any free port") to 65535. */
export const readPort =
  (lowest: 0 | 1) =>
  (text: string): number => {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
    if (port < lowest || port > 65535) throw new InvalidArgumentError(`Use a port from ${lowest} to 65535.`);
    return port;
  };
