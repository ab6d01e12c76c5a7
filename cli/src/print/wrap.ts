/**
 * Prose in lines of at most so many characters, all but the first indented. A word that is longer has a line of its own, and
 * spaces at the beginning stay.
 */
export const wrap = (text: string, columns: number, indent = ''): string => {
  if (text.length <= columns) return text;
  const [start = ''] = /^ */.exec(text) ?? [];
  const lines: string[] = [];
  let line = '';
  for (const word of text.slice(start.length).split(' ')) {
    const before = lines.length === 0 ? start : indent;
    if (line === '') line = `${before}${word}`;
    else if (line.length + 1 + word.length <= columns) line = `${line} ${word}`;
    else {
      lines.push(line.trimEnd());
      line = `${indent}${word}`;
    }
  }
  return [...lines, line].join('\n');
};
