import { printable } from '@gatehouse/core/foreign-text';
import type { Kind } from '@gatehouse/core/resources/kinds';
import type { Log } from '../../log/log.ts';
import type { Warning } from './folder-objects.ts';

/** So many kinds are named. */
const mostKinds = 20;

/** Writes what is odd about a folder to the log once per cause: again only after the cause was gone in between. */
export class SaidOnce {
  readonly #log: Log;
  readonly #kinds: ReadonlySet<Kind>;
  #kindsSaid: ReadonlySet<string> = new Set();
  readonly #standing = {
    links: new Set<string>(),
    foreign: new Set<string>(),
    warnings: new Set<string>(),
  };

  /** Warnings about kinds that are not watched here are left to who watches them. */
  constructor(log: Log, kinds: readonly Kind[]) {
    this.#log = log;
    this.#kinds = new Set(kinds);
  }

  links(ignored: ReadonlyMap<string, string>): void {
    this.#say(
      'links',
      [...ignored].map(([path, why]) => ({ path, text: why })),
    );
  }

  /** Nothing is wrong with such a file: charts and overlays lie beside manifests. */
  foreign(paths: readonly string[]): void {
    if (!this.#speaksForAll) return;
    const text = 'no document says its apiVersion and kind, so the file is ignored';
    this.#say(
      'foreign',
      paths.map((path) => ({ path, text })),
      'info',
    );
  }

  /** One line for all of them, and another when there is one more. */
  foreignKinds(found: readonly string[]): void {
    if (!this.#speaksForAll) return;
    const isNew = found.some((kind) => !this.#kindsSaid.has(kind));
    this.#kindsSaid = new Set(found);
    if (!isNew) return;
    const named = found.slice(0, mostKinds).map((kind) => printable(kind));
    const more = found.length - named.length;
    this.#log.info(
      `these kinds are not read, and nothing of them is used: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
    );
  }

  warnings(warnings: readonly Warning[]): void {
    this.#say(
      'warnings',
      warnings.filter(({ concern }) => {
        if (concern === 'all') return true;
        return concern === 'unwatched' ? this.#speaksForAll : this.#kinds.has(concern);
      }),
    );
  }

  /** Of several services on one folder, that which watches policies says what concerns none more than another. */
  get #speaksForAll(): boolean {
    return this.#kinds.has('NetworkAuthenticationPolicy');
  }

  #say(
    topic: 'links' | 'foreign' | 'warnings',
    all: readonly { readonly path: string; readonly text: string }[],
    level: 'info' | 'warn' = 'warn',
  ): void {
    const standing = this.#standing[topic];
    const now = new Set<string>();
    for (const { path, text } of all) {
      const line = path === '' ? text : `${path}: ${text}`;
      if (!standing.has(line) && !now.has(line))
        this.#log[level](path === '' ? {} : { manifest: path }, line);
      now.add(line);
    }
    this.#standing[topic] = now;
  }
}
