import { Option } from 'commander';

export const outputFormats = ['table', 'wide', 'json', 'yaml'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** `-o` as every command that shows things has it: tables for people, json and yaml for programs. */
export const outputOption = (): Option =>
  new Option('-o, --output <format>', 'table, wide, json or yaml')
    .default('table' satisfies OutputFormat)
    .choices([...outputFormats]);
