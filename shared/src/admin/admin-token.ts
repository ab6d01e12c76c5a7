import { randomBytes } from 'node:crypto';
import type { StateDir } from '../state-dir.ts';
import { makeFileOnce } from '../state-files.ts';

/** The bearer token of the REST API in dev mode; whoever needs it first makes it. */
export const devAdminToken = async (state: StateDir): Promise<string> =>
  (
    await makeFileOnce(state.adminToken, 'private', () => `${randomBytes(32).toString('base64url')}\n`)
  ).trim();
