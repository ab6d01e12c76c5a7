import { RealMesh, type SourceKind } from './rig/real-mesh.ts';

/**
 * Runs something on a mesh and removes all of it, whatever happens: at the end, on a signal, and as far as it goes when this
 * process exits. `name` tells meshes of one process apart. `use` answers whether somebody has to read the logs; they are kept when it throws.
 */
export const withRealMesh = async (
  { name, sourceKind = 'folder' }: { readonly name: string; readonly sourceKind?: SourceKind },
  use: (mesh: RealMesh) => Promise<'keep-logs' | 'remove-logs'>,
): Promise<void> => {
  const mesh = await RealMesh.start({
    name,
    sourceKind,
    binary: process.env.LINKERD2_PROXY_BIN ?? '',
    pid: process.pid,
  });
  const removeNamespaces = (): void => mesh.removeNamespaces();
  const interrupt = (): void => process.exit(130);
  process.once('exit', removeNamespaces).once('SIGINT', interrupt).once('SIGTERM', interrupt);
  let logs: 'keep-logs' | 'remove-logs' = 'keep-logs';
  try {
    logs = await use(mesh);
  } finally {
    await mesh.end(logs);
    process.off('exit', removeNamespaces).off('SIGINT', interrupt).off('SIGTERM', interrupt);
    if (logs === 'keep-logs') console.log(`logs: ${mesh.logs}`);
  }
};
