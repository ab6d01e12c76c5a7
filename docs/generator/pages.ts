import { annotationsPage } from './annotations-page.ts';
import { cliPage } from './cli-page.ts';
import { errorsPage } from './errors-page.ts';
import { findingsPage } from './findings-page.ts';
import { manifestsPage } from './manifests-page.ts';
import { metricsPage } from './metrics-page.ts';
import { restPage } from './rest-page.ts';
import { askServices } from './running-services.ts';
import { settingsPage } from './settings-page.ts';
import { valuesPage } from './values-page.ts';

/** Every page of docs/reference by its file name. Starts the three services for a moment, on loopback. */
export const referencePages = async (): Promise<Readonly<Record<string, string>>> => {
  const told = await askServices();
  return {
    'settings.md': settingsPage(),
    'metrics.md': metricsPage(told),
    'errors.md': errorsPage(),
    'findings.md': findingsPage(),
    'rest.md': restPage(told),
    'cli.md': cliPage(),
    'manifests.md': manifestsPage(),
    'values.md': valuesPage(),
    'annotations.md': annotationsPage(),
  };
};
