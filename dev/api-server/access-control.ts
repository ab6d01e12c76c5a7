import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { ApiStatus } from './api-status.ts';
import type { RequestInfo } from './request-info.ts';
import type { ServerState, User } from './server-state.ts';
import { authenticateToken, type TokenKeys, tokenIssuer } from './service-account-tokens.ts';

/** What a caller wants to do, as SubjectAccessReview spells it. */
export interface AccessAttributes {
  readonly user: User;
  readonly verb: string;
  readonly resource?: {
    readonly group: string;
    readonly resource: string;
    readonly subresource: string;
    readonly namespace: string;
    readonly name: string;
  };
  /** The path of a request that names no resource. */
  readonly path?: string;
}

export type Authorize = (attributes: AccessAttributes) => boolean;

/** Bearer tokens and whose they are, besides those of service accounts. Read again for every request: tokens may rotate. */
export type Tokens = ReadonlyMap<string, User>;

/** Everybody, where the server was started without tokens. */
const administrator: User = {
  username: 'kubernetes-admin',
  groups: ['system:masters', 'system:authenticated'],
};

export interface AccessRules {
  readonly tokens: Tokens | undefined;
  readonly authorize: Authorize;
  readonly keys: TokenKeys;
}

/** Who a request comes from. Throws a 401. */
export const authenticate = async (
  state: ServerState,
  { tokens, keys }: AccessRules,
  authorization: string | undefined,
): Promise<User> => {
  if (tokens === undefined) return administrator;
  const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  const known = token === undefined ? undefined : await findUser(state, token, { tokens, keys });
  if (known === undefined)
    throw new ApiStatus({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });
  return known;
};

const findUser = async (
  state: ServerState,
  token: string,
  { tokens, keys }: { readonly tokens: Tokens; readonly keys: TokenKeys },
): Promise<User | undefined> => {
  const known = tokens.get(token);
  if (known !== undefined) return known;
  const read = await authenticateToken(state, token, { keys, audiences: [tokenIssuer] });
  return typeof read === 'string' ? undefined : read.user;
};

/** Throws a 403 when the user may not. */
export const requireAccess = ({ authorize }: AccessRules, user: User, info: RequestInfo): void => {
  const { verb, group, resource, subresource, namespace } = info;
  const name = info.name || info.selectedName;
  if (authorize({ user, verb, resource: { group, resource, subresource, namespace, name } })) return;
  const full = group === '' ? resource : `${resource}.${group}`;
  const which = name === '' ? full : `${full} "${name}"`;
  const sub = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  throw new ApiStatus({
    code: 403,
    reason: 'Forbidden',
    message: `${which} is forbidden: User "${user.username}" cannot ${verb} resource "${sub}" in API group "${group}" ${where}`,
    details: forbiddenDetails(info),
  });
};

const forbiddenDetails = ({ group, resource, name }: RequestInfo): WireObject => ({
  ...(name === '' ? {} : { name }),
  ...(group === '' ? {} : { group }),
  kind: resource,
});

/** The same for a path that names no resource. */
export const requirePathAccess = ({ authorize }: AccessRules, user: User, path: string): void => {
  if (authorize({ user, verb: 'get', path })) return;
  throw new ApiStatus({
    code: 403,
    reason: 'Forbidden',
    message: `forbidden: User "${user.username}" cannot get path "${path}"`,
    details: {},
  });
};
