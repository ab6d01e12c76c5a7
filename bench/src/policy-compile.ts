import process from 'node:process';
import type { Change } from '@gatehouse/core/resources/changes';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { clusterObjects, forEverybody, grantTo, podAt, ports } from './policy/cluster-objects.ts';
import { inboundRows } from './policy/policy-parts.ts';

/** How compiling grows with the mesh: one namespace, a policy for each ten pods, every port of every pod watched. */
const sizes = [1_000, 2_000, 4_000] as const;
const podsPerApp = 10;
const rounds = 9;
/** One change is too short to be measured alone. */
const repeats = 100;

/** Milliseconds of CPU. */
interface Measured {
  /** Taking in all objects and compiling every watched row for the first time. */
  readonly whole: number;
  /** Every row again, for one policy that concerns all. */
  readonly all: number;
  /** The rows of one application, for its own policy. */
  readonly one: number;
}

const measure = (pods: number): Measured => {
  const { index, rows } = inboundRows<number>();
  const put = (...objects: readonly KubeObject[]): void => {
    rows.apply(
      index.apply(objects.map((object) => ({ type: 'apply', kind: object.kind, object }) as Change)),
    );
    rows.compile(never);
  };
  const objects = [...clusterObjects(pods, podsPerApp), forEverybody(20)];
  const whole = timed(() => {
    put(...objects);
    for (let pod = 0; pod < pods; pod += 1) {
      for (const port of ports) rows.watch({ ...podAt(pod), port }, pod);
    }
    rows.compile(never);
  });
  const all = timed(() => put(forEverybody(19)));
  const one = timed(() => {
    for (let again = 0; again < repeats; again += 1) put(grantTo(7));
  });
  return { whole, all, one: one / repeats };
};

const never = (): boolean => false;

/** CPU of this thread alone: a machine that does other things too stretches it least. */
const timed = (work: () => void): number => {
  const start = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1_000;
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** The slope of a straight line through the points, both axes logarithmic: 1 = twice the mesh takes twice as long. */
const exponent = (times: readonly number[]): number => {
  const points = times.map((time, at) => [Math.log(sizes[at] ?? 1), Math.log(time)] as const);
  const mean = (axis: 0 | 1): number => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
};

const line = (name: string, cells: readonly string[]): void => {
  process.stdout.write(`${name.padEnd(12)}${cells.map((cell) => cell.padStart(12)).join('')}\n`);
};

// Sizes take turns, so that whatever else the machine does falls on all of them; the first turn warms up.
const found = sizes.map((): Measured[] => []);
for (let round = 0; round <= rounds; round += 1) {
  for (const [at, pods] of sizes.entries()) {
    const measured = measure(pods);
    if (round > 0) found[at]?.push(measured);
  }
}
line('pods', ['first', 'one for all', 'one for 10']);
const medians = found.map((measured) => ({
  whole: median(measured.map(({ whole }) => whole)),
  all: median(measured.map(({ all }) => all)),
  one: median(measured.map(({ one }) => one)),
}));
for (const [at, { whole, all, one }] of medians.entries()) {
  line(
    String(sizes[at]),
    [whole, all, one].map((ms) => `${ms.toFixed(2)} ms`),
  );
}
line('exponent', [
  ...[medians.map(({ whole }) => whole), medians.map(({ all }) => all), medians.map(({ one }) => one)].map(
    (times) => exponent(times).toFixed(2),
  ),
]);
