import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { ResourceType } from './resource-types.ts';

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

interface StatusSaid {
  readonly code: number;
  /** The word that clients look at; webhooks may answer any. '' for none. */
  readonly reason: string;
  readonly message: string;
  readonly details?: WireObject;
  /** Of the list that failed: a token with which to go on, inconsistently. */
  readonly continue?: string;
  readonly retryAfterSeconds?: number;
}

/**
 * A request that the API server refuses, as the `Status` object it answers with. A class of its own beside GatehouseError:
 * its codes and reasons are Kubernetes', not ours.
 */
export class ApiStatus extends Error {
  readonly code: number;
  readonly reason: string;
  readonly retryAfterSeconds: number | undefined;
  readonly #said: StatusSaid;

  constructor(said: StatusSaid) {
    super(said.message);
    this.name = 'ApiStatus';
    this.code = said.code;
    this.reason = said.reason;
    this.retryAfterSeconds = said.retryAfterSeconds;
    this.#said = said;
  }

  toObject(): WireObject {
    const { code, reason, message, details, retryAfterSeconds } = this.#said;
    const more = {
      ...details,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    };
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.#said.continue === undefined ? {} : { continue: this.#said.continue },
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(Object.keys(more).length === 0 ? {} : { details: more }),
      code,
    };
  }
}

/** `pods`, or `servers.policy.linkerd.io`: how the server names a resource in its messages. */
export const qualified = (type: Pick<ResourceType, 'group' | 'plural'>): string =>
  type.group === '' ? type.plural : `${type.plural}.${type.group}`;

const detailsOf = (type: ResourceType, name: string): WireObject => ({
  name,
  ...(type.group === '' ? {} : { group: type.group }),
  kind: type.plural,
});

/** A path that nothing is served at: also a kind whose CRD is not installed. */
export const noSuchPath = (): ApiStatus =>
  new ApiStatus({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  });

export const notFound = (type: ResourceType, name: string): ApiStatus =>
  new ApiStatus({
    code: 404,
    reason: 'NotFound',
    message: `${qualified(type)} "${name}" not found`,
    details: detailsOf(type, name),
  });

export const alreadyExists = (type: ResourceType, name: string): ApiStatus =>
  new ApiStatus({
    code: 409,
    reason: 'AlreadyExists',
    message: `${qualified(type)} "${name}" already exists`,
    details: detailsOf(type, name),
  });

export const conflict = (type: ResourceType, name: string, why: string): ApiStatus =>
  new ApiStatus({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${qualified(type)} "${name}": ${why}`,
    details: detailsOf(type, name),
  });

/** A body in a form that is not read here. */
export const unsupportedMediaType = (accepted: readonly string[]): ApiStatus =>
  new ApiStatus({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  });

export const badRequest = (message: string): ApiStatus =>
  new ApiStatus({ code: 400, reason: 'BadRequest', message });

/** An object that breaks its schema or a rule of its kind; one cause for each field. */
export const invalid = (
  type: Pick<ResourceType, 'group' | 'kind'>,
  name: string,
  causes: readonly StatusCause[],
): ApiStatus => {
  const told = causes.map(({ field, message }) => (field === undefined ? message : `${field}: ${message}`));
  const list = told.length === 1 ? told[0] : `[${told.join(', ')}]`;
  const kind = type.group === '' ? type.kind : `${type.kind}.${type.group}`;
  return new ApiStatus({
    code: 422,
    reason: 'Invalid',
    message: `${kind} "${name}" is invalid: ${list}`,
    details: {
      name,
      ...(type.group === '' ? {} : { group: type.group }),
      kind: type.kind,
      causes,
    },
  });
};

export const expired = (message: string, token?: string): ApiStatus =>
  new ApiStatus({
    code: 410,
    reason: 'Expired',
    message,
    ...(token === undefined ? {} : { continue: token }),
  });
