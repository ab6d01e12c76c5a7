import { stripVTControlCharacters } from 'node:util';

/** Narrower than this a column says nothing any more. */
const narrowest = 8;

/**
 * Lays rows out in columns as wide as their widest cell, two spaces apart, the last one unpadded. Column heads are upper
 * case, as kubectl prints them; an empty cell shows `-`, so that columns stay countable for awk. Colours take no room.
 * With `columns` the widest cells are cut, marked by `…`, until a line fits: for terminals only, where it would wrap.
 */
export const printTable = (
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  columns = Number.POSITIVE_INFINITY,
): string => {
  const lines = [
    heads.map((head) => head.toUpperCase()),
    ...rows.map((row) => row.map((cell) => cell || '-')),
  ];
  const natural = heads.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))));
  const widths = fitted(natural, columns);
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const cut = cutTo(cell, widths[column] ?? 0);
          return column === line.length - 1 ? cut : cut + ' '.repeat((widths[column] ?? 0) - widthOf(cut));
        })
        .join('  '),
    )
    .join('\n');
};

const widthOf = (cell: string): number => stripVTControlCharacters(cell).length;

/** Takes from the widest column, again and again, until all fit or none can give more. */
const fitted = (natural: readonly number[], columns: number): readonly number[] => {
  const widths = [...natural];
  const total = (): number => widths.reduce((sum, width) => sum + width + 2, -2);
  while (total() > columns) {
    const widest = Math.max(...widths);
    if (widest <= narrowest) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  return widths;
};

/** Names differ at their beginning (namespaces) and at their end (pods), so the middle goes. A cut cell loses its colour. */
const cutTo = (cell: string, width: number): string => {
  if (widthOf(cell) <= width) return cell;
  const text = stripVTControlCharacters(cell);
  const end = Math.floor((width - 1) / 2);
  return `${text.slice(0, width - 1 - end)}…${text.slice(text.length - end)}`;
};
