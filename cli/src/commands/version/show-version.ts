import { GatehouseError } from '@gatehouse/core/error';
import { release, type Skew, skewOf } from '@gatehouse/core/release';
import { type ServiceName, serviceNames } from '@gatehouse/platform/service/service';
import { Type } from 'typebox';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printShown } from '../../print/output.ts';
import { withAdmin } from '../../reach/with-admin.ts';
import type { VersionOptions } from './version.ts';

/** What is read of `/v1/health`; services before 0.1 do not say their version. */
const Health = Type.Object({ service: Type.String(), version: Type.Optional(Type.String()) });

interface ServiceVersion {
  readonly service: string;
  /** Null where it could not be asked, or does not say. */
  readonly version: string | null;
  readonly skew: Skew;
  /** Why it could not be asked. */
  readonly error: string | null;
}

/** Fails where a service could not be asked, having shown the rest. */
export const showVersion = async (options: VersionOptions, surroundings: Surroundings): Promise<ExitCode> => {
  const { terminal } = surroundings;
  const services = options.client === true ? [] : await servicesOf(options, surroundings);
  const { output } = options;
  terminal.out(
    printShown(
      output,
      {
        value: { client: { version: release }, services },
        heads: ['what', 'version', 'skew'],
        rows: [
          ['gatehouse (this command)', release, ''],
          ...services.map(({ service, version, skew, error }) => [
            service,
            version ?? 'unknown',
            error === null ? skew : 'not asked',
          ]),
        ],
      },
      terminal.width,
    ),
  );
  for (const reason of new Set(services.flatMap(({ error }) => error ?? []))) terminal.err(reason);
  const others = services.filter(({ skew }) => skew === 'older' || skew === 'newer');
  if (others.length > 0 && (output === 'table' || output === 'wide')) {
    terminal.err(
      terminal.paint(
        'yellow',
        `${others.map(({ service }) => service).join(', ')}: of another minor version than this command, which may miss fields that they say, or ask for what they do not have; use the command of their version`,
      ),
    );
  }
  return services.some(({ error }) => error !== null) ? exitCode.failed : exitCode.ok;
};

const servicesOf = async (
  options: VersionOptions,
  surroundings: Surroundings,
): Promise<readonly ServiceVersion[]> => {
  // An address is one service's, whichever it is.
  const asked = options.address === undefined ? serviceNames : (['identity'] as const);
  const found: ServiceVersion[] = [];
  for (const service of asked) found.push(await versionOf(service, options, surroundings));
  return found;
};

const versionOf = async (
  service: ServiceName,
  options: VersionOptions,
  surroundings: Surroundings,
): Promise<ServiceVersion> => {
  try {
    return await withAdmin({ service, options, surroundings }, async (api) => {
      const { service: named, version } = await api.json(Health, '/v1/health');
      const skew = version === undefined ? 'unknown' : skewOf(release, version);
      return { service: named, version: version ?? null, skew, error: null };
    });
  } catch (thrown) {
    if (!(thrown instanceof GatehouseError) || thrown.code === 'invalid-argument') throw thrown;
    return { service, version: null, skew: 'unknown', error: thrown.message };
  }
};
