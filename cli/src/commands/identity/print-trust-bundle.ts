import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printShown, printYaml } from '../../print/output.ts';
import { withAdmin } from '../../reach/with-admin.ts';
import { TrustBundle } from './issuer-report.ts';
import { tableOfCas } from './print-ca.ts';
import type { TrustBundleOptions } from './trust-bundle.ts';

export const printTrustBundle = (
  options: TrustBundleOptions,
  surroundings: Surroundings,
): Promise<ExitCode> =>
  withAdmin({ service: 'identity', options, surroundings }, async (api) => {
    const { terminal } = surroundings;
    const path = '/v1/trust-bundle';
    switch (options.output) {
      case 'pem':
      case 'spiffe':
        terminal.out((await api.text(path, { format: options.output })).trimEnd());
        break;
      case 'json':
        terminal.out(await api.text(path, { format: 'json' }));
        break;
      case 'yaml':
        terminal.out(printYaml(await api.json(TrustBundle, path, { format: 'json' })));
        break;
      case 'table':
      case 'wide': {
        const value = await api.json(TrustBundle, path, { format: 'json' });
        const cas = value.certificates.map((certificate) => ({ role: 'root', certificate }));
        const table = tableOfCas(cas, { now: Date.now(), paint: terminal.paint });
        terminal.out(printShown(options.output, { value, ...table }, terminal.width));
      }
    }
    return exitCode.ok;
  });
