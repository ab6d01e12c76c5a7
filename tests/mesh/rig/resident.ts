import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

export interface ResidentOptions {
  /** The namespace it lives in. */
  readonly place: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Everything it prints is appended here. */
  readonly logFile: string;
  /** The user it runs as. Default: root. */
  readonly uid?: number;
  /** Whether it speaks with us over an IPC channel. */
  readonly channel?: boolean;
}

/**
 * A process inside a namespace. The kernel kills it when we end, however we end (PR_SET_PDEATHSIG), so that no crash
 * leaves one behind. It can be killed and started again as it was.
 */
export class Resident {
  readonly #options: ResidentOptions;
  #process: ChildProcess | undefined;

  constructor(options: ResidentOptions) {
    this.#options = options;
  }

  /** The running process; for its channel. */
  get process(): ChildProcess {
    if (this.#process === undefined) throw new Error(`${this.#options.command[0]} was not started`);
    return this.#process;
  }

  get isRunning(): boolean {
    const { exitCode, signalCode } = this.#process ?? {};
    return exitCode === null && signalCode === null;
  }

  /** `env` adds to what it was made with, for this once. */
  start(more: Readonly<Record<string, string>> = {}): void {
    const { place, command, env, logFile, uid, channel = false } = this.#options;
    const log = openSync(logFile, 'a');
    const drop = uid === undefined ? [] : ['--reuid', `${uid}`, '--clear-groups'];
    // `ip netns exec` and `setpriv` replace themselves, so the pid we hold is the command's own.
    const args = ['netns', 'exec', place, 'setpriv', '--pdeathsig', 'KILL', ...drop, ...command];
    this.#process = spawn('ip', args, {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env, ...more },
      stdio: ['ignore', log, log, ...(channel ? ['ipc' as const] : [])],
    });
    closeSync(log);
    this.#process.on('error', () => undefined);
  }

  /** Ends it and waits until it is gone. SIGKILL is a machine that lost power: no farewell, no clean-up. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    if (child === undefined || !this.isRunning) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const insist = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(insist);
  }
}
