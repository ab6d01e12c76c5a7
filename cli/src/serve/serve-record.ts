import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GatehouseError } from '@gatehouse/shared/error';
import type { ServiceName } from '@gatehouse/shared/service';
import type { StateDir } from '@gatehouse/shared/state-dir';
import { replaceFile } from '@gatehouse/shared/state-files';

/** Where everything of a running `gatehouse serve` is: printed with `-o json`, and kept in the state directory. */
export type ServeRecord = Readonly<Partial<Record<ServiceName, ServedAt>>> & {
  /** PEM bundle that clients must trust. */
  readonly trustAnchors: string;
  /** The file that holds the bearer token of the REST API. */
  readonly adminToken: string;
};

export interface ServedAt {
  readonly grpc: string;
  readonly admin: string;
  /** The mesh name that its certificate has. */
  readonly name: string;
  /** Whether gRPC is TLS; plaintext is for loopback only. */
  readonly tls: boolean;
}

const recordFile = (state: StateDir): string => join(state.root, 'serve.json');

/** Kept so that `gatehouse dev` finds the services without being told their ports. */
export const writeServeRecord = (state: StateDir, record: ServeRecord): Promise<void> =>
  replaceFile(recordFile(state), 'public', `${JSON.stringify(record)}\n`);

export const removeServeRecord = (state: StateDir): Promise<void> => rm(recordFile(state), { force: true });

/** Where a service of this state directory was last served. Throws `failed-precondition` when none was. */
export const readServeRecord = async (state: StateDir, service: ServiceName): Promise<ServedAt> => {
  const text = await readFile(recordFile(state), 'utf8').catch(() => '{}');
  const served = (JSON.parse(text) as Partial<ServeRecord>)[service];
  if (served === undefined) {
    throw new GatehouseError(
      'failed-precondition',
      `no ${service} service runs on ${state.root}: start \`gatehouse serve --dir DIR --state ${state.root}\`, or name its address`,
    );
  }
  return served;
};
