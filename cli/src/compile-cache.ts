import { existsSync, mkdirSync, statSync } from 'node:fs';
import { constants, enableCompileCache } from 'node:module';
import { isAbsolute, join } from 'node:path';

export interface CacheOwner {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws for a user who has none. */
  readonly home: () => string;
  /** Undefined where users have no numbers. */
  readonly uid: number | undefined;
}

/**
 * Lets Node keep what it compiles, so that a module is compiled once and not at each start. What is kept is code, so it lies
 * where nobody but this user can write (XDG Base Directory), and not below /tmp as Node would have it. Where there is no such
 * directory nothing is kept, which costs time and nothing else. NODE_COMPILE_CACHE and NODE_DISABLE_COMPILE_CACHE are Node's own.
 */
export const keepCompiled = ({ env, home, uid }: CacheOwner): 'kept' | 'not kept' => {
  try {
    const caches = cacheHome(env) ?? join(home(), '.cache');
    const directory = join(caches, 'gatehouse', 'compiled');
    // Level by level: Node's recursive mkdir never ends where a file system has no room for any, as /proc.
    for (const path of [caches, join(caches, 'gatehouse'), directory]) makeFolder(path);
    const { uid: owner, mode } = statSync(directory);
    // Another user's, as under sudo with HOME kept: what he may write, we do not run.
    if ((uid !== undefined && owner !== uid) || (mode & 0o022) !== 0) return 'not kept';
    const { ENABLED, ALREADY_ENABLED } = constants.compileCacheStatus;
    const { status } = enableCompileCache(directory);
    return status === ENABLED || status === ALREADY_ENABLED ? 'kept' : 'not kept';
  } catch {
    return 'not kept';
  }
};

/** A relative one counts as unset (XDG Base Directory). */
const cacheHome = ({ XDG_CACHE_HOME: path }: CacheOwner['env']): string | undefined =>
  path !== undefined && isAbsolute(path) ? path : undefined;

const makeFolder = (path: string): void => {
  if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
};
