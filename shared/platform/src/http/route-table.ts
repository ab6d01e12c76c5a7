import type { RouteAccess } from './route-access.ts';

export interface Route {
  readonly method: string;
  readonly pattern: string;
  readonly access: RouteAccess;
}

/** Which methods a path has, so that a wrong method is 405 with `Allow` (RFC 9110 §15.5.6) where Fastify says 404. */
export class RouteTable {
  readonly #routes: Route[] = [];

  add({ methods, ...route }: Omit<Route, 'method'> & { readonly methods: string | readonly string[] }): void {
    for (const method of [methods].flat()) this.#routes.push({ ...route, method });
  }

  /** The methods of the routes whose pattern fits the path; empty when there is no such path. */
  methodsOf(path: string): readonly string[] {
    const segments = path.split('/');
    const fitting = this.#routes.filter(({ pattern }) => {
      const parts = pattern.split('/');
      return (
        parts.length === segments.length &&
        parts.every((part, index) => part === segments[index] || (part.startsWith(':') && segments[index]))
      );
    });
    return [...new Set(fitting.map(({ method }) => method))].sort();
  }

  /** Every route, for tests that walk them all. */
  get all(): readonly Route[] {
    return this.#routes;
  }
}
