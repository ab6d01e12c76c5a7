/** A command of a page, and what the page says that it prints. */
export interface ShownCommand {
  readonly command: string;
  /** Lines of output; empty where the page does not show it. `…` stands for anything in a line, alone in a line for any lines. */
  readonly output: readonly string[];
  /** Counted from 1, in the page. */
  readonly line: number;
}

const prompt = '$ ';

/**
 * The commands of a page's fenced `console` blocks, in the order in which they stand: a line that begins with `$ ` and, after a
 * backslash at its end, the next ones; then what it prints. A block that does not begin with a command is an error.
 */
export const shownCommands = (page: string): readonly ShownCommand[] => {
  const found: { command: string; output: string[]; line: number }[] = [];
  let block: 'outside' | 'first' | 'inside' = 'outside';
  let isContinued = false;
  for (const [index, text] of page.split('\n').entries()) {
    if (block === 'outside') {
      if (text === '```console') block = 'first';
      continue;
    }
    if (text === '```') {
      block = 'outside';
      continue;
    }
    const last = found.at(-1);
    if (isContinued && last !== undefined) {
      last.command += `\n${text}`;
      isContinued = text.endsWith('\\');
    } else if (text.startsWith(prompt)) {
      found.push({ command: text.slice(prompt.length), output: [], line: index + 1 });
      isContinued = text.endsWith('\\');
    } else if (block === 'first' || last === undefined) {
      throw new Error(`line ${index + 1}: a console block begins with a command, "$ …": ${text}`);
    } else {
      last.output.push(text);
    }
    block = 'inside';
  }
  return found;
};

/** What was printed is what the page shows: whole lines, in its order; what is not shown at the end was not printed. Carriage returns do not count. */
export const matchesShown = (shown: readonly string[], printed: string): boolean =>
  new RegExp(`^${shown.map(linePattern).join('')}$`).test(`${printed.replaceAll('\r', '').trimEnd()}\n`);

const linePattern = (line: string): string =>
  line.trim() === '…' ? '(?:.*\\n)*' : `${line.split('…').map(RegExp.escape).join('.*')}\\n`;
