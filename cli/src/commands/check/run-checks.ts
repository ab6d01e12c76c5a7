import { resolve } from 'node:path';
import { asGatehouseError, GatehouseError } from '@gatehouse/core/error';
import { type KubeContext, openKubeContext } from '@gatehouse/platform/kube/client/client';
import { pause } from '@gatehouse/platform/process/pause';
import type { ServiceName } from '@gatehouse/platform/service/service';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import type { AdminApi } from '../../reach/admin-client.ts';
import { controlPlaneNamespace } from '../../reach/control-plane-namespace.ts';
import { openAdmin } from '../../reach/open-admin.ts';
import type { CheckOptions } from './check.ts';
import type { CheckContext } from './check-context.ts';
import { ClusterReader } from './cluster-reader.ts';
import { type Check, type Checked, type Finding, failed, skipped } from './finding.ts';
import { jsonOf, printChecks, printShort, worst } from './print-checks.ts';
import { type Section, sectionsOf } from './sections.ts';

/** Between two rounds of `--wait`. */
const roundMs = 2_000;

/** `gatehouse check`. Fails when a check fails. */
export const runChecks = async (options: CheckOptions, surroundings: Surroundings): Promise<ExitCode> => {
  const { terminal, interrupted } = surroundings;
  const mesh = await openCluster(options, surroundings);
  try {
    const until = performance.now() + options.wait;
    let checked = await round(mesh, options, surroundings);
    while (worst(checked) === 'failed' && performance.now() < until) {
      await pause(Math.min(roundMs, Math.max(0, until - performance.now())), interrupted);
      interrupted.throwIfAborted();
      checked = await round(mesh, options, surroundings);
    }
    const place = {
      columns: terminal.columns,
      paint: terminal.paint,
      when: options.pre === true ? 'before' : 'after',
    } as const;
    switch (options.output) {
      case 'json':
        terminal.out(JSON.stringify(jsonOf(checked)));
        break;
      case 'short':
        terminal.out(printShort(checked, place));
        break;
      case 'table':
        terminal.out(printChecks(checked, place));
    }
    return worst(checked) === 'failed' ? exitCode.failed : exitCode.ok;
  } finally {
    mesh.client.close();
  }
};

const openCluster = (
  { kubeconfig, context }: CheckOptions,
  { env, workingDirectory }: Surroundings,
): Promise<KubeContext> =>
  openKubeContext({
    kubeconfig: kubeconfig === undefined ? env.KUBECONFIG : resolve(workingDirectory, kubeconfig),
    context,
  });

const round = async (
  mesh: KubeContext,
  options: CheckOptions,
  surroundings: Surroundings,
): Promise<readonly Checked[]> => {
  const apis = new Map<ServiceName, Promise<AdminApi>>();
  // What is wrong with a service is what checks say: no notes beside it.
  const quiet = { ...surroundings, terminal: { ...surroundings.terminal, err: () => {} } };
  const context: CheckContext = {
    cluster: new ClusterReader(mesh.client, surroundings.interrupted),
    namespace: controlPlaneNamespace(options, surroundings),
    of: options.namespace,
    api: (service) => {
      const open = (): Promise<AdminApi> =>
        openAdmin(service, { kind: 'cluster', cluster: mesh }, { options, surroundings: quiet });
      const api = apis.get(service) ?? open();
      apis.set(service, api);
      return api;
    },
    now: Date.now,
  };
  const checked: Checked[] = [];
  // One after the other: an API server that is in trouble is not helped by all at once.
  for (const section of sectionsOf(options)) checked.push(...(await runSection(section, context)));
  return checked;
};

const runSection = async ({ title, checks }: Section, context: CheckContext): Promise<readonly Checked[]> => {
  const checked: Checked[] = [];
  for (const check of checks) {
    const findings = await findingsOf(check, context);
    context.cluster.signal.throwIfAborted();
    checked.push(...findings.map((finding) => ({ section: title, name: check.name, ...finding })));
  }
  return checked;
};

const findingsOf = async (check: Check<CheckContext>, context: CheckContext): Promise<readonly Finding[]> => {
  try {
    return [await check.run(context)].flat();
  } catch (thrown) {
    const error = asGatehouseError(thrown);
    if (error.code === 'permission-denied' || error.code === 'unauthenticated')
      return [skipped(`you may not look: ${error.message}`)];
    if (error.code === 'internal' || !(thrown instanceof GatehouseError)) throw thrown;
    return [failed(error.message, 'see what this check needs in docs/troubleshooting.md')];
  }
};
