import { GatehouseError } from '@gatehouse/core/error';
import { Type } from 'typebox';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printClock, printMoment } from '../../print/human-time.ts';
import { printShown, type Shown } from '../../print/output.ts';
import { warnOfMissing } from '../../print/warn-of-missing.ts';
import type { AdminApi } from '../../reach/admin-client.ts';
import type { MeshPlace } from '../../reach/open-admin.ts';
import { proxyPort } from '../../reach/proxy-port.ts';
import { withAdmin } from '../../reach/with-admin.ts';
import type { PodOptions } from './identity.ts';
import { type Issued, readIssued } from './issued.ts';
import { shortIdentity } from './issued-item.ts';
import { namedPods, requireNames } from './named-pods.ts';
import { type PodReport, reportOf } from './pod-report.ts';
import { podHeads, podRow, printPod, printServed, type ShownPod } from './print-pod.ts';
import { type Served, seeServed } from './served-certificate.ts';

/** A proxy renews about every 17 hours: nobody looks back further than this. */
const remembered = 1_000;

/** `gatehouse identity POD…`: the certificate that each pod holds, and what led to it. */
export const showPods = async (
  names: readonly string[],
  options: PodOptions,
  surroundings: Surroundings,
): Promise<ExitCode> => {
  requireNames(names, options.selector);
  return withAdmin({ service: 'identity', options, surroundings }, async (api, mesh) => {
    const { interrupted: signal } = surroundings;
    const pods = await namedPods(names, { mesh, options, signal });
    const found: Found[] = [];
    for (const pod of pods) found.push({ pod, ...(await readIssued(api, { pod }, remembered)) });
    const see = options.served === true ? await seeing(api, mesh, surroundings.interrupted) : undefined;
    return show(found, { see, since: () => rememberedSince(api), options, surroundings });
  });
};

type See = (report: PodReport, issued: Issued) => Promise<Served>;

/** How the proxies of pods are looked at. Throws where they cannot be reached at all. */
const seeing = async (api: AdminApi, mesh: MeshPlace, signal: AbortSignal): Promise<See> => {
  if (mesh.kind !== 'cluster') {
    throw new GatehouseError(
      'invalid-argument',
      '--served forwards a port to the pod, so it needs a cluster',
    );
  }
  const { client } = mesh.cluster;
  const trustBundle = await api.text('/v1/trust-bundle', { format: 'pem' });
  return async ({ pod: { namespace, name }, identity }, { items: issued }) => {
    const port = await proxyPort(client, { namespace, name }, signal);
    if (port === undefined) return { kind: 'not seen', reason: 'the pod is gone' };
    const open = () => client.portForward({ namespace, pod: name, port, signal });
    return seeServed(open, { identity, trustBundle, issued, signal });
  };
};

interface Found extends Issued {
  readonly pod: string;
}

interface Showing {
  readonly see: See | undefined;
  /** Since when identity tells of certificates; undefined where it does not say. */
  readonly since: () => Promise<string | undefined>;
  readonly options: PodOptions;
  readonly surroundings: Surroundings;
}

const show = async (
  found: readonly Found[],
  { see, since, options, surroundings }: Showing,
): Promise<ExitCode> => {
  const { terminal } = surroundings;
  const told = { now: Date.now(), paint: terminal.paint };
  const reports: ShownPod[] = [];
  const missing: string[] = [];
  for (const issued of found) {
    const report = reportOf(issued.items, told.now);
    if (report === undefined) missing.push(issued.pod);
    else reports.push({ ...report, served: (await see?.(report, issued)) ?? null });
  }
  const missed = found.flatMap((each) => each.partial).map((each) => [each.replica, each] as const);
  const partial = [...new Map(missed).values()];
  if (found.length === 1 && reports[0] !== undefined && options.output === 'table') {
    terminal.out(printPod(reports[0], told));
  } else if (reports.length > 0 || options.output === 'json' || options.output === 'yaml') {
    const shown: Shown = {
      value: { items: reports, partial },
      heads: see === undefined ? podHeads : [...podHeads, 'served'],
      rows: reports.map((report) => [
        ...podRow(report, shortIdentity(report.identity), told),
        ...(report.served === null ? [] : [printServed(report.served, told)]),
      ]),
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
      `${await sinceWhen(since)}\`gatehouse identity list\` shows what it remembers`,
  );
};

const sinceWhen = async (since: Showing['since']): Promise<string> => {
  const moment = await since();
  if (moment === undefined) return '';
  const at = Date.parse(moment);
  return `It remembers what was issued since ${printClock(at)} (${printMoment(at, Date.now())}); a proxy renews after up to 17 hours. `;
};

const Remembers = Type.Object({ since: Type.String() });

/** Who may see the pods of a namespace alone is not told. */
const rememberedSince = async (api: AdminApi): Promise<string | undefined> => {
  try {
    return (await api.json(Remembers, '/v1/issuance-log')).since;
  } catch {
    return undefined;
  }
};
