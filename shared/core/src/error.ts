/**
 * The one error class. A code from a closed list says what kind of failure it is; `message` is the
 * lower-case sentence for the outside; `cause` and `details` are for the log only. Expected outcomes
 * are values (see core/problem.ts); this is thrown where a promise of the code or of a caller is broken.
 */
export const errorCodes = [
  'invalid-argument',
  'failed-precondition',
  'not-found',
  'already-exists',
  'unauthenticated',
  'permission-denied',
  'resource-exhausted',
  'unimplemented',
  'unavailable',
  'cancelled',
  'deadline-exceeded',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export class GatehouseError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    more: { readonly cause?: unknown; readonly details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'GatehouseError';
    this.code = code;
    this.details = more.details ?? {};
  }
}

/** What the outside may be told of any thrown value: ours as it is, anything else as `internal`. */
export const asGatehouseError = (thrown: unknown): GatehouseError =>
  thrown instanceof GatehouseError
    ? thrown
    : new GatehouseError('internal', 'internal error', { cause: thrown });
