import { createHash, timingSafeEqual } from 'node:crypto';
import type { AdminResource } from './route-access.ts';

/** A caller of the REST API who was recognised. */
export interface AdminCaller {
  readonly name: string;
  /**
   * Whether the caller may see `resource` in a namespace; undefined = in all of them. Throws `unavailable` when nobody
   * can say.
   */
  mayRead(resource: AdminResource, namespace: string | undefined): Promise<boolean>;
}

export interface AdminRequest {
  /** The bearer token, undefined when none was sent. */
  readonly token: string | undefined;
  /** Lower-case verb as Kubernetes names them for paths: `get` (for HEAD too, which shows less), `post` … */
  readonly verb: string;
  /**
   * The path in its one canonical spelling: the route's pattern with the parameters that the router read, so that no
   * way to write a URL differs from what is served. As it came when no route has it.
   */
  readonly path: string;
  /** The address that the request came from. */
  readonly from: string;
}

export type AdminVerdict =
  | { readonly kind: 'accepted'; readonly caller: AdminCaller }
  /** Nobody we know: 401. */
  | { readonly kind: 'unknown' }
  /** Known, but not allowed to do this: 403. */
  | { readonly kind: 'refused'; readonly caller: Pick<AdminCaller, 'name'> };

/** Who may use the REST API. Asked for every `/v1` request; throws `unavailable` when it cannot say. */
export interface AdminAuthenticator {
  authenticate(request: AdminRequest): Promise<AdminVerdict>;
}

/** Dev mode: anyone who can read the state directory's admin token is the administrator, and may see all. */
export const tokenAuthenticator = (adminToken: string): AdminAuthenticator => {
  const expected = digest(adminToken);
  const caller: AdminCaller = { name: 'admin-token', mayRead: async () => true };
  return {
    authenticate: async ({ token }) =>
      // Digests are compared, so that neither time nor length tells how much of a guess was right.
      token !== undefined && timingSafeEqual(digest(token), expected)
        ? { kind: 'accepted', caller }
        : { kind: 'unknown' },
  };
};

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
