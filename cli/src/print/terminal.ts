import type { Writable } from 'node:stream';
import { styleText } from 'node:util';

/**
 * Where a command writes and what that place can do. Colours and symbols appear only on a terminal; a pipe or a file
 * gets plain text, so that what people see and what programs read never mix.
 */
export interface Terminal {
  /** Where prose is wrapped. */
  readonly columns: number;
  /** Where a line would wrap; undefined where it never does: in a pipe or a file. */
  readonly width?: number | undefined;
  readonly isTty: boolean;
  out(text: string): void;
  err(text: string): void;
  /** To where `out` writes, without a line end; absent where that place knows whole lines only. */
  exactly?(text: string): void;
  paint(style: Style, text: string): string;
}

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

export interface Stream extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** `NO_COLOR` (no-color.org) and `TERM=dumb` switch colours off on a terminal too. */
export const openTerminal = (
  stdout: Stream,
  stderr: Stream,
  env: Readonly<Record<string, string | undefined>>,
): Terminal => {
  const isTty = stdout.isTTY === true;
  const colours = isTty && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  return {
    columns: Math.min(stdout.columns ?? 80, 100),
    width: isTty ? stdout.columns : undefined,
    isTty,
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    exactly: (text) => void stdout.write(text),
    paint: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
  };
};
