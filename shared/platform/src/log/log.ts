import { isatty } from 'node:tty';
import { type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { LogLevel } from '../settings/settings.ts';
import { describeError } from './log-errors.ts';
import { asWritten } from './log-line.ts';

/** What a part needs to say things: `log.info({ pod }, 'sentence')`. Children carry their fields: `log.child({ part })`. */
export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'isLevelEnabled'> & {
  child(fields: Readonly<Record<string, unknown>>): Log;
};

export interface LogOptions {
  /** `identity`, `destination`, `policy` or a tool's name; in every line. */
  readonly service: string;
  readonly level: LogLevel;
  /** Undefined = pretty on a terminal, else json. */
  readonly format: 'json' | 'pretty' | undefined;
  /** Where lines go. Default: standard error, so that standard output stays for answers. */
  readonly to?: { write(line: string): void };
}

const standardError = 2;

/** The one logger of a service. Writes are synchronous, so that a line said before the end is never lost. */
export const createLog = ({ service, level, format, to }: LogOptions): Log => {
  const stream = to ?? pino.destination({ fd: standardError, sync: true });
  const terminal = to === undefined && isatty(standardError);
  const pretty = (format ?? (terminal ? 'pretty' : 'json')) === 'pretty';
  const forPeople = pretty ? prettyPrinter(terminal) : (line: string) => line;
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      hooks: { streamWrite: asWritten },
    },
    pretty ? { write: (line: string) => stream.write(forPeople(line)) } : stream,
  );
};

/** A stack is read line by line; everything else is one line. */
const prettyPrinter = (colorize: boolean): ((line: string) => string) => {
  const options = { colorize, singleLine: true, ignore: 'service,part', messageFormat };
  const withStack = prettyFactory(options);
  const onOneLine = prettyFactory({ ...options, errorLikeObjectKeys: [] });
  return (line) => (line.includes('"stack":"') ? withStack(line) : onOneLine(line));
};

const messageFormat = '{service}{if part}/{part}{end}: {msg}';

/** Says nothing, for tests and for tools that speak for themselves. */
export const silentLog: Log = pino({ level: 'silent' });
