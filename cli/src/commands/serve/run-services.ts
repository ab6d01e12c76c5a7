import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import { defaultStateDir } from '@gatehouse/dev/serve/default-state-dir';
import { recordFolder } from '@gatehouse/dev/serve/recorded-folder';
import { removeServed, type ServeRecord, writeServed } from '@gatehouse/dev/serve/served';
import { highestBase, serviceAddresses, serviceNames } from '@gatehouse/dev/serve/service-addresses';
import { untilReady } from '@gatehouse/dev/serve/until-ready';
import { servesTls } from '@gatehouse/platform/grpc/transport-security';
import { mountedAnchors } from '@gatehouse/platform/own-leaf/own-leaf';
import type { RunningService, ServiceName } from '@gatehouse/platform/service/service';
import { makeStateDir } from '@gatehouse/platform/state/state-dir';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printTable } from '../../print/table.ts';
import type { ServeOptions } from './serve.ts';

/** Serves until it is interrupted, or until one of the services ends. */
export const serve = async (
  services: readonly ServiceName[],
  options: ServeOptions,
  { terminal, env, workingDirectory, interrupted }: Surroundings,
): Promise<ExitCode> => {
  if (options.portBase !== undefined && options.portBase > highestBase) {
    throw new GatehouseError(
      'invalid-argument',
      `--port-base ${options.portBase} is too high: use at most ${highestBase}`,
    );
  }
  const folder = options.dir === undefined ? undefined : resolve(workingDirectory, options.dir);
  if (folder !== undefined) await requireFolder(folder);
  const state = await makeStateDir(
    resolve(workingDirectory, options.state ?? env.GATEHOUSE_STATE_DIR ?? defaultStateDir),
  );
  // The services are most of what there is to load; commands that only ask one do without.
  const { startServices, stopServices } = await import('@gatehouse/dev/serve/start-services');
  const running = await startServices(services, (service, identity) => {
    const { grpc, admin } = serviceAddresses(service, { host: options.host, base: options.portBase });
    return {
      ...env,
      ...sourceSettings(options, folder, workingDirectory),
      ...(identity === undefined ? {} : { GATEHOUSE_IDENTITY_ADDR: identity.grpc }),
      GATEHOUSE_STATE_DIR: state.root,
      GATEHOUSE_GRPC_ADDR: grpc,
      GATEHOUSE_ADMIN_ADDR: admin,
      // A cluster's API server does not reach this machine, unless it is told that it does.
      GATEHOUSE_WEBHOOK_ADDR: env.GATEHOUSE_WEBHOOK_ADDR ?? '',
    };
  });
  if (folder !== undefined) await recordFolder(state, folder);
  const tls = servesTls(env.GATEHOUSE_GRPC_TLS === 'always' ? 'always' : 'auto', options.host);
  const dev = folder !== undefined || env.GATEHOUSE_SOURCE?.startsWith('directory:') === true;
  const record = recordOf(running, {
    tls,
    trustAnchors: resolve(
      workingDirectory,
      env.GATEHOUSE_TRUST_ANCHORS ?? (dev ? state.trustAnchors : mountedAnchors),
    ),
    adminToken: dev ? state.adminToken : undefined,
  });
  for (const complaint of await untilReady(running, interrupted)) terminal.err(complaint);
  await writeServed(state, record);
  terminal.out(options.output === 'json' ? JSON.stringify(record) : printRecord(record));
  try {
    return await untilEnd(running, interrupted, terminal.err);
  } finally {
    await stopServices(running, 'serve ends');
    await removeServed(state, services);
  }
};

/** A folder that is not there is mistyped: said before anything starts, and not by three services. */
const requireFolder = async (path: string): Promise<void> => {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  const what = found === undefined ? 'does not exist' : 'is no folder';
  throw new GatehouseError('failed-precondition', `${path} ${what}: --dir names a folder of manifests`);
};

const sourceSettings = (
  { kubeconfig }: ServeOptions,
  folder: string | undefined,
  workingDirectory: string,
) => ({
  ...(folder === undefined ? {} : { GATEHOUSE_SOURCE: `directory:${folder}` }),
  ...(kubeconfig === undefined
    ? {}
    : { GATEHOUSE_SOURCE: 'kubernetes', KUBECONFIG: resolve(workingDirectory, kubeconfig) }),
});

interface Surrounding {
  readonly tls: boolean;
  readonly trustAnchors: string;
  /** Undefined in a cluster, where the API server says who a caller is. */
  readonly adminToken: string | undefined;
}

const recordOf = (
  running: readonly RunningService[],
  { tls, trustAnchors, adminToken }: Surrounding,
): ServeRecord => ({
  ...Object.fromEntries(
    running.map(({ service, grpc, admin, name, webhook }) => [
      service,
      { grpc, admin, name, tls, ...(webhook === undefined ? {} : { webhook }) },
    ]),
  ),
  trustAnchors,
  ...(adminToken === undefined ? {} : { adminToken }),
});

const printRecord = (record: ServeRecord): string => {
  const rows = serviceNames.flatMap((service) => {
    const at = record[service];
    return at === undefined ? [] : [[service, at.grpc, at.admin, at.name]];
  });
  const example = record.policy ?? record.destination ?? record.identity;
  const { trustAnchors, adminToken } = record;
  return [
    printTable(['service', 'grpc', 'admin', 'mesh name'], rows),
    '',
    `trust anchors  ${trustAnchors}`,
    ...(record.policy?.webhook === undefined ? [] : [`webhooks       ${record.policy.webhook}`]),
    ...(adminToken === undefined ? [] : [`admin token    ${adminToken}`]),
    ...(adminToken === undefined || example === undefined
      ? []
      : ['', `try: curl -H "authorization: Bearer $(cat ${adminToken})" ${example.admin}/v1/health`]),
    'Ctrl-C ends it.',
  ].join('\n');
};

const untilEnd = async (
  running: readonly RunningService[],
  interrupted: AbortSignal,
  complain: (text: string) => void,
): Promise<ExitCode> => {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<undefined>();
  if (interrupted.aborted) stop(undefined);
  interrupted.addEventListener('abort', () => stop(undefined), { once: true });
  const first = await Promise.race([
    stopped,
    ...running.map(async ({ service, ended }) => ({ service, ended: await ended })),
  ]);
  if (first === undefined) return exitCode.ok;
  if (first.ended.kind === 'failed') complain(`${first.service} ended: ${first.ended.error.message}`);
  return exitCode.failed;
};
