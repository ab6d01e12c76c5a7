import { ApiStatus } from './api-status.ts';
import type { RequestInfo, Verb } from './request-info.ts';

/** How one request goes wrong. */
export type Fault =
  /** A refusal with this code: 500, 503, 429 … */
  | { readonly kind: 'status'; readonly code: number; readonly retryAfterSeconds?: number }
  /** The asked version, or the continue token, is compacted: a 410, or an ERROR event on a watch. */
  | { readonly kind: 'gone' }
  /** The connection is taken and nothing ever comes. On a watch the headers come. */
  | { readonly kind: 'silence' }
  /** The answer begins this much later. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** The connection ends without an answer. */
  | { readonly kind: 'hang-up' }
  /** A watch whose next event is cut; in the middle of a character when the event has one of several bytes. */
  | { readonly kind: 'cut'; readonly where: 'line' | 'character' }
  /** A watch that comes byte by byte: no chunk is a line or a character. */
  | { readonly kind: 'dribble' }
  /** A watch line, or an answer, that is not JSON. */
  | { readonly kind: 'garbage' };

export interface FaultTarget {
  readonly verb?: Verb;
  /** The plural: `pods`. */
  readonly resource?: string;
  readonly group?: string;
  /** A path that names no resource: `/openid/v1/jwks`. Such a request is hit by nothing else. */
  readonly path?: string;
  /** How many requests it hits: 1 when left out. */
  readonly times?: number;
  /** How many that fit are let through first. */
  readonly after?: number;
}

interface Planned {
  readonly fault: Fault;
  readonly target: FaultTarget;
  left: number;
  skip: number;
}

/** The faults that wait for the requests they fit. The oldest that fits a request hits it; a request is hit once. */
export class Faults {
  readonly #planned: Planned[] = [];

  /** Returns how to take it back. */
  inject(fault: Fault, target: FaultTarget = {}): () => void {
    const planned = { fault, target, left: target.times ?? 1, skip: target.after ?? 0 };
    this.#planned.push(planned);
    return () => {
      planned.left = 0;
    };
  }

  /** How many hits are still to come. */
  get waiting(): number {
    return this.#planned.reduce((sum, { left }) => sum + left, 0);
  }

  clear(): void {
    this.#planned.length = 0;
  }

  take(info: RequestInfo): Fault | undefined {
    return this.#take((target) => fits(target, info));
  }

  takeAt(path: string): Fault | undefined {
    return this.#take((target) => target.path === path);
  }

  #take(isHit: (target: FaultTarget) => boolean): Fault | undefined {
    for (const planned of this.#planned) {
      if (planned.left === 0 || !isHit(planned.target)) continue;
      if (planned.skip > 0) {
        planned.skip -= 1;
        continue;
      }
      planned.left -= 1;
      if (planned.left === 0) this.#planned.splice(this.#planned.indexOf(planned), 1);
      return planned.fault;
    }
    return undefined;
  }
}

const fits = ({ verb, resource, group, path }: FaultTarget, info: RequestInfo): boolean =>
  path === undefined &&
  (verb === undefined || verb === info.verb) &&
  (resource === undefined || resource === info.resource) &&
  (group === undefined || group === info.group);

/** The refusal that a `status` fault stands for. */
export const faultStatus = ({ code, retryAfterSeconds }: Extract<Fault, { kind: 'status' }>): ApiStatus =>
  new ApiStatus({
    code,
    reason: code === 429 ? 'TooManyRequests' : code === 503 ? 'ServiceUnavailable' : 'InternalError',
    message: code === 429 ? 'Too many requests, please try again later.' : 'an injected fault',
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
