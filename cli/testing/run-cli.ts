import { runCli } from '../src/cli.ts';
import type { ExitCode } from '../src/exit-code.ts';

/** How a command line ended, and what it wrote where. */
export interface Ended {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

export interface CommandLine {
  readonly workingDirectory?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A terminal so wide; default: a pipe. */
  readonly width?: number;
}

/** Runs a command line to its end, without colours. */
export const runToEnd = async (args: readonly string[], about: CommandLine = {}): Promise<Ended> => {
  const { workingDirectory = '/nonexistent', env = {}, width } = about;
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(args, {
    terminal: {
      columns: 80,
      width,
      isTty: width !== undefined,
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      paint: (_style, text) => text,
    },
    env,
    workingDirectory,
    interrupted: new AbortController().signal,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
};
