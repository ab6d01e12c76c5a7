import { type ErrorCode, errorCodes } from '@gatehouse/core/error';
import { grpcName, grpcNumber } from '@gatehouse/platform/grpc/status';
import { httpProblems } from '@gatehouse/platform/http/problem-details';
import { code, page, table } from './table.ts';

/** When each code is used; the compiler asks for a sentence for every new one. */
const meanings = {
  'invalid-argument': 'The caller sent something that can never be right.',
  'failed-precondition': 'The call is well-formed, but something else has to be fixed or done first.',
  'not-found': 'Not found here.',
  'already-exists': 'Another instance, or another object, has that name or address.',
  unauthenticated: 'No credentials, or credentials that are not accepted.',
  'permission-denied': 'Known, but not allowed.',
  'resource-exhausted': 'Larger or more than a limit allows.',
  unimplemented: 'No such method, or one that is not built.',
  unavailable: 'Not possible at the moment; the same call may succeed later.',
  cancelled: 'The caller went away, or the service is shutting down.',
  'deadline-exceeded': 'No answer in time.',
  internal: 'A bug, or a broken dependency; the log has the cause, the caller is not told.',
} satisfies Record<ErrorCode, string>;

const codes: readonly string[] = errorCodes;

export const errorsPage = (): string =>
  page(
    'Errors',
    'One closed list of codes. What the outside gets is a code and a sentence that says what happened, where, and what to do;\n' +
      'cause and details are in the log.',
    table(
      ['code', 'gRPC', 'HTTP', 'when'],
      errorCodes.map((each) => [
        code(each),
        `${grpcNumber(each)} ${grpcName(each)}`,
        `${httpProblems[each].status}`,
        meanings[each],
      ]),
    ),
    '## REST',
    'Errors of the REST API are problem details (RFC 9457): `type` is `urn:gatehouse:problem:CODE`, `code` the code, `detail` the\n' +
      'sentence, and `problems` lists every field that was wrong with `field`, `found` and `fix`. Besides the codes above there are\n' +
      'those that only HTTP has:',
    table(
      ['code', 'HTTP', 'when'],
      Object.entries(httpProblems)
        .filter(([each]) => !codes.includes(each))
        .map(([each, { status, title }]) => [code(each), `${status}`, `${title}.`]),
    ),
    '## Proxies',
    'A proxy takes InvalidArgument and FailedPrecondition on a watch as final: it does not ask again until it is restarted, or as\n' +
      'long as the target is in use. So the services answer a watch with them only where asking again could never help.',
  );
