import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** A server in a process that a test started, and that ends with the test's. */
export interface ServerProcess {
  ended(): boolean;
  /** Why it is of no use, with the end of what it said. */
  lastWords(what: string): Promise<string>;
  /** SIGTERM, and SIGKILL for one that takes longer than `graceMs`, 10 s when left out. */
  stop(graceMs?: number): Promise<void>;
  /** SIGKILL, as a crash: nothing is put in order. */
  kill(): Promise<void>;
}

export const startServerProcess = (
  command: string,
  {
    args,
    log,
    env = {},
  }: {
    readonly args: readonly string[];
    readonly log: string;
    /** Beside the environment of the test. */
    readonly env?: Readonly<Record<string, string>>;
  },
): ServerProcess => {
  const output = openSync(log, 'a');
  const child: ChildProcess = spawn(command, args, {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
  });
  closeSync(output);
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const ended = (): boolean => failure !== undefined || child.exitCode !== null || child.signalCode !== null;
  // A test run that is cut short must not leave servers behind.
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  return {
    ended,
    lastWords: async (what) => {
      const said = await readFile(log, 'utf8').catch(() => '');
      return [`${command} ${what}`, failure?.message, said.slice(-2_000)].filter(Boolean).join('\n');
    },
    kill: async () => {
      process.off('exit', killAtExit);
      if (ended()) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    stop: async (graceMs = 10_000) => {
      process.off('exit', killAtExit);
      if (ended()) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const hurry = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await gone;
      clearTimeout(hurry);
    },
  };
};
