import { accessSync, constants } from 'node:fs';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';

/** The peer, and what it and we look at. */
export interface Peers {
  /** The folder that holds `etcd` and `kube-apiserver`. */
  readonly assets: string;
  /** Linkerd's controller, built outside of this repository. */
  readonly controller: string;
  /** Why the comparison cannot run here; false when it can. */
  readonly skip: false | string;
}

/** The variable that names a controller of Linkerd: the one for policies, or the one that is destination among others. */
export type ControllerVariable = 'LINKERD_POLICY_CONTROLLER_BIN' | 'LINKERD_CONTROLLER_BIN';

export const findPeers = (
  variable: ControllerVariable,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Peers => {
  const { assets, skip } = realApiServerAssets(env);
  const controller = env[variable] ?? '';
  return { assets, controller, skip: skip || whyNoController(variable, controller) };
};

const whyNoController = (variable: ControllerVariable, path: string): false | string => {
  if (path === '') return `${variable} names no controller of Linkerd`;
  try {
    accessSync(path, constants.X_OK);
    return false;
  } catch {
    return `${variable}=${path} is not a program that can be run`;
  }
};
