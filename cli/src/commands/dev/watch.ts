import type { GatehouseError } from '@gatehouse/core/error';
import { printProblem } from '@gatehouse/core/problem';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { checkProxyRegex } from '@gatehouse/platform/kube/parse/proxy-regex';
import { decodeInbound } from '@gatehouse/wire/decode-inbound';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { Argument, Command, Option } from 'commander';
import type { Run, Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { readNamespaced, readPort } from '../../print/output.ts';
import { printServer } from '../../print/print-server.ts';
import { addDevOptions, type DevOptions, openDevMesh } from './dev-mesh.ts';

type Named = ReturnType<typeof readNamespaced>;

interface WatchOptions extends DevOptions {
  readonly once?: true;
  readonly output: 'table' | 'json';
}

const watchPort = '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort';

/** `gatehouse dev watch NS/POD PORT`: shows each row that the pod's proxy would be sent, as it comes. */
export const devWatchCommand = (finish: (run: Run) => void): Command =>
  addDevOptions(new Command('watch'))
    .description("Show what a pod's proxy is told about a port, and every change of it.")
    .addArgument(new Argument('<pod>', 'NAMESPACE/POD').argParser(readNamespaced))
    .addArgument(new Argument('<port>', 'the port').argParser(readPort(1)))
    .option('--once', 'end after the first answer')
    .addOption(
      new Option('-o, --output <format>', 'table, or one JSON object a line')
        .choices(['table', 'json'])
        .default('table'),
    )
    .action((pod: Named, port: number, options: WatchOptions) =>
      finish((surroundings) => devWatch({ pod, port, options }, surroundings)),
    );

interface Watch {
  readonly pod: Named;
  readonly port: number;
  readonly options: WatchOptions;
}

const devWatch = async ({ pod, port, options }: Watch, surroundings: Surroundings): Promise<ExitCode> => {
  const { terminal, interrupted } = surroundings;
  const devMesh = await openDevMesh(options, surroundings);
  const client = new GrpcClient(await devMesh.reach('policy'));
  const workload = JSON.stringify({ ns: pod.namespace, pod: pod.name });
  const { promise: ended, resolve: end } = Promise.withResolvers<GatehouseError | undefined>();
  client.serverStream(watchPort, PortSpec.encode({ workload, port }).finish(), {
    onMessage: (bytes) => {
      terminal.out(printMessage(bytes, options.output));
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

const printMessage = (bytes: Uint8Array, format: 'table' | 'json'): string => {
  const server = decodeInbound(bytes, checkProxyRegex);
  const at = new Date().toISOString();
  if (format === 'json') {
    const value = server.ok ? { at, server: server.value } : { at, invalid: server.problems };
    return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? part.toString() : part));
  }
  const text = server.ok
    ? printServer(server.value)
    : `invalid, so the proxy denies everything:\n${server.problems.map((one) => `  ${printProblem(one)}`).join('\n')}`;
  return `${at}  ${bytes.length} bytes\n${text}\n`;
};
