import { GatehouseError } from '@gatehouse/core/error';
import {
  type Authority,
  parseAuthority,
  type ServiceAuthority,
} from '@gatehouse/core/mesh/service-authority';
import { GetDestination } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { type ContextToken, parseContextToken } from '../core/target/context-token.ts';

/** What a call asks, and who says they ask. */
export interface Request<T extends Authority> {
  readonly target: T;
  readonly token: ContextToken;
}

/**
 * InvalidArgument is final for a proxy: it does not ask again for as long as the target is in use
 * (`contract/proxy.md` §2.1). So it is said of what can never have an answer, and of nothing else.
 */
export const readGet = (bytes: Uint8Array, clusterDomain: string): Request<ServiceAuthority> => {
  const { path, token } = decode(bytes);
  const target = parseAuthority(path, clusterDomain);
  if (!target.ok) throw invalid(`Invalid authority: ${path}`, target.problems);
  if (target.value.kind === 'address') {
    throw invalid(`IP queries not supported by Get API: host=${target.value.ip}`);
  }
  return { target: target.value, token };
};

export const readGetProfile = (bytes: Uint8Array, clusterDomain: string): Request<Authority> => {
  const { path, token } = decode(bytes);
  const target = parseAuthority(path, clusterDomain);
  if (!target.ok) throw invalid(`invalid authority: ${path}`, target.problems);
  return { target: target.value, token };
};

const decode = (bytes: Uint8Array): { readonly path: string; readonly token: ContextToken } => {
  try {
    const { path, contextToken } = GetDestination.decode(bytes);
    return { path, token: parseContextToken(contextToken) };
  } catch (cause) {
    throw new GatehouseError('invalid-argument', 'the request is not a valid GetDestination message', {
      cause,
    });
  }
};

const invalid = (message: string, problems: readonly unknown[] = []): GatehouseError =>
  new GatehouseError('invalid-argument', message, { details: { problems } });
