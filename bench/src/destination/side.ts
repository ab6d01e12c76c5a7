import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';

/** What the measured process tells the measuring one. */
export type Said =
  | { readonly kind: 'listening'; readonly port: number; readonly trustAnchors: string }
  | {
      readonly kind: 'used';
      readonly rssBytes: number;
      readonly cpuMs: number;
      /** For how long the process did one thing and nothing else, at most, since it was asked before. */
      readonly longestMs: number;
    };

export type Order = 'change' | 'use';

const say = (said: Said): void => {
  process.send?.(said);
};

const turnMs = 1;

/** Tells where this process listens, then does what it is told until its parent leaves. */
export const obey = (listening: Omit<Said & { kind: 'listening' }, 'kind'>, change: () => void): void => {
  const turns = monitorEventLoopDelay({ resolution: turnMs });
  turns.enable();
  process.on('message', (order: Order) => {
    if (order === 'change') return change();
    const { user, system } = process.cpuUsage();
    const longestMs = Math.max(0, turns.max / 1e6 - turnMs);
    turns.reset();
    say({ kind: 'used', rssBytes: process.memoryUsage().rss, cpuMs: (user + system) / 1_000, longestMs });
  });
  process.once('disconnect', () => process.exit(0));
  say({ kind: 'listening', ...listening });
};
