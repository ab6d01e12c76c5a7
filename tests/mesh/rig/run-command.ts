import { execFileSync } from 'node:child_process';

/**
 * Runs a short command to its end and answers what it printed. It blocks, for at most five seconds: what makes and removes
 * namespaces has to work in a process that is on its way out, too.
 */
export const runCommand = (program: string, args: readonly string[], input = ''): string => {
  try {
    return execFileSync(program, [...args], { encoding: 'utf8', input, timeout: 5_000, stdio: 'pipe' });
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new Error(`${program} ${args.join(' ')}: ${stderr.trim() || message}`);
  }
};
