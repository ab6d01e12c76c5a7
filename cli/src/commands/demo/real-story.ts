import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { execPath } from 'node:process';
import { realStoryScript } from '@gatehouse/dev/demo/demo-paths';

/**
 * Tells the story with unmodified proxies, in a process of its own: namespaces are root's business, and what cleans them up
 * hangs on that process's end. It shares our terminal, and with it Ctrl-C. Returns its exit code.
 */
export const tellRealStory = async (
  env: Readonly<Record<string, string | undefined>>,
  interrupted: AbortSignal,
): Promise<number> => {
  const child = spawn(execPath, [realStoryScript], { stdio: 'inherit', env: { ...env } });
  interrupted.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  const [code]: readonly (number | null)[] = await once(child, 'exit');
  return code ?? 1;
};
