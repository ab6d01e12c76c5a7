import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  readonly name: string;
  /** A TypeScript file, run by the Node that runs us. */
  readonly script: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Everything it prints is appended here. */
  readonly logFile: string;
  /** Each line of its standard output. */
  readonly onLine?: (line: string) => void;
}

/**
 * A process that we started and that ends with us: it can be killed and started again as it was. Its environment is only
 * what it is given, so that a developer's own GATEHOUSE_ or proxy variables change nothing.
 */
export class Child {
  readonly name: string;
  readonly logFile: string;
  readonly #options: ChildOptions;
  #process: ChildProcess | undefined;
  #wanted = false;
  #lastWords = '';

  constructor(options: ChildOptions) {
    this.#options = options;
    this.name = options.name;
    this.logFile = options.logFile;
  }

  /** Undefined while it runs; how it ended when it did so by itself. */
  get failure(): string | undefined {
    const { exitCode, signalCode } = this.#process ?? {};
    if (!this.#wanted || (exitCode ?? signalCode ?? null) === null) return undefined;
    const how = signalCode ? `was ended by ${signalCode}` : `exited with ${exitCode}`;
    return `${this.name} ${how}${this.#lastWords === '' ? '' : `: ${this.#lastWords}`} (all of it in ${this.logFile})`;
  }

  start(): void {
    const { script, args = [], env, logFile, onLine } = this.#options;
    mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 });
    const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
    const child = spawn(execPath, [script, ...args], {
      env: { ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    this.#wanted = true;
    child.on('error', (error) => log.write(`${error.message}\n`));
    child.stderr.pipe(log, { end: false });
    for (const [stream, listener] of [
      [child.stdout, onLine],
      [child.stderr, undefined],
    ] as const) {
      createInterface({ input: stream }).on('line', (line) => {
        if (stream === child.stdout) log.write(`${line}\n`);
        else this.#lastWords = line.slice(0, 200);
        listener?.(line);
      });
    }
    child.on('close', () => log.end());
  }

  /** SIGKILL, as a machine that lost power: no farewell, no clean-up. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#wanted = false;
    await end(this.#process, 'SIGKILL', 0);
  }

  /** SIGTERM, and SIGKILL for one that has not ended after `graceMs`. */
  async stop(graceMs = 5_000): Promise<void> {
    this.#wanted = false;
    await end(this.#process, 'SIGTERM', graceMs);
  }
}

const end = async (
  child: ChildProcess | undefined,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<void> => {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill(signal);
  const insist = graceMs > 0 ? setTimeout(() => child.kill('SIGKILL'), graceMs) : undefined;
  await closed;
  clearTimeout(insist);
};
