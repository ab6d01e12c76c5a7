import type { StateDir } from '@gatehouse/platform/state/state-dir';
import { makeFileOnce, makeFolderOnce, readStateFile } from '@gatehouse/platform/state/state-files';
import { makeTrust } from './make-ca.ts';

const tenYearsMs = 10 * 365 * 86_400_000;

/**
 * The CA of dev mode: a root and an issuer in the state directory, made by the first process that needs them, whole or not at all,
 * so that two processes that race agree on one root. A real mesh brings its own issuer.
 */
export const ensureDevCa = async (state: StateDir, trustDomain: string, nowMs: number): Promise<void> => {
  await makeFolderOnce(state.ca, async () => {
    const { root, issuer } = await makeTrust(trustDomain, { nowMs, lifetimeMs: tenYearsMs });
    return {
      'root.crt': { secrecy: 'public', content: root.certificate },
      'root.key': { secrecy: 'private', content: root.key },
      'issuer.crt': { secrecy: 'public', content: issuer.certificate },
      'issuer.key': { secrecy: 'private', content: issuer.key },
    };
  });
  await makeFileOnce(state.trustAnchors, 'public', () => readStateFile(state.rootCert));
};
