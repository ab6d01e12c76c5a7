import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseHostPort } from '@gatehouse/core/host-port';
import { startServices, stopServices } from '@gatehouse/dev/serve/start-services';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { eventually } from '@gatehouse/testing/grpc';
import { aStallingNetwork, type StallingNetwork } from '@gatehouse/testing/stalling-network';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { type Ended, runToEnd } from './run-cli.ts';

/** A running policy service on a folder, command lines that ask it, and proxies that watch their port 8080. */
export interface PolicyWithProxies {
  run(...args: readonly string[]): Promise<Ended>;
  write(file: string, text: string): Promise<void>;
  /** Connects the proxy of a pod, at its address, and waits for its first row. */
  proxy(pod: string, address: string): Promise<StallingNetwork>;
}

export const policyWithProxies = async (t: TestContext, manifests: string): Promise<PolicyWithProxies> => {
  const root = await temporaryFolder(t);
  const [state, folder] = [join(root, 'state'), join(root, 'manifests')];
  for (const path of [state, folder]) await mkdir(path);
  await writeFile(join(folder, 'mesh.yaml'), manifests);
  const services = await startServices(['policy'], () => ({
    GATEHOUSE_SOURCE: `directory:${folder}`,
    GATEHOUSE_STATE_DIR: state,
    GATEHOUSE_POD_NAME: 'policy-0',
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    GATEHOUSE_LOG_LEVEL: 'error',
  }));
  t.after(() => stopServices(services, 'the test is over'));
  const [{ admin, grpc } = assert.fail('policy was started')] = services;
  await eventually(async () => (await fetch(`${admin}/ready`)).status === 200);
  const token = (await readFile(join(state, 'admin-token'), 'utf8')).trim();
  const to = parseHostPort(grpc);
  assert.ok(to.ok);
  return {
    run: (...args) => runToEnd([...args, '--address', admin, '--token', token]),
    write: (file, text) => writeFile(join(folder, file), text),
    proxy: async (pod, address) => {
      const network = await aStallingNetwork(t, { to: to.value, from: address });
      const client = new GrpcClient({ address: network.address, security: 'plaintext' });
      t.after(() => client.close());
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      client.serverStream(
        '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort',
        PortSpec.encode({ workload: `demo:${pod}`, port: 8080 }).finish(),
        { onMessage: () => resolve(), onEnd: (error) => reject(error) },
      );
      await promise;
      return network;
    },
  };
};
