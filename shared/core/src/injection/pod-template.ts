import { quoted } from '../foreign-text.ts';
import { isJsonObject, type JsonObject } from '../json-object.ts';
import type { Labels } from '../label-selector.ts';
import { isPort } from '../port-set.ts';
import { type Parsed, type Problem, parsed } from '../problem.ts';

/** What injection has to know of a pod, or of a workload's template of pods. */
export interface PodTemplate {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly serviceAccount: string;
  readonly hostNetwork: boolean;
  readonly isWindows: boolean;
  /** As which the pod's containers run where they do not say it themselves. */
  readonly runAsUser: number | undefined;
  readonly initContainers: readonly ContainerFacts[];
  readonly containers: readonly ContainerFacts[];
  readonly volumes: readonly string[];
  /** Which of the objects and lists that a patch adds to are there already. */
  readonly has: Readonly<Record<Part, boolean>>;
}

export type Part = 'metadata' | 'labels' | 'annotations' | 'initContainers' | 'volumes';

export interface ContainerFacts {
  readonly name: string;
  readonly image: string;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  /** Ports of kubelet's probes, where they are written as numbers. */
  readonly probePorts: readonly number[];
  readonly runAsUser: number | undefined;
  /** An init container that goes on running (restartPolicy Always). */
  readonly staysUp: boolean;
}

/**
 * Reads a Pod, or a pod template, as the API server or a manifest spells it. What the API server itself would refuse is a
 * problem only where injection depends on it: the rest is the API server's to judge.
 */
export const readPodTemplate = (written: unknown, path = ''): Parsed<PodTemplate> => {
  const reader = new Reader();
  const pod = reader.object(written, path);
  const metadata = reader.object(pod.metadata, join(path, 'metadata'));
  const spec = reader.object(pod.spec, join(path, 'spec'));
  const at = join(path, 'spec');
  const template: PodTemplate = {
    labels: reader.texts(metadata.labels, join(path, 'metadata.labels')),
    annotations: reader.texts(metadata.annotations, join(path, 'metadata.annotations')),
    serviceAccount:
      reader.text(spec.serviceAccountName, join(at, 'serviceAccountName')) ||
      reader.text(spec.serviceAccount, join(at, 'serviceAccount')) ||
      'default',
    hostNetwork: reader.flag(spec.hostNetwork, join(at, 'hostNetwork')),
    isWindows: reader.object(spec.os, join(at, 'os')).name === 'windows',
    runAsUser: userOf(spec.securityContext),
    initContainers: reader.containers(spec.initContainers, join(at, 'initContainers')),
    containers: reader.containers(spec.containers, join(at, 'containers')),
    volumes: reader
      .list(spec.volumes, join(at, 'volumes'))
      .map((volume) => (isJsonObject(volume) && typeof volume.name === 'string' ? volume.name : '')),
    has: {
      metadata: isJsonObject(pod.metadata),
      labels: isJsonObject(metadata.labels),
      annotations: isJsonObject(metadata.annotations),
      initContainers: Array.isArray(spec.initContainers),
      volumes: Array.isArray(spec.volumes),
    },
  };
  if (!isJsonObject(pod.spec) || template.containers.length === 0)
    reader.refuse(join(at, 'containers'), 'is missing or empty', 'a pod needs at least one container');
  return reader.problems.length > 0 ? { ok: false, problems: reader.problems } : parsed(template);
};

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

const userOf = (securityContext: unknown): number | undefined =>
  isJsonObject(securityContext) && typeof securityContext.runAsUser === 'number'
    ? securityContext.runAsUser
    : undefined;

const probeNames = ['startupProbe', 'readinessProbe', 'livenessProbe'];

const probePortsOf = (container: JsonObject): readonly number[] =>
  probeNames.flatMap((name) => {
    const probe = container[name];
    if (!isJsonObject(probe)) return [];
    return ['httpGet', 'tcpSocket', 'grpc'].flatMap((kind) => {
      const action = probe[kind];
      return isJsonObject(action) && typeof action.port === 'number' && isPort(action.port)
        ? [action.port]
        : [];
    });
  });

class Reader {
  readonly problems: Problem[] = [];

  refuse(field: string, found: string, fix: string): void {
    this.problems.push({ field, found, fix });
  }

  object(value: unknown, field: string): JsonObject {
    if (isJsonObject(value)) return value;
    if (value !== undefined && value !== null) this.refuse(field, 'is not an object', 'write an object');
    return {};
  }

  list(value: unknown, field: string): readonly unknown[] {
    if (Array.isArray(value)) return value;
    if (value !== undefined && value !== null) this.refuse(field, 'is not a list', 'write a list');
    return [];
  }

  text(value: unknown, field: string): string {
    if (typeof value === 'string') return value;
    if (value !== undefined && value !== null) this.refuse(field, 'is not text', 'put it in quotes');
    return '';
  }

  flag(value: unknown, field: string): boolean {
    if (value === undefined || value === null || typeof value === 'boolean') return value === true;
    this.refuse(field, 'is neither true nor false', 'write true or false, without quotes');
    return false;
  }

  texts(value: unknown, field: string): Labels {
    const entries = Object.entries(this.object(value, field));
    for (const [name, text] of entries)
      if (typeof text !== 'string')
        this.refuse(field, `${quoted(name)} has a value that is not text`, 'put the value in quotes');
    return Object.fromEntries(
      entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
  }

  containers(value: unknown, field: string): readonly ContainerFacts[] {
    return this.list(value, field).map((item, index) => {
      const at = `${field}[${index}]`;
      const container = this.object(item, at);
      const ports = this.list(container.ports, `${at}.ports`).flatMap((port) =>
        isJsonObject(port) && typeof port.containerPort === 'number' && isPort(port.containerPort)
          ? [
              {
                name: typeof port.name === 'string' ? port.name : '',
                port: port.containerPort,
                protocol: typeof port.protocol === 'string' ? port.protocol : 'TCP',
              },
            ]
          : [],
      );
      return {
        name: this.text(container.name, `${at}.name`),
        image: typeof container.image === 'string' ? container.image : '',
        ports,
        probePorts: probePortsOf(container),
        runAsUser: userOf(container.securityContext),
        staysUp: container.restartPolicy === 'Always',
      };
    });
  }
}
