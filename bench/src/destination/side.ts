import process from 'node:process';

/** What the measured process tells the measuring one. */
export type Said =
  | { readonly kind: 'listening'; readonly port: number; readonly trustAnchors: string }
  | { readonly kind: 'used'; readonly rssBytes: number; readonly cpuMs: number };

export type Order = 'change' | 'use';

const say = (said: Said): void => {
  process.send?.(said);
};

/** Tells where this process listens, then does what it is told until its parent leaves. */
export const obey = (listening: Omit<Said & { kind: 'listening' }, 'kind'>, change: () => void): void => {
  process.on('message', (order: Order) => {
    if (order === 'change') return change();
    const { user, system } = process.cpuUsage();
    say({ kind: 'used', rssBytes: process.memoryUsage().rss, cpuMs: (user + system) / 1_000 });
  });
  process.once('disconnect', () => process.exit(0));
  say({ kind: 'listening', ...listening });
};
