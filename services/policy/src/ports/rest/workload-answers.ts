import { GatehouseError } from '@gatehouse/core/error';
import { printable } from '@gatehouse/core/foreign-text';
import { isMeshed } from '@gatehouse/core/mesh/workload';
import { isPort } from '@gatehouse/core/port-set';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { adminPortName } from '../../core/answers/listed-ports.ts';
import type { PodSurvey } from '../../core/answers/survey-pod.ts';
import { type EnforcementFacts, podEnforcement, portEnforcement } from '../../core/inbound/enforcement.ts';
import type { ClusterConfig, ResolvedSource } from '../../core/inbound/model.ts';
import type { WorkloadPort } from '../../core/inbound/rows/inbound-rows.ts';
import type { InboundAnswer } from '../../core/inbound/rows/row-compiler.ts';
import { Turns } from '../turns.ts';
import { objectName } from './rest-object.ts';
import { type Row, rowItem } from './rest-row.ts';
import {
  enforcementItem,
  type PortReport,
  podFacts,
  podIdentity,
  portFacts,
  summaryOf,
  type WorkloadItem,
  type WorkloadReport,
} from './rest-workload.ts';

type Pod = KubeObject<'Pod'>;

/** What there is to say of pods, and who says it: the rows are those of the streams. */
export interface KnownWorkloads {
  readonly index: ResourceIndex;
  readonly cluster: ClusterConfig;
  readonly survey: (pod: Pod, limit: number) => PodSurvey;
  readonly surveyKey: (pod: Pod) => string;
  readonly look: (asked: WorkloadPort, signal?: AbortSignal) => Promise<InboundAnswer | undefined>;
  readonly sourcesOf: (policy: KubeObject<'NetworkAuthenticationPolicy'>) => readonly ResolvedSource[];
}

/** In a list of many pods, and of one that is asked for by itself. */
const limits = { item: 32, report: 256 } as const;

/**
 * Answers one request about pods. Whatever pods have in common is found out once: a Deployment costs what one of its pods
 * costs. Rows are compiled in their namespace's turn, so that no question holds up a stream.
 */
export class WorkloadAnswers {
  readonly #known: KnownWorkloads;
  readonly #signal: AbortSignal | undefined;
  readonly #turns: Turns;
  readonly #keys = new Map<Pod, string>();
  readonly #surveys = new Map<string, PodSurvey>();
  readonly #rows = new Map<string, Promise<Row | undefined>>();

  constructor(known: KnownWorkloads, signal?: AbortSignal) {
    this.#known = known;
    this.#signal = signal;
    this.#turns = new Turns(signal);
  }

  /** Throws when there is no such pod. */
  pod(namespace: string, name: string): Pod {
    const pod = this.#known.index.get('Pod', namespace, name);
    if (pod !== undefined) return pod;
    throw new GatehouseError('not-found', `there is no pod ${printable(`${namespace}/${name}`)}`);
  }

