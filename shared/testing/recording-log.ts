import type { Log } from '@gatehouse/platform/log/log';

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** A log that remembers its lines and lets a test wait for one. */
export class RecordingLog implements Log {
  readonly #lines: { readonly level: Level; readonly text: string }[] = [];
  readonly #waiting = new Set<() => void>();
  readonly trace = this.#at('trace');
  readonly debug = this.#at('debug');
  readonly info = this.#at('info');
  readonly warn = this.#at('warn');
  readonly error = this.#at('error');

  lines(level: Level): readonly string[] {
    return this.#lines.filter((line) => line.level === level).map(({ text }) => text);
  }

  async until(level: Level, pattern: RegExp): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (!this.lines(level).some((text) => pattern.test(text))) return;
      this.#waiting.delete(look);
      resolve();
    };
    this.#waiting.add(look);
    look();
    await promise;
  }

  isLevelEnabled(): boolean {
    return true;
  }

  child(): Log {
    return this;
  }

  #at(level: Level): Log['info'] {
    return (...args: readonly unknown[]): void => {
      this.#lines.push({ level, text: args.filter((arg) => typeof arg === 'string').join(' ') });
      for (const look of [...this.#waiting]) look();
    };
  }
}
