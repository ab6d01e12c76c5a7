import { isatty } from 'node:tty';
import { type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { LogLevel } from './settings.ts';

/** What a part needs to say things: `log.info({ pod }, 'sentence')`. Children carry their fields: `log.child({ part })`. */
export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error'> & {
  child(fields: Readonly<Record<string, unknown>>): Log;
};

export interface LogOptions {
  /** `identity`, `destination`, `policy` or a tool's name; in every line. */
  readonly service: string;
  readonly level: LogLevel;
  /** Undefined = pretty on a terminal, else json. */
  readonly format: 'json' | 'pretty' | undefined;
  /** Where lines go; standard error when left out, so that standard output stays for answers. */
  readonly to?: { write(line: string): void };
}

// Secrets that somebody might log by handing over a whole request, token or key.
const secretNames = ['token', 'authorization', 'privateKey', 'key', 'secret', 'password', 'd'];
const redacted = [
  ...secretNames,
  ...secretNames.map((name) => `*.${name}`),
  ...secretNames.map((name) => `*.*.${name}`),
];

/** The one logger of a service. Writes are synchronous, so that a line said before the end is never lost. */
export const createLog = ({ service, level, format, to }: LogOptions): Log => {
  const pretty = format === undefined ? to === undefined && isatty(2) : format === 'pretty';
  const stream = pretty
    ? PinoPretty({ sync: true, ignore: 'pid,hostname', ...(to === undefined ? { destination: 2 } : {}) })
    : (to ?? pino.destination({ fd: 2, sync: true }));
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redacted, censor: '[secret]' },
    },
    stream,
  );
};

/** Says nothing, for tests and for tools that speak for themselves. */
export const silentLog: Log = pino({ level: 'silent' });
