import { readFileSync } from 'node:fs';

const mark = 'ghe2e';

/**
 * Names what one run makes: `ghe2e-PID-START-`, with the process that made it and when that process started. So the
 * next run can tell what a crashed one left behind from what belongs to one that still runs.
 */
export const runPrefix = (pid: number): string => {
  const started = startOf(pid);
  if (started === undefined) throw new Error(`there is no process ${pid}`);
  return `${mark}-${pid}-${started}-`;
};

/** Whether `name` was made by a run whose process is gone. Anything that no run could have named is somebody else's. */
export const isLeftover = (
  name: string,
  startedAt: (pid: number) => string | undefined = startOf,
): boolean => {
  const [, pid, started] = /^ghe2e-(\d+)-(\d+)-[\w-]+$/.exec(name) ?? [];
  return pid !== undefined && startedAt(Number(pid)) !== started;
};

/** When a process started, in clock ticks since boot (proc(5), stat field 22); pids come again, the pair does not. */
const startOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name may hold spaces and brackets; the fields after it are counted from its last bracket.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
};
