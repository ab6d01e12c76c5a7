import { createHash, timingSafeEqual } from 'node:crypto';

/** A caller of the REST API who was recognised. */
export interface AdminCaller {
  readonly name: string;
}

export interface AdminRequest {
  /** The bearer token, undefined when none was sent. */
  readonly token: string | undefined;
  /** Lower-case verb as Kubernetes names them for paths: `get`, `post` … */
  readonly verb: string;
  /** The route's pattern, such as `/v1/streams`; the path itself when no route has it. */
  readonly path: string;
  /** The `namespace` parameter, when the request has one. */
  readonly namespace: string | undefined;
}

export type AdminVerdict =
  | { readonly kind: 'accepted'; readonly caller: AdminCaller }
  /** Nobody we know: 401. */
  | { readonly kind: 'unknown' }
  /** Known, but not allowed to do this: 403. */
  | { readonly kind: 'refused'; readonly caller: AdminCaller };

/** Who may use the REST API. Asked for every `/v1` request; throws `unavailable` when it cannot say. */
export interface AdminAuthenticator {
  authenticate(request: AdminRequest): Promise<AdminVerdict>;
}

/** Dev mode: whoever can read the state directory's admin token is the administrator. */
export const tokenAuthenticator = (adminToken: string): AdminAuthenticator => {
  const expected = digest(adminToken);
  return {
    authenticate: async ({ token }) =>
      // Digests are compared, so that neither time nor length tells how much of a guess was right.
      token !== undefined && timingSafeEqual(digest(token), expected)
        ? { kind: 'accepted', caller: { name: 'admin-token' } }
        : { kind: 'unknown' },
  };
};

/** Where nobody can be recognised, nobody is served. */
export const refuseAll: AdminAuthenticator = { authenticate: async () => ({ kind: 'unknown' }) };

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