  /** The pod as one of many. */
  async item(pod: Pod): Promise<WorkloadItem> {
    await this.#turns.next();
    const { ports, leftOut, other, facts } = this.#facts(pod, limits.item);
    const listed = [];
    for (const port of ports) {
      const row = await this.#row(pod, port.first);
      listed.push({ ...portFacts(port), enforcement: this.#enforcement(pod, port.first), ...summaryOf(row) });
    }
    const otherRow = other === undefined ? undefined : await this.#row(pod, other);
    return {
      ...facts,
      ports: listed,
      portsLeftOut: leftOut,
      otherPorts:
        other === undefined ? null : { enforcement: this.#enforcement(pod, other), ...summaryOf(otherRow) },
    };
  }

  /** The pod with the whole row of each port. */
  async report(pod: Pod): Promise<WorkloadReport> {
    const { ports, leftOut, other, facts } = this.#facts(pod, limits.report);
    const listed = [];
    for (const port of ports) {
      const row = (await this.#row(pod, port.first)) ?? null;
      listed.push({ ...portFacts(port), enforcement: this.#enforcement(pod, port.first), row });
    }
    const otherRow = other === undefined ? undefined : await this.#row(pod, other);
    return {
      ...facts,
      ports: listed,
      portsLeftOut: leftOut,
      otherPorts:
        other === undefined ? null : { enforcement: this.#enforcement(pod, other), row: otherRow ?? null },
    };
  }

  /** One port: a number, or the name of a container port. Throws when no port, or more than one, has the name. */
  async port(pod: Pod, written: string): Promise<PortReport> {
    const port = this.#portNamed(pod, written);
    const declared = pod.spec.ports.filter((each) => each.port === port);
    return {
      workload: { namespace: pod.meta.namespace, pod: pod.meta.name },
      identity: podIdentity(pod, this.#known.cluster.mesh),
      port,
      names: [...new Set(declared.map(({ name }) => name).filter((name) => name !== ''))].sort(),
      declared: declared.length > 0,
      enforcement: this.#enforcement(pod, port),
      selectedBy: this.#survey(pod, limits.report).selectedBy.map(objectName),
      row: (await this.#row(pod, port)) ?? null,
    };
  }

  #portNamed(pod: Pod, written: string): number {
    const isMeshedPod = isMeshed(pod.meta, this.#known.cluster.mesh);
    const isNamed = pod.spec.ports.some(({ name }) => name === written);
    // A folder's pods are as after injection, without the proxy's container that declares it.
    if (written === adminPortName && isMeshedPod && !isNamed) return pod.spec.proxyPorts.admin;
    return portNamed(pod, written);
  }

  #facts(pod: Pod, limit: number) {
    const { ports, selectedBy } = this.#survey(pod, limit);
    const facts = {
      ...podFacts(pod, this.#known.cluster.mesh),
      enforcement: enforcementItem(podEnforcement(pod, this.#enforcementFacts(pod))),
      selectedBy: selectedBy.map(objectName),
    };
    return { ...ports, facts };
  }

  #survey(pod: Pod, limit: number): PodSurvey {
    const key = this.#keyOf(pod);
    const known = this.#surveys.get(key) ?? this.#known.survey(pod, limit);
    this.#surveys.set(key, known);
    return known;
  }

  #keyOf(pod: Pod): string {
    const key = this.#keys.get(pod) ?? this.#known.surveyKey(pod);
    this.#keys.set(pod, key);
    return key;
  }

  #row(pod: Pod, port: number): Promise<Row | undefined> {
    const { meta } = pod;
    if (!isMeshed(meta, this.#known.cluster.mesh)) return nothing;
    const key = `${port} ${this.#keyOf(pod)}`;
    const known = this.#rows.get(key) ?? this.#compile({ namespace: meta.namespace, pod: meta.name, port });
    this.#rows.set(key, known);
    return known;
  }

  async #compile(asked: WorkloadPort): Promise<Row | undefined> {
    const { index, look, sourcesOf } = this.#known;
    const { namespace } = asked;
    const answer = await look(asked, this.#signal);
    const policy = (name: string) => index.get('NetworkAuthenticationPolicy', namespace, name);
    return answer && rowItem(answer, { namespace, policy, sourcesOf });
  }

  #enforcement(pod: Pod, port: number) {
    return enforcementItem(portEnforcement(pod, port, this.#enforcementFacts(pod)));
  }

  #enforcementFacts({ meta }: Pod): EnforcementFacts {
    const { index, cluster } = this.#known;
    const namespaceAnnotations = index.get('Namespace', '', meta.namespace)?.meta.annotations ?? {};
    return { mesh: cluster.mesh, namespaceAnnotations };
  }
}

const nothing = Promise.resolve(undefined);

/** A number, or a name as policies write it, which stands for every container port that bears it. */
const portNamed = ({ meta, spec }: Pod, written: string): number => {
  if (/^\d+$/.test(written)) {
    const port = Number(written);
    if (isPort(port)) return port;
    throw new GatehouseError('invalid-argument', `port ${printable(written)} is not one of 1 to 65535`);
  }
  const pod = `${meta.namespace}/${meta.name}`;
  const numbers = [...new Set(spec.ports.filter(({ name }) => name === written).map(({ port }) => port))];
  const [port] = numbers;
  if (port === undefined) {
    const names = spec.ports.filter(({ name }) => name !== '').map(({ name, port }) => `${name} (${port})`);
    const has = names.length === 0 ? 'its ports have no names' : `it has ${[...new Set(names)].join(', ')}`;
    throw new GatehouseError('not-found', `pod ${pod} has no port named ${printable(written)}: ${has}`);
  }
  if (numbers.length === 1) return port;
  throw new GatehouseError(
    'invalid-argument',
    `port ${printable(written)} of pod ${pod} is ${numbers.join(' and ')}: ask for one of these`,
  );
};
