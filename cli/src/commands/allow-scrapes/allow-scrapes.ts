import { Command, Option } from 'commander';
import type { Run } from '../../cli.ts';
import { type NamespacedName, readNamespaced } from '../../print/read-arguments.ts';
import { type ManifestFormat, manifestFormat } from '../install/install-options.ts';

export interface ScrapeOptions {
  readonly namespace: readonly string[];
  readonly networks?: string;
  readonly serviceAccount?: readonly NamespacedName[];
  readonly output: ManifestFormat;
}

const collectText = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

const collectName = (text: string, before: readonly NamespacedName[] = []): readonly NamespacedName[] => [
  ...before,
  readNamespaced(text),
];

const examples = `
Examples:
  # a Prometheus without proxy, anywhere in the pod network
  gatehouse allow-scrapes -n demo --networks 10.42.0.0/16 | kubectl apply -f -
  # a meshed Prometheus, by its identity, in two namespaces
  gatehouse allow-scrapes -n demo -n shop --service-account monitoring/prometheus | kubectl apply -f -`;

/** `gatehouse allow-scrapes`: prints the policy by which the proxies' metrics can be read where the default is deny. */
export const allowScrapesCommand = (finish: (run: Run) => void): Command =>
  new Command('allow-scrapes')
    .description("Print policies that let a scraper read the proxies' metrics, GET /metrics on port 4191.")
    .addOption(
      new Option('-n, --namespace <ns>', 'whose pods may be scraped; may be repeated')
        .argParser(collectText)
        .makeOptionMandatory(),
    )
    .option('--networks <cidr,...>', 'where scrapers without a proxy come from')
    .option('--service-account <ns/name>', 'a meshed scraper; may be repeated', collectName)
    .addOption(manifestFormat())
    .addHelpText('after', examples)
    .action((options: ScrapeOptions) =>
      finish(async (surroundings) =>
        (await import('./print-scrape-policies.ts')).printScrapePolicies(options, surroundings),
      ),
    );
