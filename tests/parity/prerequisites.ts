import { accessSync, constants } from 'node:fs';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';

/** The peer, and what it and we look at. */
export interface Peers {
  /** The folder that holds `etcd` and `kube-apiserver`. */
  readonly assets: string;
  /** Linkerd's policy controller, built outside of this repository. */
  readonly controller: string;
  /** Why the comparison cannot run here; false when it can. */
  readonly skip: false | string;
}

export const findPeers = (env: Readonly<Record<string, string | undefined>> = process.env): Peers => {
  const { assets, skip } = realApiServerAssets(env);
  const controller = env.LINKERD_POLICY_CONTROLLER_BIN ?? '';
  return { assets, controller, skip: skip || whyNoController(controller) };
};

const whyNoController = (path: string): false | string => {
  if (path === '') return 'LINKERD_POLICY_CONTROLLER_BIN names no policy controller of Linkerd';
  try {
    accessSync(path, constants.X_OK);
    return false;
  } catch {
    return `LINKERD_POLICY_CONTROLLER_BIN=${path} is not a program that can be run`;
  }
};
