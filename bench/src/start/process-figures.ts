import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** What a process has used, as Linux says it (proc(5)). */
export interface Used {
  readonly cpuMs: number;
  readonly rssBytes: number;
}

export interface Started extends Used {
  /** From its start until it was ready; CPU and memory are those of that moment. */
  readonly readyMs: number;
  /** Its memory ten seconds later, when nobody asked it anything. */
  readonly laterBytes: number;
}

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 once it is ready. */
  readonly readyUrl: string;
  /** What must hold beside that, for a program that says so before it is true. */
  readonly isFull?: () => Promise<boolean>;
}

const readyWithinMs = 120_000;
const settledMs = 10_000;
/** Linux counts CPU in hundredths of a second on every platform that Node runs on. */
const tickMs = 10;

/** Starts a program, measures it and ends it. Throws with what it ended with where it does not become ready. */
export const measureStart = async ({ command, args, env, readyUrl, isFull }: Program): Promise<Started> => {
  const begun = performance.now();
  const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env }, stdio: 'ignore' });
  try {
    const deadline = AbortSignal.timeout(readyWithinMs);
    const isReady = async () => (await fetch(readyUrl).catch(() => undefined))?.ok === true;
    while (!(await isReady()) || (await isFull?.()) === false) {
      if (child.exitCode !== null) throw new Error(`${args.at(-1)} ended with code ${child.exitCode}`);
      deadline.throwIfAborted();
      await delay(5);
    }
    const readyMs = performance.now() - begun;
    const ready = await usedBy(child);
    await delay(settledMs);
    const { rssBytes: laterBytes } = await usedBy(child);
    return { ...ready, readyMs, laterBytes };
  } finally {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const hurry = setTimeout(() => child.kill('SIGKILL'), 3_000);
    if (child.exitCode === null && child.signalCode === null) await gone;
    clearTimeout(hurry);
  }
};

const usedBy = async ({ pid }: ChildProcess): Promise<Used> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  // Behind the name, which may hold anything, utime and stime are the 12th and 13th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { cpuMs: ticks * tickMs, rssBytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024 };
};
