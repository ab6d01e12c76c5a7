import { Command, Option } from 'commander';
import type { Run } from '../../cli.ts';
import { exitCode } from '../../exit-code.ts';
import { printShown, printYaml } from '../../print/output.ts';
import { addReachOptions, type ReachOptions } from '../../reach/reach-options.ts';
import { withAdmin } from '../../reach/with-admin.ts';
import { TrustBundle } from './issuer-report.ts';
import { tableOfCas } from './print-ca.ts';

const formats = ['pem', 'spiffe', 'table', 'wide', 'json', 'yaml'] as const;

interface TrustBundleOptions extends ReachOptions {
  readonly output: (typeof formats)[number];
}

/** `gatehouse identity trust-bundle`: the roots, as a file for other programs unless a table is asked for. */
export const identityTrustBundleCommand = (finish: (run: Run) => void): Command =>
  addReachOptions(
    new Command('trust-bundle')
      .description('Print the roots that this mesh trusts.')
      .addOption(
        new Option('-o, --output <format>', 'PEM, a SPIFFE bundle, a table, or our JSON or YAML')
          .choices([...formats])
          .default('pem'),
      ),
  ).action((options: TrustBundleOptions) => finish(identityTrustBundle(options)));

const identityTrustBundle =
  (options: TrustBundleOptions): Run =>
  (surroundings) =>
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
