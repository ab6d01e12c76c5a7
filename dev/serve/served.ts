import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import type { ServiceName } from '@gatehouse/platform/service/service';
import type { StateDir } from '@gatehouse/platform/state/state-dir';
import { replaceFile } from '@gatehouse/platform/state/state-files';
import { serviceNames } from './service-addresses.ts';

/** Where everything of a running `gatehouse serve` is: printed with `-o json`. */
export type ServeRecord = Served & {
  /** PEM bundle that clients must trust. */
  readonly trustAnchors: string;
  /** The file that holds the bearer token of the REST API; left out in a cluster, whose API server knows its callers. */
  readonly adminToken?: string;
};

export type Served = Readonly<Partial<Record<ServiceName, ServedAt>>>;

/** What `gatehouse dev` finds of one service. */
interface FoundService extends ServedAt {
  /** PEM bundle that clients must trust: the state directory's own, unless the services were given another. */
  readonly trustAnchors: string;
}

export interface ServedAt {
  readonly grpc: string;
  readonly admin: string;
  /** The mesh name that its certificate has. */
  readonly name: string;
  /** Whether gRPC is TLS; plaintext is for loopback only. */
  readonly tls: boolean;
  /** `https://host:port` of the admission webhooks, of policy where it serves them. */
  readonly webhook?: string;
}

const recordFile = (state: StateDir, service: ServiceName): string =>
  join(state.root, `serve-${service}.json`);

/** Where services are now, one file each, since each may run in a process of its own: so `gatehouse dev` finds them. */
export const writeServed = async (
  state: StateDir,
  { trustAnchors, ...served }: Served & { readonly trustAnchors: string },
): Promise<void> => {
  for (const service of serviceNames) {
    const at = served[service];
    if (at === undefined) continue;
    const found: FoundService = { ...at, trustAnchors };
    await replaceFile(recordFile(state, service), 'public', `${JSON.stringify(found)}\n`);
  }
};

export const removeServed = async (state: StateDir, services: readonly ServiceName[]): Promise<void> => {
  for (const service of services) await rm(recordFile(state, service), { force: true });
};

/** Where a service of this state directory is served. Throws `failed-precondition` when it is not. */
export const readServed = async (state: StateDir, service: ServiceName): Promise<FoundService> => {
  const text = await readFile(recordFile(state, service), 'utf8').catch(() => undefined);
  if (text !== undefined) return JSON.parse(text) as FoundService;
  throw new GatehouseError(
    'failed-precondition',
    `no ${service} service runs on ${state.root}: start \`gatehouse serve --dir DIR --state ${state.root}\`, or name the state directory of one that runs with --state`,
  );
};
