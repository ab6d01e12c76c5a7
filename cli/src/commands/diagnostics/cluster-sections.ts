import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { Type } from 'typebox';
import type { Surroundings } from '../../cli.ts';
import { controlPlaneNamespace } from '../../reach/control-plane-namespace.ts';
import { getObject } from '../../reach/get-object.ts';
import type { DiagnosticsOptions } from './diagnostics.ts';
import { type Section, saying } from './section.ts';

const Named = Type.Object({ name: Type.String() });
const Pods = Type.Object({
  items: Type.Array(Type.Object({ metadata: Named, spec: Type.Object({ containers: Type.Array(Named) }) })),
});
const Anything = Type.Unknown();

/** What the API server knows of the control plane: never a Secret, and of pods not what is in their environment. */
export const clusterSections = async (
  client: KubeClient,
  options: DiagnosticsOptions,
  { env, interrupted: signal }: Surroundings,
): Promise<readonly Section[]> => {
  const namespace = controlPlaneNamespace(options, { env });
  const base = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
  const json = (path: string, show: (value: unknown) => unknown = (value) => value) =>
    saying(async () => {
      const value = await getObject(client, { path, schema: Anything, signal });
      return JSON.stringify(show(value ?? null), undefined, 2);
    });
  const sections: Section[] = [
    { title: 'cluster version', text: await json('/version') },
    {
      title: `deployments of ${namespace}`,
      text: await json(`/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments`, statuses),
    },
    { title: `pods of ${namespace}`, text: await json(`${base}/pods`, statuses) },
    { title: `events of ${namespace}`, text: await json(`${base}/events`, eventLines) },
    {
      title: 'definitions of policy.linkerd.io and workload.linkerd.io',
      text: await json('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definitions),
    },
  ];
  const pods = await getObject(client, { path: `${base}/pods`, schema: Pods, signal }).catch(() => undefined);
  for (const { metadata, spec } of pods?.items ?? [])
    for (const { name } of spec.containers)
      sections.push({
        title: `log of ${namespace}/${metadata.name}, ${name}`,
        text: await saying(async () => {
          const query = { tailLines: `${options.logs}`, container: name };
          const path = `${base}/pods/${encodeURIComponent(metadata.name)}/log`;
          const { status, body } = await client.request({ path, query, signal });
          const text = body.toString('utf8');
          return status === 200 ? text : `the API server answers ${status}: ${text}`;
        }),
      });
  return sections;
};

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const itemsOf = (list: unknown): readonly Fields[] => {
  const { items } = fieldsOf(list);
  return Array.isArray(items) ? items.map(fieldsOf) : [];
};

const statuses = (list: unknown): unknown =>
  itemsOf(list).map(({ metadata, spec, status }) => ({
    name: fieldsOf(metadata).name,
    labels: fieldsOf(metadata).labels,
    images: imagesOf(spec),
    status,
  }));

const imagesOf = (spec: unknown): readonly unknown[] => {
  const { template, containers } = fieldsOf(spec);
  const all = containers ?? fieldsOf(fieldsOf(template).spec).containers;
  return Array.isArray(all) ? all.map((container) => fieldsOf(container).image) : [];
};

const eventLines = (list: unknown): unknown =>
  itemsOf(list).map(({ type, reason, message, lastTimestamp, involvedObject }) => {
    const { kind, name } = fieldsOf(involvedObject);
    return `${lastTimestamp} ${type} ${reason} ${kind}/${name}: ${message}`;
  });

const definitions = (list: unknown): unknown =>
  itemsOf(list).flatMap(({ metadata, spec }) => {
    const { group, versions } = fieldsOf(spec);
    if (!/(?:^|\.)linkerd\.io$/.test(String(group)) || !Array.isArray(versions)) return [];
    const served = versions.map(fieldsOf).filter((version) => version.served === true);
    return [`${fieldsOf(metadata).name}: ${served.map(({ name }) => name).join(', ')}`];
  });
