import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { arch, platform, versions } from 'node:process';
import { GatehouseError } from '@gatehouse/core/error';
import { release } from '@gatehouse/core/release';
import { type ServiceName, serviceNames } from '@gatehouse/platform/service/service';
import { stateDirAt } from '@gatehouse/platform/state/state-dir';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { findMesh, openAdmin } from '../../reach/open-admin.ts';
import { clusterSections } from './cluster-sections.ts';
import type { DiagnosticsOptions } from './diagnostics.ts';
import { removeSecrets, tellSettings } from './remove-secrets.ts';
import { type Section, saying, whyNot } from './section.ts';

/** What each service is asked beside its health and metrics. */
const paths: Readonly<Record<ServiceName, readonly string[]>> = {
  identity: ['/v1/health', '/v1/issuer', '/v1/issuance-log', '/metrics'],
  destination: ['/v1/health', '/metrics'],
  policy: ['/v1/health', '/metrics'],
};

/** `gatehouse diagnostics`. What cannot be asked is part of the answer, so that it never fails for that. */
export const printDiagnostics = async (
  options: DiagnosticsOptions,
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const { terminal, env } = surroundings;
  const { sections, secrets } = await meshSections(options, surroundings);
  surroundings.interrupted.throwIfAborted();
  const all: readonly Section[] = [
    {
      title: 'gatehouse (this command)',
      text: JSON.stringify(
        {
          version: release,
          node: versions.node,
          platform: `${platform} ${arch}`,
          settings: tellSettings(env),
        },
        undefined,
        2,
      ),
    },
    ...sections,
  ].map(({ title, text }) => ({
    title: removeSecrets(title, secrets),
    text: removeSecrets(text, secrets).trimEnd(),
  }));
  terminal.out(
    options.output === 'json'
      ? JSON.stringify({ sections: all })
      : all.map(({ title, text }) => `=== ${title}\n${text}`).join('\n\n'),
  );
  if (options.output === 'text')
    terminal.err(
      'keys, tokens and passwords were removed; names of workloads were not: read it before you send it',
    );
  return exitCode.ok;
};

interface Found {
  readonly sections: readonly Section[];
  /** What must not be in any of them. */
  readonly secrets: readonly string[];
}

const meshSections = async (options: DiagnosticsOptions, surroundings: Surroundings): Promise<Found> => {
  const sections: Section[] = [];
  const secrets = [...(await readSecrets(options, surroundings)), options.token ?? ''];
  const asked = options.address === undefined ? serviceNames : (['identity'] as const);
  let isClusterTold = false;
  for (const service of asked) {
    try {
      const mesh = await findMesh(service, options, surroundings);
      if (mesh.kind === 'state') secrets.push(await readQuietly(stateDirAt(mesh.root).adminToken));
      try {
        if (mesh.kind === 'cluster' && !isClusterTold) {
          isClusterTold = true;
          secrets.push((await mesh.cluster.bearerToken().catch(() => undefined)) ?? '');
          sections.push(...(await clusterSections(mesh.cluster.client, options, surroundings)));
        }
        const api = await openAdmin(service, mesh, { options, surroundings });
        for (const path of paths[service])
          sections.push({ title: `${service} ${path}`, text: await saying(() => api.text(path)) });
      } finally {
        if (mesh.kind === 'cluster') mesh.cluster.client.close();
      }
    } catch (thrown) {
      if (thrown instanceof GatehouseError && thrown.code === 'invalid-argument') throw thrown;
      sections.push({ title: service, text: whyNot(thrown) });
    }
  }
  return { sections, secrets: secrets.map((secret) => secret.trim()) };
};

const readSecrets = async (
  { tokenFile }: DiagnosticsOptions,
  { workingDirectory }: Surroundings,
): Promise<readonly string[]> =>
  tokenFile === undefined ? [] : [await readQuietly(resolve(workingDirectory, tokenFile))];

const readQuietly = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
