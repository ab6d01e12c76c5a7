import type { Duration } from '../gen/google/protobuf/duration.ts';

/** Milliseconds, whole or not, as `google.protobuf.Duration`; finer than a nanosecond is rounded. */
export const encodeDuration = (ms: number): Duration => {
  // Apart, since whole milliseconds times a million leave what a number holds exactly.
  const whole = Math.trunc(ms);
  const nanos = BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6));
  return { seconds: nanos / 1_000_000_000n, nanos: Number(nanos % 1_000_000_000n) };
};

/** Milliseconds; undefined when absent, or when seconds and nanos do not have the same sign (protobuf calls that invalid). */
export const decodeDuration = (message: Duration | undefined): number | undefined => {
  if (message === undefined) return undefined;
  const { nanos } = message;
  const seconds = Number(message.seconds);
  if (Math.abs(nanos) >= 1e9 || seconds * nanos < 0) return undefined;
  return seconds * 1_000 + nanos / 1e6;
};
