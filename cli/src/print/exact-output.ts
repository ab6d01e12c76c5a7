import type { Terminal } from './terminal.ts';

/** Prints a text as it is, without a line end of its own: manifests come back byte for byte. */
export const printExactly = (terminal: Terminal, text: string): void => {
  if (terminal.exactly !== undefined) terminal.exactly(text);
  else if (text !== '') terminal.out(text.replace(/\n$/, ''));
};
