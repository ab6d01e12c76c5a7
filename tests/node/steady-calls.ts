import { spawn } from 'node:child_process';
import { checkout } from './cluster-commands.ts';

/** Calls at an even rate from frontend to backend, one curl with as many connections as it needs, until it is told to stop. */
export interface SteadyCalls {
  /** Ends them; answers how many got which status. 000 = no answer. */
  stop(): Promise<ReadonlyMap<string, number>>;
}

/** 100 a second, for three minutes at most. */
const rate = '6000/m';
const most = 18_000;

export const steadyCalls = (env: NodeJS.ProcessEnv): SteadyCalls => {
  const url = `http://backend:8080/?[1-${most}]`;
  // To its standard error, as it comes: what a process writes into a pipe waits until there is more, and is lost when it is ended.
  const curl = ['curl', '-s', '--rate', rate, '-o', '/dev/null', '-w', '%{stderr}%{http_code}\\n', url];
  const child = spawn('kubectl', ['exec', '-n', 'demo', 'deploy/frontend', '-c', 'curl', '--', ...curl], {
    env,
    cwd: checkout,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const { promise: closed, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', reject);
  child.once('close', () => resolve());
  const seen = new Map<string, number>();
  let rest = '';
  let isStopping = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (isStopping) return;
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) seen.set(line, (seen.get(line) ?? 0) + 1);
  });
  return {
    stop: async () => {
      isStopping = true;
      child.kill('SIGINT');
      await closed;
      return seen;
    },
  };
};
