import type { Duration } from '../../gen/google/protobuf/duration.ts';

/** Milliseconds, whole or not, as `google.protobuf.Duration`. */
export const encodeDuration = (ms: number): Duration => {
  const seconds = Math.trunc(ms / 1_000);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1_000) * 1e6) };
};

/** Milliseconds; undefined when absent, or when seconds and nanos do not have the same sign (protobuf calls that invalid). */
export const decodeDuration = (message: Duration | undefined): number | undefined => {
  if (message === undefined) return undefined;
  const { nanos } = message;
  const seconds = Number(message.seconds);
  if (Math.abs(nanos) >= 1e9 || seconds * nanos < 0) return undefined;
  return seconds * 1_000 + nanos / 1e6;
};
