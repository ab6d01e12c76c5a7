import process from 'node:process';
import { type Crowd, crowd } from '@gatehouse/policy/testing/tenants/crowd';
import { type HostileTenant, hostileTenants } from '@gatehouse/policy/testing/tenants/hostile-tenants';

/** How late the rows of 50 calm namespaces are beside one whose author wants them to be. */
const calm = 50;
const seconds = 5;
const warmSeconds = 2;
const pace = { calmEveryMs: 10, hostileEveryMs: 100 };

const measure = (hostile: readonly HostileTenant[]): Promise<Crowd> =>
  crowd({ calm, hostile, seconds, warmSeconds, ...pace });

const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;

const line = (name: string, cells: readonly string[]): void => {
  process.stdout.write(`${name.padEnd(24)}${cells.map((cell) => cell.padStart(11)).join('')}\n`);
};

const row = (
  name: string,
  { lateMs, busyMs, warmBusyMs, compiled, hostileTurns, cpuShare }: Crowd,
  alone: Crowd,
): void => {
  const worst = quantile(busyMs, 1);
  line(name, [
    `${lateMs.length}`,
    `${quantile(lateMs, 0.5).toFixed(1)} ms`,
    `${quantile(lateMs, 0.99).toFixed(1)} ms`,
    `${quantile(lateMs, 1).toFixed(1)} ms`,
    `${quantile(busyMs, 0.99).toFixed(1)} ms`,
    `${worst.toFixed(1)} ms`,
    (worst / quantile(alone.busyMs, 1)).toFixed(1),
    `${quantile(warmBusyMs, 1).toFixed(1)} ms`,
    `${compiled}`,
    `${hostileTurns}`,
    `${(cpuShare * 100).toFixed(0)} %`,
  ]);
};

await measure([]);
line('', [
  'calm rows',
  'median',
  '99 %',
  'worst',
  '99 % CPU',
  'worst CPU',
  'ratio',
  'warm-up',
  'compiled',
  'batches',
  'CPU',
]);
const alone = await measure([]);
row('calm alone', alone, alone);
for (const tenant of hostileTenants) row(tenant.name, await measure([tenant]), alone);
row('all five', await measure(hostileTenants), alone);
