import { stringify } from 'yaml';
import type { OutputFormat } from './output-option.ts';
import { printTable } from './table.ts';

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
