import { accessSync, constants } from 'node:fs';

/** What the rig looks at before it touches anything; a test says it for another machine. */
export interface Machine {
  readonly platform: string;
  /** Effective user id; undefined where there is none. */
  readonly uid: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isExecutable: (path: string) => boolean;
}

const tools = ['ip', 'iptables-restore', 'ip6tables-restore', 'setpriv'] as const;
const toolFolders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const;

/** Why no mesh of real proxies can run here, as one sentence; undefined = it can. */
export const whyNoRealMesh = ({ platform, uid, env, isExecutable }: Machine): string | undefined => {
  if (platform !== 'linux') return 'network namespaces are a thing of Linux';
  if (uid !== 0) return 'network namespaces need root';
  const binary = env.LINKERD2_PROXY_BIN;
  if (binary === undefined || binary === '') {
    return 'LINKERD2_PROXY_BIN names no linkerd2-proxy: set it to an unmodified release build';
  }
  if (!isExecutable(binary)) return `LINKERD2_PROXY_BIN=${binary} is not a program that can be run`;
  const missing = tools.filter((tool) => !toolFolders.some((folder) => isExecutable(`${folder}/${tool}`)));
  return missing.length === 0 ? undefined : `these programs are missing: ${missing.join(', ')}`;
};

export const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
