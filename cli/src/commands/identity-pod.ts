import { GatehouseError } from '@gatehouse/shared/error';
import type { Run, Surroundings } from '../cli.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { type Issued, readIssued, warnOfMissing } from '../identity/issued.ts';
import { shortIdentity } from '../identity/issued-item.ts';
import { type PodReport, reportOf } from '../identity/pod-report.ts';
import { podHeads, podRow, printPod } from '../identity/print-pod.ts';
import { type OutputFormat, printShown } from '../output.ts';
import type { ReachOptions } from '../reach/reach-options.ts';
import { withAdmin } from '../reach/with-admin.ts';

export interface PodOptions extends ReachOptions {
  readonly namespace?: string;
  readonly output: OutputFormat;
}

/** A pod renews about once in 17 hours; who has more than this has been looked at long enough. */
const remembered = 1_000;

/** `gatehouse identity POD…`: the certificate that each pod holds, and what led to it. */
export const identityPod =
  (names: readonly string[], options: PodOptions): Run =>
  (surroundings) =>
    withAdmin({ service: 'identity', options, surroundings }, async (api, mesh) => {
      const fallback = mesh.kind === 'cluster' ? mesh.cluster.namespace : 'default';
      const pods = names.map((name) => inNamespace(name, options.namespace ?? fallback));
      const found: Found[] = [];
      for (const pod of pods) found.push({ pod, ...(await readIssued(api, { pod }, remembered)) });
      return show(found, { options, surroundings });
    });

interface Found extends Issued {
  readonly pod: string;
}

interface Showing {
  readonly options: PodOptions;
  readonly surroundings: Surroundings;
}

const show = (found: readonly Found[], { options, surroundings }: Showing): ExitCode => {
  const { terminal } = surroundings;
  const told = { now: Date.now(), paint: terminal.paint };
  const reports: PodReport[] = [];
  const missing: string[] = [];
  for (const { pod, items } of found) {
    const report = reportOf(items, told.now);
    if (report === undefined) missing.push(pod);
    else reports.push(report);
  }
  const partial = found.flatMap((each) => each.partial);
  if (found.length === 1 && reports[0] !== undefined && options.output === 'table') {
    terminal.out(printPod(reports[0], told));
  } else if (reports.length > 0 || options.output === 'json' || options.output === 'yaml') {
    const rows = reports.map((report) => podRow(report, shortIdentity(report.identity), told));
    const shown = {
      value: { items: reports, partial },
      heads: podHeads,
      rows,
      wideHeads: ['serial', 'key sha-256', 'pod uid'],
      wideRows: reports.map(({ certificate, pod }) => [certificate.serial, certificate.spkiSha256, pod.uid]),
    };
    terminal.out(printShown(options.output, shown, terminal.width));
  }
  warnOfMissing({ partial }, terminal);
  if (missing.length === 0) return exitCode.ok;
  throw new GatehouseError(
    'not-found',
    `identity remembers no certificate of ${missing.join(', ')}: is the name right, and is the pod in the mesh? ` +
      '`gatehouse identity list` shows what it remembers',
  );
};

const inNamespace = (name: string, namespace: string): string =>
  name.includes('/') ? name : `${namespace}/${name}`;
