import { asGatehouseError } from '@gatehouse/core/error';
import type { RunningService } from '../service/service.ts';

/** The parts of `process` that a main needs; main.ts passes the real one. */
export interface MainProcess {
  readonly env: NodeJS.ProcessEnv;
  readonly stderr: { write(text: string): unknown };
  on(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  exit(code: number): void;
}

export interface MainOptions<C> {
  readonly read: (env: NodeJS.ProcessEnv) => C;
  readonly start: (config: C) => Promise<RunningService>;
}

/** What a main ends with; documented for anyone who supervises the process. */
export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

/**
 * What every main.ts does: environment in, configuration, start, wait for the end, exit code (0 = stopped by a signal,
 * 1 = failed, 2 = the configuration cannot be used). A second signal does not wait for anything.
 */
export const runService = async <C>(process: MainProcess, { read, start }: MainOptions<C>): Promise<void> => {
  let asked: string | undefined;
  let service: RunningService | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // Nobody to ask while the start is under way, and nothing yet that would need an orderly end.
      if (asked !== undefined || service === undefined) process.exit(exitCodes.failed);
      asked = signal;
      void service?.stop(signal);
    });
  }
  try {
    service = await start(read(process.env));
  } catch (thrown) {
    process.stderr.write(`${explain(thrown)}\n`);
    return process.exit(
      asGatehouseError(thrown).code === 'invalid-argument' ? exitCodes.usage : exitCodes.failed,
    );
  }
  const ended = await service.ended;
  process.exit(ended.kind === 'stopped' ? exitCodes.ok : exitCodes.failed);
};

/** A broken promise of ours is a sentence; anything else is a bug, and its stack is what helps. */
const explain = (thrown: unknown): string => {
  const error = asGatehouseError(thrown);
  const bug = error.code === 'internal' && error.cause instanceof Error ? error.cause.stack : undefined;
  return bug === undefined ? error.message : `${error.message}\n${bug}`;
};
