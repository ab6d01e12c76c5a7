import type { GatehouseError } from '@gatehouse/core/error';
import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import { printProblem } from '@gatehouse/core/problem';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { checkProxyRegex } from '@gatehouse/platform/kube/parse/proxy-regex';
import { decodeInbound } from '@gatehouse/wire/decode-inbound';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printServer } from '../../print/print-server.ts';
import type { NamespacedName } from '../../print/read-arguments.ts';
import { openDevMesh } from './dev-mesh.ts';
import type { WatchOptions } from './watch.ts';

const method = '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort';

interface Watch {
  readonly pod: NamespacedName;
  readonly port: number;
  readonly options: WatchOptions;
}

export const watchPort = async (
  { pod, port, options }: Watch,
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const { terminal, interrupted } = surroundings;
  const devMesh = await openDevMesh(options, surroundings);
  const { address, security } = await devMesh.reach('policy');
  const client = new GrpcClient({ address, security });
  const workload = JSON.stringify({ ns: pod.namespace, pod: pod.name });
  const { promise: ended, resolve: end } = Promise.withResolvers<GatehouseError | undefined>();
  client.serverStream(method, PortSpec.encode({ workload, port }).finish(), {
    onMessage: (bytes) => {
      terminal.out(options.output === 'json' ? printJson(bytes) : printText(bytes, devMesh.mesh));
      if (options.once === true) end(undefined);
    },
    onEnd: end,
  });
  if (interrupted.aborted) end(undefined);
  interrupted.addEventListener('abort', () => end(undefined), { once: true });
  const error = await ended;
  await client.close();
  if (error !== undefined) throw error;
  return exitCode.ok;
};

const printJson = (bytes: Uint8Array): string => {
  const server = decodeInbound(bytes, checkProxyRegex);
  const at = new Date().toISOString();
  const value = server.ok ? { at, server: server.value } : { at, invalid: server.problems };
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? part.toString() : part));
};

const printText = (bytes: Uint8Array, mesh: Mesh): string => {
  const server = decodeInbound(bytes, checkProxyRegex);
  const at = new Date().toISOString();
  const text = server.ok
    ? printServer(server.value, mesh)
    : `invalid, so the proxy denies everything:\n${server.problems.map((one) => `  ${printProblem(one)}`).join('\n')}`;
  return `${at}  ${bytes.length} bytes\n${text}\n`;
};
