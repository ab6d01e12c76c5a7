import { GatehouseError } from '@gatehouse/core/error';
import { printable } from '@gatehouse/core/foreign-text';
import { isPort } from '@gatehouse/core/port-set';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { adminPortName } from '../../core/answers/listed-ports.ts';
import type { WorkloadSurvey } from '../../core/answers/survey-workload.ts';
import {
  type EnforcementFacts,
  portEnforcement,
  workloadEnforcement,
} from '../../core/inbound/enforcement.ts';
import type { ClusterConfig, ObjectRef, ResolvedSource } from '../../core/inbound/model.ts';
import { askedAs, type RowAsked } from '../../core/inbound/rows/inbound-rows.ts';
import type { InboundAnswer } from '../../core/inbound/rows/row-compiler.ts';
import { hasProxy, type Target, workloadOf } from '../../core/inbound/workload-of.ts';
import { isJudged } from '../../core/judgement/judge.ts';
import type { Judged, Judgement } from '../../core/judgement/judgement.ts';
import { Turns } from '../turns.ts';
import { type AuditItem, auditItem } from './rest-audit.ts';
import { objectName } from './rest-object.ts';
import { type Row, rowItem } from './rest-row.ts';
import {
  enforcementItem,
  identityOfWorkload,
  type PortReport,
  portFacts,
  type SelectedBy,
  summaryOf,
  type WorkloadItem,
  type WorkloadReport,
  workloadFacts,
  workloadName,
} from './rest-workload.ts';

/** What there is to say of workloads, and who says it: the rows are those of the streams. */
export interface KnownWorkloads {
  readonly index: ResourceIndex;
  readonly cluster: ClusterConfig;
  readonly survey: (target: Target, limit: number) => WorkloadSurvey;
  readonly surveyKey: (target: Target) => string;
  readonly look: (asked: RowAsked, signal?: AbortSignal) => Promise<InboundAnswer | undefined>;
  readonly sourcesOf: (policy: KubeObject<'NetworkAuthenticationPolicy'>) => readonly ResolvedSource[];
  readonly judge: (object: Judged) => Judgement | undefined;
}

export interface WorkloadNamed {
  readonly kind: Target['kind'];
  readonly namespace: string;
  readonly name: string;
}

/** What there is to say of a port besides its enforcement. */
interface Told {
  readonly row: Row;
  readonly audit: AuditItem | null;
}

/** In a list of many workloads, and of one that is asked for by itself. */
const limits = { item: 32, report: 256 } as const;

/**
 * Answers one request about workloads. Whatever they have in common is found out once: a Deployment costs what one of its pods
 * costs. Rows are compiled in their namespace's turn, so that no question holds up a stream.
 */
export class WorkloadAnswers {
  readonly #known: KnownWorkloads;
  readonly #signal: AbortSignal | undefined;
  readonly #turns: Turns;
  readonly #keys = new Map<Target, string>();
  readonly #surveys = new Map<string, WorkloadSurvey>();
  readonly #include: RowAsked['include'];
  readonly #rows = new Map<string, Promise<Told | undefined>>();

  constructor(known: KnownWorkloads, signal?: AbortSignal, include?: RowAsked['include']) {
    this.#known = known;
    this.#signal = signal;
    this.#include = include;
    this.#turns = new Turns(signal);
  }

  /** Throws when there is none. */
  workload({ kind, namespace, name }: WorkloadNamed): Target {
    const target = this.#known.index.get(kind, namespace, name) as Target | undefined;
    if (target !== undefined) return target;
    const what = `${printedKinds[kind]} ${printable(`${namespace}/${name}`)}`;
    throw new GatehouseError('not-found', `there is no ${what}`);
  }

  /** The workload as one of many. */
  async item(target: Target): Promise<WorkloadItem> {
    await this.#turns.next();
    return this.#told(target, limits.item, (told) => summaryOf(told?.row));
  }

  /** The workload with the whole row of each port. */
  report(target: Target): Promise<WorkloadReport> {
    return this.#told(target, limits.report, (told) => this.#whole(told));
  }

