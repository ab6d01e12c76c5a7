import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { matchesShown, type ShownCommand } from './console-blocks.ts';

export interface PageRun {
  readonly workingDirectory: string;
  readonly env: NodeJS.ProcessEnv;
  /** Told each command before it runs, and what it printed. */
  readonly say: (line: string) => void;
}

/** How long a call through the mesh may go on answering as before: proxies learn of a change within a second. */
const settleMs = 10_000;
const commandMs = 300_000;

/**
 * Runs the commands of a page one after the other, in one bash each, and compares what they print with what the page shows.
 * Where the page shows `command terminated with exit code`, the command must fail, else it must succeed. A `kubectl exec`
 * that answers otherwise is asked again for ten seconds.
 */
export const runPage = async (commands: readonly ShownCommand[], run: PageRun): Promise<void> => {
  for (const shown of commands) {
    run.say(`$ ${shown.command}`);
    const until = performance.now() + settleMs;
    for (;;) {
      const seen = await runCommand(shown.command, run);
      const wrong = whatIsWrong(shown, seen);
      if (wrong === undefined) {
        run.say(seen.printed.trimEnd());
        break;
      }
      if (!shown.command.startsWith('kubectl exec ') || performance.now() > until)
        throw new Error(`line ${shown.line}: ${shown.command}\n${wrong}; it printed:\n${seen.printed}`);
      await sleep(250);
    }
  }
};

interface Seen {
  readonly printed: string;
  readonly exitCode: number | null;
}

const whatIsWrong = ({ output }: ShownCommand, { printed, exitCode }: Seen): string | undefined => {
  const mayFail = output.some((line) => line.startsWith('command terminated with exit code'));
  if (mayFail !== (exitCode !== 0)) return `it ended with exit code ${exitCode}`;
  return output.length === 0 || matchesShown(output, printed) ? undefined : 'it is not what the page shows';
};

const runCommand = (command: string, { workingDirectory, env }: PageRun): Promise<Seen> => {
  const { promise, resolve, reject } = Promise.withResolvers<Seen>();
  const child = spawn('bash', ['-o', 'pipefail', '-c', `{ ${command}\n} 2>&1`], {
    cwd: workingDirectory,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: commandMs,
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  child.once('error', reject);
  child.once('close', (exitCode) => resolve({ printed, exitCode }));
  return promise;
};
