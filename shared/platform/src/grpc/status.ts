import { type ErrorCode, GatehouseError } from '@gatehouse/core/error';

/** gRPC's status codes by ours, with the names that Prometheus users know from other gRPC servers. The only translation there is. */
const table = {
  'invalid-argument': { number: 3, name: 'InvalidArgument' },
  'failed-precondition': { number: 9, name: 'FailedPrecondition' },
  'not-found': { number: 5, name: 'NotFound' },
  'already-exists': { number: 6, name: 'AlreadyExists' },
  unauthenticated: { number: 16, name: 'Unauthenticated' },
  'permission-denied': { number: 7, name: 'PermissionDenied' },
  'resource-exhausted': { number: 8, name: 'ResourceExhausted' },
  unimplemented: { number: 12, name: 'Unimplemented' },
  unavailable: { number: 14, name: 'Unavailable' },
  cancelled: { number: 1, name: 'Canceled' },
  'deadline-exceeded': { number: 4, name: 'DeadlineExceeded' },
  internal: { number: 13, name: 'Internal' },
} as const satisfies Record<ErrorCode, { number: number; name: string }>;

export const grpcNumber = (code: ErrorCode): number => table[code].number;

/** For metric labels; undefined is success. */
export const grpcName = (code: ErrorCode | undefined): string =>
  code === undefined ? 'OK' : table[code].name;

const byNumber = new Map<number, ErrorCode>(
  Object.entries(table).map(([code, { number }]) => [number, code as ErrorCode]),
);

/** A received status as our error. The codes that we do not have (unknown, aborted, out of range, data loss) become `internal`. */
export const errorOfStatus = (number: number, message: string): GatehouseError =>
  new GatehouseError(byNumber.get(number) ?? 'internal', message, { details: { grpcStatus: number } });
