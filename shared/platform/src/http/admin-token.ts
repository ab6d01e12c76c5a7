import { randomBytes } from 'node:crypto';
import { GatehouseError } from '@gatehouse/core/error';
import type { StateDir } from '../state/state-dir.ts';
import { makeFileOnce } from '../state/state-files.ts';

/** The bearer token of the REST API in dev mode; anyone who needs it first makes it. */
export const devAdminToken = async (state: StateDir): Promise<string> => {
  const make = () => `${randomBytes(32).toString('base64url')}\n`;
  const token = (await makeFileOnce(state.adminToken, 'private', make)).trim();
  // An operator may bring a token of their own, but none that can be guessed or that no header can carry.
  if (/^[\w~+/.=-]{16,}$/.test(token)) return token;
  throw new GatehouseError(
    'failed-precondition',
    `${state.adminToken} holds no token of at least 16 letters and digits: remove it, and a new one is made`,
  );
};
