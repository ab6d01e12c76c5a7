import { GatehouseError } from '@gatehouse/core/error';
import { printHostPort } from '@gatehouse/core/host-port';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printShown } from '../../print/output.ts';
import { printTable } from '../../print/table.ts';
import type { ResolveOptions } from './endpoints.ts';
import { type Endpoint, type Resolution, resolve } from './resolution.ts';

/** `gatehouse endpoints AUTHORITY`. Fails where the Service is not found. */
export const showEndpoints = async (
  authority: string,
  options: ResolveOptions,
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const resolution = await resolve(authority, options, surroundings);
  const { target, get } = resolution;
  if (get === null) {
    throw new GatehouseError(
      'invalid-argument',
      `${target} is an address: endpoints are those of a Service; \`gatehouse profile ${target}\` says whose it is`,
    );
  }
  if (get.kind !== 'endpoints') throw whyNone(target, get.kind);
  const { terminal } = surroundings;
  const { output } = options;
  const isForPeople = output === 'table' || output === 'wide';
  if (isForPeople && get.endpoints.length === 0) terminal.err(`${target} has no endpoints`);
  if (!isForPeople || get.endpoints.length > 0)
    terminal.out(printShown(output, { value: resolution, ...tableOf(get.endpoints) }, terminal.width));
  if (isForPeople && get.leftOut.length > 0) terminal.out(printLeftOut(get, terminal.width));
  return exitCode.ok;
};

const whyNone = (target: string, kind: string): GatehouseError =>
  kind === 'missing'
    ? new GatehouseError('not-found', `there is no Service ${target}: proxies wait until it is made`)
    : new GatehouseError(
        'failed-precondition',
        `${target} is an ExternalName: an alias in DNS, for which proxies are told no endpoints`,
      );

const tableOf = (endpoints: readonly Endpoint[]) => ({
  heads: ['address', 'workload', 'reached', 'zone', 'identity'],
  rows: endpoints.map(({ ip, port, workload, zone, identity, ...how }) => [
    printHostPort({ host: ip, port }),
    workload ?? '',
    printReached(how),
    zone,
    identity ?? '',
  ]),
  wideHeads: ['node', 'locality', 'proxy port', 'remarks'],
  wideRows: endpoints.map(({ nodeName, zoneLocality, inboundPort, remarks }) => [
    nodeName,
    zoneLocality,
    inboundPort === null ? '' : String(inboundPort),
    remarks.join('; '),
  ]),
});

/** `mTLS, h2`, or why it is plaintext. */
export const printReached = ({ protocol, remarks }: Pick<Endpoint, 'protocol' | 'remarks'>): string =>
  protocol === null ? `plaintext (${remarks.join('; ')})` : `mTLS, ${protocol}`;

const printLeftOut = ({ leftOut }: NonNullable<Resolution['get']>, width: number | undefined): string => {
  const rows = leftOut.map(({ pod, address, why }) => [pod, address, why]);
  return `\nLeft out:\n${printTable(['workload', 'address', 'because'], rows, width)}`;
};
