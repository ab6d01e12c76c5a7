import { printHostPort } from '@gatehouse/core/host-port';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printShown } from '../../print/output.ts';
import { printTable } from '../../print/table.ts';
import type { ResolveOptions } from './endpoints.ts';
import { type Resolution, resolve } from './resolution.ts';
import { printReached } from './show-endpoints.ts';

type Profile = Resolution['profile'];

/** `gatehouse profile AUTHORITY`. */
export const showProfile = async (
  authority: string,
  options: ResolveOptions,
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const resolution = await resolve(authority, options, surroundings);
  const { terminal } = surroundings;
  const { output } = options;
  if (output === 'json' || output === 'yaml') {
    const { target, client, profile } = resolution;
    terminal.out(printShown(output, { value: { target, client, profile }, heads: [], rows: [] }));
    return exitCode.ok;
  }
  const facts = factsOf(resolution).map(([name, text]) => `${`${name}:`.padEnd(16)}${text}`);
  terminal.out([...facts, ...tablesOf(resolution.profile, terminal.width)].join('\n'));
  return exitCode.ok;
};

const factsOf = ({ target, profile }: Resolution): readonly (readonly [string, string])[] => {
  const { kind, name, opaque, endpoint, reason, serviceProfile, retryBudget } = profile;
  const isService = kind === 'service';
  return [
    ['Asked', target],
    ['Is', name === null ? (words[kind] ?? kind) : `the Service ${name}`],
    ...(reason === null ? [] : [['Because', reasons[reason] ?? reason] as const]),
    ...(kind === 'nothing' ? [] : [['Opaque', opaque ? 'yes: clients send bytes' : 'no'] as const]),
    ...(endpoint === null
      ? []
      : [
          ['Endpoint', printHostPort({ host: endpoint.ip, port: endpoint.port })] as const,
          ['Workload', endpoint.workload ?? 'none that is known'] as const,
          ['Reached', printReached(endpoint)] as const,
          ['Identity', endpoint.identity ?? 'none'] as const,
        ]),
    ...(isService ? [['ServiceProfile', printOrigin(serviceProfile)] as const] : []),
    ...(retryBudget === null
      ? []
      : [
          [
            'Retries',
            `${retryBudget.ratio * 100} % of requests and ${retryBudget.minPerSecond}/s, over ${retryBudget.ttlMs / 1_000} s`,
          ] as const,
        ]),
  ];
};

const words: Readonly<Record<string, string>> = {
  endpoint: 'one endpoint',
  'unknown-address': 'an address that nothing here has: traffic goes where it was sent',
  'contested-address': 'an address that several have: traffic goes where it was sent',
  nothing: 'nothing that proxies are told of',
};

const reasons: Readonly<Record<string, string>> = {
  'no-service': 'the Service is not found; proxies wait until it is created',
  'no-instance': 'no endpoint of the Service has this hostname',
  'no-port': 'the Service does not declare this port',
  'external-name': 'the Service is an ExternalName, an alias in DNS',
};

const printOrigin = (profile: Profile['serviceProfile']): string => {
  if (profile === null) return 'none';
  const { namespace, name, rejected } = profile;
  return rejected.length === 0
    ? `${namespace}/${name}`
    : `${namespace}/${name}, rejected: ${rejected.join('; ')}`;
};

const tablesOf = ({ serviceProfile }: Profile, width: number | undefined): readonly string[] => {
  if (serviceProfile === null) return [];
  const { routes, overrides } = serviceProfile;
  return [
    ...(routes.length === 0
      ? []
      : [
          '',
          printTable(
            ['route', 'requests', 'retried', 'timeout'],
            routes.map(({ name, requests, isRetryable, timeoutMs }) => [
              name,
              requests,
              isRetryable ? 'yes' : 'no',
              timeoutMs === null ? 'none' : `${timeoutMs} ms`,
            ]),
            width,
          ),
        ]),
    ...(overrides.length === 0
      ? []
      : [
          '',
          printTable(
            ['sent to', 'weight'],
            overrides.map(({ authority, weight }) => [authority, String(weight)]),
            width,
          ),
        ]),
  ];
};