  #whole(told: Told | undefined): Pick<PortReport, 'row' | 'audit'> {
    const row = told?.row ?? null;
    return this.#include === undefined ? { row } : { row, audit: told?.audit ?? null };
  }

  /** The workload, with what `tell` says of the row of each of its ports. */
  async #told<Said>(target: Target, limit: number, tell: (told: Told | undefined) => Said) {
    const { ports, leftOut, other, facts } = this.#facts(target, limit);
    const said = async (port: number) => ({
      enforcement: this.#enforcement(target, port),
      ...tell(await this.#row(target, port)),
    });
    const listed = [];
    for (const port of ports) listed.push({ ...portFacts(port), ...(await said(port.first)) });
    const otherPorts = other === undefined ? null : await said(other);
    return { ...facts, ports: listed, portsLeftOut: leftOut, otherPorts };
  }

  /** One port: a number, or the name of a declared port. Throws when no port, or more than one, has the name. */
  async port(target: Target, written: string): Promise<PortReport> {
    const port = this.#portNamed(target, written);
    const declared = workloadOf(target).ports.filter((each) => each.port === port);
    return {
      workload: workloadName(target),
      identity: identityOfWorkload(target, this.#known.cluster.mesh),
      port,
      names: [...new Set(declared.map(({ name }) => name).filter((name) => name !== ''))].sort(),
      declared: declared.length > 0,
      enforcement: this.#enforcement(target, port),
      selectedBy: this.#selectedBy(this.#survey(target, limits.report).selectedBy),
      ...this.#whole(await this.#row(target, port)),
    };
  }

  #portNamed(target: Target, written: string): number {
    const isMeshed = hasProxy(target, this.#known.cluster.mesh);
    const { ports, proxyPorts } = workloadOf(target);
    const isNamed = ports.some(({ name }) => name === written);
    // A folder's pods are as after injection, without the proxy's container that declares it.
    if (written === adminPortName && isMeshed && !isNamed) return proxyPorts.admin;
    return portNamed(target, written);
  }

  #facts(target: Target, limit: number) {
    const { ports, selectedBy } = this.#survey(target, limit);
    const facts = {
      ...workloadFacts(target, this.#known.cluster.mesh),
      enforcement: enforcementItem(workloadEnforcement(target, this.#enforcementFacts(target))),
      selectedBy: this.#selectedBy(selectedBy),
    };
    return { ...ports, facts };
  }

  #selectedBy(objects: readonly ObjectRef[]): SelectedBy[] {
    const { index, judge } = this.#known;
    return objects.flatMap((ref) => {
      const object = index.get(ref.kind, ref.namespace, ref.name);
      const judgement = object !== undefined && isJudged(object) ? judge(object) : undefined;
      if (judgement === undefined) return [];
      const findings = [...new Set(judgement.findings.map(({ reason }) => reason))];
      return [{ ...objectName(ref), state: judgement.state, findings }];
    });
  }

  #survey(target: Target, limit: number): WorkloadSurvey {
    const key = this.#keyOf(target);
    const known = this.#surveys.get(key) ?? this.#known.survey(target, limit);
    this.#surveys.set(key, known);
    return known;
  }

  #keyOf(target: Target): string {
    const key = this.#keys.get(target) ?? this.#known.surveyKey(target);
    this.#keys.set(target, key);
    return key;
  }

  #row(target: Target, port: number): Promise<Told | undefined> {
    // What a proxy that stands before nothing would be told says nothing of who may call.
    const isEnforced = workloadEnforcement(target, this.#enforcementFacts(target)).kind === 'enforced';
    if (!isEnforced) return nothing;
    const key = `${port} ${this.#keyOf(target)}`;
    const known = this.#rows.get(key) ?? this.#compile({ ...askedAs(target), port, include: this.#include });
    this.#rows.set(key, known);
    return known;
  }

  async #compile(asked: RowAsked): Promise<Told | undefined> {
    const { index, look, sourcesOf } = this.#known;
    const { namespace } = asked;
    const answer = await look(asked, this.#signal);
    const policy = (name: string) => index.get('NetworkAuthenticationPolicy', namespace, name);
    if (answer === undefined) return undefined;
    const { compiled, ifEnforced } = answer;
    const context = { namespace, policy, sourcesOf };
    const audit = compiled.audit && ifEnforced && auditItem(compiled.audit, ifEnforced, context);
    return { row: rowItem(answer, context), audit: audit ?? null };
  }

  #enforcement(target: Target, port: number) {
    return enforcementItem(portEnforcement(target, port, this.#enforcementFacts(target)));
  }

  #enforcementFacts({ meta }: Target): EnforcementFacts {
    const { index, cluster } = this.#known;
    const namespaceAnnotations = index.get('Namespace', '', meta.namespace)?.meta.annotations ?? {};
    return { mesh: cluster.mesh, namespaceAnnotations };
  }
}

/** As errors say them. */
const printedKinds = { Pod: 'pod', ExternalWorkload: 'ExternalWorkload' } as const satisfies Record<
  Target['kind'],
  string
>;

const nothing = Promise.resolve(undefined);

/** A number, or a name as policies write it, which stands for every declared port that bears it. */
const portNamed = ({ kind, meta, spec }: Target, written: string): number => {
  if (/^\d+$/.test(written)) {
    const port = Number(written);
    if (isPort(port)) return port;
    throw new GatehouseError('invalid-argument', `port ${printable(written)} is not one of 1 to 65535`);
  }
  const what = `${printedKinds[kind]} ${meta.namespace}/${meta.name}`;
  const numbers = [...new Set(spec.ports.filter(({ name }) => name === written).map(({ port }) => port))];
  const [port] = numbers;
  if (port === undefined) {
    const names = spec.ports.filter(({ name }) => name !== '').map(({ name, port }) => `${name} (${port})`);
    const has = names.length === 0 ? 'its ports have no names' : `it has ${[...new Set(names)].join(', ')}`;
    throw new GatehouseError('not-found', `${what} has no port named ${printable(written)}: ${has}`);
  }
  if (numbers.length === 1) return port;
  throw new GatehouseError(
    'invalid-argument',
    `port ${printable(written)} of ${what} is ${numbers.join(' and ')}: ask for one of these`,
  );
};
