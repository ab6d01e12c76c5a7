import { type ErrorCode, errorCodes, GatehouseError } from '@gatehouse/core/error';
import type { ServiceName } from '@gatehouse/platform/service/service';

export interface Refused {
  readonly status: number;
  /** Problem details (RFC 9457) where the service itself answered. */
  readonly body: string;
  readonly service: ServiceName;
  readonly path: string;
  readonly ifUnknown: string;
}

/** What a service's refusal means to the person who typed the command, with what to do next. */
export const refusalOf = ({ status, body, service, path, ifUnknown }: Refused): GatehouseError => {
  const { code, detail } = readProblem(body);
  switch (status) {
    case 400:
      // A command's options are named as the parameters that they become.
      if (detail !== undefined)
        return new GatehouseError('invalid-argument', detail.replaceAll('query.', '--'));
      break;
    case 401:
      return new GatehouseError(
        'unauthenticated',
        `${service} does not accept the token (${detail ?? 'it is nobody it knows'}): ${ifUnknown}`,
      );
    case 403:
      return new GatehouseError(
        'permission-denied',
        `${detail ?? `you may not get ${path}`}: an administrator can allow it, see docs/admin-api.md`,
      );
    case 404:
      if (code === 'not-found') break;
      return new GatehouseError('not-found', `nobody serves ${path} there: is it ${service}'s admin port?`);
    default:
  }
  return new GatehouseError(
    code ?? 'unavailable',
    `${service} answers ${status}: ${detail ?? (body.trim().slice(0, 200) || 'nothing else')}`,
  );
};

const readProblem = (
  body: string,
): { readonly code: ErrorCode | undefined; readonly detail: string | undefined } => {
  let problem: unknown;
  try {
    problem = JSON.parse(body);
  } catch {
    problem = undefined;
  }
  if (typeof problem !== 'object' || problem === null) return { code: undefined, detail: undefined };
  const detail = 'detail' in problem && typeof problem.detail === 'string' ? problem.detail : undefined;
  const said = 'code' in problem ? problem.code : undefined;
  return { code: errorCodes.find((code) => code === said), detail };
};
