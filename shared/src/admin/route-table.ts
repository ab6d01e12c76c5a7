/** Which methods a path has, so that a wrong method is 405 with `Allow` (RFC 9110 §15.5.6) where Fastify says 404. */
export class RouteTable {
  readonly #routes: { readonly method: string; readonly segments: readonly string[] }[] = [];

  add(methods: string | readonly string[], pattern: string): void {
    for (const method of [methods].flat()) this.#routes.push({ method, segments: pattern.split('/') });
  }

  /** The methods of the routes whose pattern fits the path; empty when there is no such path. */
  methodsOf(path: string): readonly string[] {
    const segments = path.split('/');
    const fitting = this.#routes.filter(
      (route) =>
        route.segments.length === segments.length &&
        route.segments.every(
          (part, index) => part === segments[index] || (part.startsWith(':') && segments[index]),
        ),
    );
    return [...new Set(fitting.map(({ method }) => method))].sort();
  }

  /** Every `METHOD pattern`, for tests that walk them all. */
  get all(): readonly { readonly method: string; readonly pattern: string }[] {
    return this.#routes.map(({ method, segments }) => ({ method, pattern: segments.join('/') }));
  }
}
