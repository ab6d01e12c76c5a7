import type { GatehouseError } from '@gatehouse/core/error';
import { identityOf, type Mesh, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { toldServer } from '@gatehouse/dev/folder/told-server';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { checkProxyRegex } from '@gatehouse/platform/kube/parse/proxy-regex';
import { decodeInbound } from '@gatehouse/wire/decode-inbound';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { shortBehind } from '../../print/policy-words.ts';
import { fieldsOf, printFields } from '../../print/print-port.ts';
import type { NamespacedName } from '../../print/read-arguments.ts';
import type { Terminal } from '../../print/terminal.ts';
import type { Behind, Client } from '../../reach/policy-answers.ts';
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
      terminal.out(
        options.output === 'json'
          ? printJson(bytes)
          : printText(bytes, { mesh: devMesh.mesh, pod, terminal }),
      );
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

interface Told {
  readonly mesh: Mesh;
  readonly pod: NamespacedName;
  readonly terminal: Pick<Terminal, 'width' | 'paint'>;
}

const printText = (bytes: Uint8Array, { mesh, pod, terminal }: Told): string => {
  const head = terminal.paint('bold', `${new Date().toISOString()}  ${bytes.length} bytes`);
  const told = toldServer(bytes, pod.namespace);
  switch (told.kind) {
    case 'invalid':
      return [
        head,
        '  invalid, so the proxy denies everything:',
        ...told.problems.map((one) => `    ${one}`),
      ].join('\n');
    case 'told': {
      const { server, by } = told;
      // Of the same mesh, which is all that matters of it here.
      const self = printIdentity(identityOf(mesh, pod.namespace, 'default'));
      const about = { governedBy: behindText(by), because: (client: Client) => behindText(client.by), self };
      return `${head}\n${printFields(fieldsOf(server, about), terminal.width)}\n`;
    }
  }
};

const behindText = (by: Behind): string => (by.object === undefined ? `default ${by.name}` : shortBehind(by));
