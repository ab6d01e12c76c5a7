/** A Markdown table with its columns lined up, so that it reads well as text too. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [first = [], ...others] = cells;
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join('\n');
};

/** Every page says where it comes from, so that nobody edits the copy. */
export const page = (title: string, ...parts: readonly string[]): string =>
  `${[
    `# ${title}`,
    '<!-- Made from the code by docs/generate-reference.ts; change the code, then run `node docs/generate-reference.ts`. -->',
    ...parts,
  ].join('\n\n')}\n`;

export const code = (text: string): string => `\`${text}\``;
