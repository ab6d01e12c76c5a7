/**
 * Lays rows out in columns as wide as their widest cell, two spaces apart, the last one unpadded. Column heads are upper
 * case, as kubectl prints them; an empty cell shows `-`, so that columns stay countable for awk.
 */
export const printTable = (heads: readonly string[], rows: readonly (readonly string[])[]): string => {
  const lines = [
    heads.map((head) => head.toUpperCase()),
    ...rows.map((row) => row.map((cell) => cell || '-')),
  ];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === line.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
};
