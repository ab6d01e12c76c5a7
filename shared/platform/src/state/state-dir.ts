import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import type { ServiceName } from '../service/service.ts';
import { makePrivateFolder } from './state-files.ts';

/** Who can hold a state directory: each service once, and the demo, which also owns the manifests below it. */
export type StateHolder = ServiceName | 'demo';

/**
 * Where everything of a state directory lives (design §5.1). Files are made with `makeFileOnce`, `makeFolderOnce` and
 * `replaceFile` of state-files.ts, so that readers never see half of one.
 */
export interface StateDir {
  readonly root: string;
  /** The embedded CA, made whole or not at all. */
  readonly ca: string;
  readonly rootCert: string;
  readonly rootKey: string;
  readonly issuerCert: string;
  readonly issuerKey: string;
  /** PEM bundle that everybody trusts. */
  readonly trustAnchors: string;
  /** The key pair that signs dev tokens, made whole or not at all. */
  readonly dev: string;
  readonly devTokenKey: string;
  readonly devJwks: string;
  /** Bearer token of the REST API in dev mode. */
  readonly adminToken: string;
  readonly issuanceLog: string;
  /** Holds the path of the folder of manifests that this state belongs to. */
  readonly dir: string;
  /** The projected token of one pod. */
  tokenFile(namespace: string, pod: string): string;
  /** The Unix socket that says a process runs on this state. */
  lockSocket(holder: StateHolder): string;
}

/** The paths alone; nothing is looked at. */
export const stateDirAt = (root: string): StateDir => ({
  root,
  ca: join(root, 'ca'),
  rootCert: join(root, 'ca', 'root.crt'),
  rootKey: join(root, 'ca', 'root.key'),
  issuerCert: join(root, 'ca', 'issuer.crt'),
  issuerKey: join(root, 'ca', 'issuer.key'),
  trustAnchors: join(root, 'trust-anchors.crt'),
  dev: join(root, 'dev'),
  devTokenKey: join(root, 'dev', 'token-key.json'),
  devJwks: join(root, 'dev', 'jwks.json'),
  adminToken: join(root, 'admin-token'),
  issuanceLog: join(root, 'issuance.log'),
  dir: join(root, 'dir'),
  tokenFile: (namespace, pod) => join(root, 'tokens', namespace, pod),
  lockSocket: (holder) => join(root, `${holder}.sock`),
});

/**
 * The state directory a service was told to use. It must exist: making one at a mistyped path would quietly found a
 * second root of trust. Throws `failed-precondition` saying what to do.
 */
export const openStateDir = async (path: string | undefined): Promise<StateDir> => {
  if (path === undefined) {
    throw new GatehouseError(
      'failed-precondition',
      'a directory source needs a state directory: set GATEHOUSE_STATE_DIR to a folder',
    );
  }
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    const why =
      found.code === 'ENOENT' ? 'does not exist' : `cannot be used (${found.code ?? found.message})`;
    throw new GatehouseError(
      'failed-precondition',
      `the state directory ${path} ${why}: make it (mkdir -m 700 ${path}) or correct GATEHOUSE_STATE_DIR (--state)`,
      { cause: found },
    );
  }
  if (!found.isDirectory()) {
    throw new GatehouseError(
      'failed-precondition',
      `the state directory ${path} is a file: correct GATEHOUSE_STATE_DIR (--state)`,
    );
  }
  return stateDirAt(path);
};

/** Makes the directory where it is missing: for commands whose user asked for one (`serve`, `demo`). */
export const makeStateDir = async (path: string): Promise<StateDir> => {
  await makePrivateFolder(path);
  return openStateDir(path);
};
