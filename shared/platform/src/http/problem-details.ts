import { asGatehouseError, type ErrorCode, GatehouseError } from '@gatehouse/core/error';
import type { Problem } from '@gatehouse/core/problem';
import { Type } from 'typebox';

/** What can go wrong with an HTTP request: our error codes, and what only HTTP knows. */
export type ProblemCode = ErrorCode | HttpProblemCode;

export type HttpProblemCode =
  | 'method-not-allowed'
  | 'request-timeout'
  | 'content-too-large'
  | 'unsupported-media-type'
  | 'headers-too-large';

/** The one table from codes to HTTP (RFC 9110 §15); docs/reference/errors.md is made from it. */
export const httpProblems = {
  'invalid-argument': { status: 400, title: 'The request cannot be understood' },
  'failed-precondition': { status: 409, title: 'The state of the mesh does not allow it' },
  'not-found': { status: 404, title: 'Not found' },
  'already-exists': { status: 409, title: 'It exists already' },
  unauthenticated: { status: 401, title: 'The caller is not known' },
  'permission-denied': { status: 403, title: 'The caller may not do this' },
  'resource-exhausted': { status: 429, title: 'Too much at once' },
  unimplemented: { status: 501, title: 'Not built' },
  unavailable: { status: 503, title: 'Not possible at the moment' },
  // nginx's number for "the client went away"; nobody reads it but logs and metrics.
  cancelled: { status: 499, title: 'The caller gave up' },
  'deadline-exceeded': { status: 504, title: 'It took too long' },
  internal: { status: 500, title: 'Something broke inside' },
  'method-not-allowed': { status: 405, title: 'This path has no such method' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time' },
  'content-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body must be JSON' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
} as const satisfies Record<ProblemCode, { readonly status: number; readonly title: string }>;

export const problemMediaType = 'application/problem+json';

/** RFC 9457. `code` is the stable part for programs; `problems` names every field that was wrong. */
export const ProblemDetails = Type.Object({
  type: Type.String({ description: 'urn:gatehouse:problem:{code}' }),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.String({ description: 'What happened, where, and what to do' }),
  problems: Type.Optional(
    Type.Array(Type.Object({ field: Type.String(), found: Type.String(), fix: Type.String() })),
  ),
});
export type ProblemDetails = Type.Static<typeof ProblemDetails>;

export const problemDetails = (
  code: ProblemCode,
  detail: string,
  problems: readonly Problem[] = [],
): ProblemDetails => ({
  type: `urn:gatehouse:problem:${code}`,
  title: httpProblems[code].title,
  status: httpProblems[code].status,
  code,
  detail,
  ...(problems.length === 0 ? {} : { problems: problems.map((one) => ({ ...one })) }),
});

/** What the outside is told of anything thrown: ours as it is, HTTP's own by its status, all else as `internal`. */
export const problemOf = (thrown: unknown): ProblemDetails => {
  if (!(thrown instanceof GatehouseError) && thrown instanceof Error && 'statusCode' in thrown) {
    const code = byStatus(Number(thrown.statusCode));
    if (code !== 'internal') return problemDetails(code, thrown.message);
  }
  const error = asGatehouseError(thrown);
  const { problems } = error.details;
  return problemDetails(error.code, error.message, Array.isArray(problems) ? problems : []);
};

// What Fastify itself refuses before a handler runs: bodies that are not JSON, too large, of another media type.
const byStatus = (status: number): ProblemCode => {
  switch (status) {
    case 400:
      return 'invalid-argument';
    case 408:
      return 'request-timeout';
    case 413:
      return 'content-too-large';
    case 415:
      return 'unsupported-media-type';
    case 431:
      return 'headers-too-large';
    // Fastify gives up on a handler that does not answer.
    case 503:
      return 'unavailable';
    default:
      return 'internal';
  }
};
