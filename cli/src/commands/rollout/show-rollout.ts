import { kindTable } from '@gatehouse/platform/kube/kind-table';
import { type Static, Type } from 'typebox';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printSpan } from '../../print/human-time.ts';
import { printShown } from '../../print/output.ts';
import { kindOfShort, shortObject } from '../../print/policy-words.ts';
import type { Terminal } from '../../print/terminal.ts';
import { warnOfMissing } from '../../print/warn-of-missing.ts';
import { printName, printNotes } from '../../print/workload-text.ts';
import type { AdminApi } from '../../reach/admin-client.ts';
import { getObject } from '../../reach/get-object.ts';
import type { MeshPlace } from '../../reach/open-admin.ts';
import { withAdmin } from '../../reach/with-admin.ts';
import type { PolicyName, RolloutOptions } from './status.ts';

/** What this command reads of a rollout; whatever else is said goes on into json and yaml. */
const Name = Type.Object({ kind: Type.String(), namespace: Type.String(), name: Type.String() });

const Workload = Type.Object({
  kind: Type.Union([Type.Literal('Pod'), Type.Literal('ExternalWorkload')]),
  namespace: Type.String(),
  name: Type.String(),
});

const Laggard = Type.Object({
  workload: Workload,
  port: Type.Integer(),
  reason: Type.String(),
  replica: Type.String(),
  peer: Type.String(),
  openSeconds: Type.Number(),
  wanted: Type.Union([Type.String(), Type.Null()]),
  has: Type.Union([Type.String(), Type.Null()]),
});

const Report = Type.Object({
  object: Name,
  state: Type.String(),
  message: Type.String(),
  laggards: Type.Array(Laggard),
  notWatching: Type.Array(Type.Object({ workload: Workload, reason: Type.String() })),
  findings: Type.Array(Type.Object({ message: Type.String() })),
  partial: Type.Array(Type.Object({ replica: Type.String(), reason: Type.String() })),
});
type Report = Static<typeof Report>;

/** One request waits so long: an answer is expected within 15 s. */
const longestWaitMs = 10_000;

/** `gatehouse rollout status KIND/NAME`. */
export const showRollout = (
  named: PolicyName,
  options: RolloutOptions,
  surroundings: Surroundings,
): Promise<ExitCode> =>
  withAdmin({ service: 'policy', options, surroundings }, async (api, mesh) => {
    const { terminal } = surroundings;
    const fallback = mesh.kind === 'cluster' ? mesh.cluster.namespace : 'default';
    const object = { ...named, namespace: options.namespace ?? fallback, kind: kindOfShort(named.kind) };
    const generation = await generationOf(object, mesh, surroundings.interrupted);
    const report = await readRollout(api, { object, generation, waitMs: options.wait ?? 0 });
    const { output } = options;
    if (output === 'json' || output === 'yaml')
      terminal.out(printShown(output, { value: report, heads: [], rows: [] }));
    else printReport(report, output, terminal);
    warnOfMissing(report, terminal);
    return report.state === 'Programmed' ? exitCode.ok : exitCode.failed;
  });

interface Named extends PolicyName {
  readonly namespace: string;
}

interface Asked {
  readonly object: Named;
  readonly generation: number | undefined;
  readonly waitMs: number;
}

const readRollout = async (api: AdminApi, { object, generation, waitMs }: Asked): Promise<Report> => {
  const { namespace, kind, group, name } = object;
  const path = `/v1/policies/${[namespace, kind, name].map(encodeURIComponent).join('/')}/rollout`;
  const until = performance.now() + waitMs;
  for (;;) {
    const leftMs = Math.max(0, Math.round(until - performance.now()));
    const wait = leftMs === 0 ? undefined : `${Math.min(leftMs, longestWaitMs)}ms`;
    const report = await api.json(Report, path, { group, generation, wait });
    const isOver = report.state === 'Programmed' || report.state === 'NothingToProgram';
    if (isOver || performance.now() >= until) return report;
  }
};

const Generation = Type.Object({
  metadata: Type.Object({ generation: Type.Optional(Type.Integer()) }),
});

/**
 * Which generation the API server has: policy may not have heard of it. Undefined without a cluster, and where the caller may not
 * read the object.
 */
const generationOf = async (
  { namespace, kind, group, name }: Named,
  mesh: MeshPlace,
  signal: AbortSignal,
): Promise<number | undefined> => {
  if (mesh.kind !== 'cluster') return undefined;
  const rows = Object.values(kindTable).filter(
    (row) =>
      row.wireKind.toLowerCase() === kind.toLowerCase() && (group === undefined || row.group === group),
  );
  const [row] = rows;
  // Of an HTTPRoute of two groups the service says that it has to be told which.
  if (row === undefined || rows.length > 1) return undefined;
  for (const version of row.versions) {
    const path = `/apis/${row.group}/${version}/namespaces/${encodeURIComponent(namespace)}/${row.plural}/${encodeURIComponent(name)}`;
    const asked = { path, schema: Generation, signal };
    const found = await getObject(mesh.cluster.client, asked).catch(() => undefined);
    if (found !== undefined) return found.metadata.generation;
  }
  return undefined;
};

const reasons: Readonly<Record<string, string>> = {
  NotSent: 'its replica has not sent it',
  NotRead: 'it does not read what it was sent',
  NotAnswered: 'it has not answered since it was sent',
  NotConnected: 'not connected for its port',
  Unknown: 'perhaps connected to a replica that could not be asked',
  Idle: 'not called there yet',
};

const heads = ['proxy', 'port', 'because', 'connected', 'from', 'replica'];
const wideHeads = ['has', 'should have'];

const printReport = (report: Report, output: 'table' | 'wide', terminal: Terminal): void => {
  const { object, state, message, laggards, notWatching, findings } = report;
  const colour = state === 'Programmed' ? 'green' : 'yellow';
  const name = `${object.namespace}/${shortObject(object)}`;
  const more = state === 'NothingToProgram' ? findings.slice(1) : findings;
  terminal.out(printNotes([`${name} ${terminal.paint(colour, state)}: ${message}`], terminal.columns));
  const rows = [
    ...laggards.map(({ workload, port, reason, openSeconds, peer, replica }) => [
      printName(workload),
      `${port}`,
      reasons[reason] ?? reason,
      printSpan(openSeconds * 1_000),
      peer,
      replica,
    ]),
    ...notWatching.map(({ workload, reason }) => [
      printName(workload),
      '',
      reasons[reason] ?? reason,
      '',
      '',
      '',
    ]),
  ];
  const wideRows = rows.map((_, at) => [laggards[at]?.has ?? '', laggards[at]?.wanted ?? '']);
  if (rows.length > 0)
    terminal.out(
      `\n${printShown(output, { value: report, heads, rows, wideHeads, wideRows }, terminal.width)}`,
    );
  if (more.length > 0)
    terminal.out(
      `\n${printNotes(
        more.map((finding) => finding.message),
        terminal.columns,
      )}`,
    );
};
