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
  /** What is piped in. */
  readonly input?: string;
}

/** Runs a command line to its end, without colours. */
export const runToEnd = async (args: readonly string[], about: CommandLine = {}): Promise<Ended> => {
  const { workingDirectory = '/nonexistent', env = {}, width, input } = about;
  const out: string[] = [];
  let exact = '';
  const err: string[] = [];
  const code = await runCli(args, {
    terminal: {
      columns: 80,
      width,
      isTty: width !== undefined,
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      exactly: (text) => {
        exact += text;
      },
      paint: (_style, text) => text,
    },
    env,
    workingDirectory,
    ...(input === undefined
      ? {}
      : { input: { isTty: false, read: () => Promise.resolve(Buffer.from(input)) } }),
    interrupted: new AbortController().signal,
  });
  return { code, out: exact + out.join('\n'), err: err.join('\n') };
};
