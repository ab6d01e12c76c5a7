import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import type { RegexMatcher } from '@gatehouse/core/inbound/match-request';
import type { Labels } from '@gatehouse/core/label-selector';
import type { NamedClaimants } from '@gatehouse/core/mesh/address-holder';
import { type Unreadable, unreadableIn } from '@gatehouse/core/resources/changes';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex, Touched } from '@gatehouse/core/resources/resource-index';
import { enforcingAudits } from '../audit-port.ts';
import { compilePort } from '../compile.ts';
import type { ClusterConfig, CompiledPort, PortInput, ResolvedSource, Workload } from '../model.ts';
import { CallerIndex } from './caller-index.ts';
import { ConcernedRows } from './concerned-rows.ts';
import {
  type InboundKinds,
  inboundKinds,
  type Kept,
  type Noted,
  type TakeKind,
  watchedForInbound,
} from './inbound-kinds.ts';
import { type ConcerningPolicies, PolicyIndex } from './policy-index.ts';
import { PortGroups } from './port-groups.ts';
import { type AddressTrust, SourceIndex } from './source-index.ts';
import type { EncodedRow } from './watched-row.ts';

export interface RowCompilerOptions {
  readonly index: ResourceIndex;
  readonly cluster: ClusterConfig;
  readonly matchesRegex: RegexMatcher;
  readonly encode: (server: InboundServer) => EncodedRow;
  /** Those of inbound-kinds.ts when left out. */
  readonly kinds?: InboundKinds;
  /** That of compile.ts when left out. */
  readonly compile?: typeof compilePort;
}

/** What a class's proxies are told of a port, why, and its bytes. */
export interface InboundAnswer {
  readonly compiled: CompiledPort;
  readonly encoded: EncodedRow;
  /** What would be in force if all Audit policies were enforced: where that was asked for, and one selects the port. */
  readonly ifEnforced?: InboundAnswer;
}

/** Gathers from the index, in time that follows what a batch changes, what the pure compiler needs for any row. */
export class RowCompiler {
  readonly #options: RowCompilerOptions;
  readonly #kinds: InboundKinds;
  readonly #kept: Kept;
  #unreadable: Unreadable['manifests'] = [];
  #compiled = 0;

  constructor(options: RowCompilerOptions) {
    this.#options = options;
    this.#kinds = options.kinds ?? inboundKinds;
    const callers = new CallerIndex(options.cluster.mesh);
    this.#kept = {
      callers,
      sources: new SourceIndex(callers),
      policies: new PolicyIndex(),
      authentications: { meshTls: new Map(), network: new Map() },
    };
  }

  /** Rows compiled since the start. */
  get compiled(): number {
    return this.#compiled;
  }

  /** The addresses that are nobody's because several pods claim them. */
  get contested(): ReadonlyMap<string, NamedClaimants> {
    return this.#kept.callers.contested;
  }

  /** Takes what a batch changed in the index, which must hold it already; answers which rows it may change. */
  apply(touched: readonly Touched[]): ConcernedRows {
    const noted: Noted = { rows: new ConcernedRows(), callers: [], namespaces: [] };
    for (const kind of watchedForInbound) {
      const take = this.#kinds[kind] as TakeKind<Kind>;
      take(this.#kept, ofKind(touched, kind), noted);
    }
    noted.rows.noteSources(this.#kept.sources.invalidate(noted.callers, noted.namespaces));
    const { unreadable } = this.#options.index;
    if (unreadable !== this.#unreadable) noted.rows.noteEverything();
    this.#unreadable = unreadable;
    return noted.rows;
  }

  /** Withdraws what is granted to addresses, or grants it again; answers which rows that may change. */
  setTrust(trust: AddressTrust): ConcernedRows {
    const rows = new ConcernedRows();
    rows.noteSources(this.#kept.sources.setTrust(trust));
    return rows;
  }

  compile(compilable: Compilable, port: number): InboundAnswer {
    const compiled = this.compiledPort(compilable, port);
    this.#compiled += 1;
    return { compiled, encoded: this.#options.encode(compiled.server) };
  }

  /** What would be in force if all Audit policies were enforced. */
  compileEnforced(compilable: Compilable, port: number): InboundAnswer {
    const { compile = compilePort, encode } = this.#options;
    const compiled = compile(
      enforcingAudits(this.#inputOf(compilable, port, (policy) => this.sourcesOf(policy))),
    );
    this.#compiled += 1;
    return { compiled, encoded: encode(compiled.server) };
  }

  /** The same as `compile` without its bytes, for anyone who judges policies by it. */
  compiledPort(
    compilable: Compilable,
    port: number,
    sourcesOf: SourcesOf = (policy) => this.sourcesOf(policy),
  ): CompiledPort {
    const { compile = compilePort } = this.#options;
    return compile(this.#inputOf(compilable, port, sourcesOf));
  }

  #inputOf({ workload, policies }: Compilable, port: number, sourcesOf: SourcesOf): PortInput {
    const { cluster, matchesRegex } = this.#options;
    const { networkPolicies, ...others } = policies;
    return {
      port,
      workload,
      namespaceAnnotations: this.#annotationsOf(workload.namespace),
      cluster,
      policies: {
        ...others,
        networkAuthenticationPolicies: networkPolicies.map((object) => ({
          object,
          get sources() {
            return sourcesOf(object);
          },
        })),
      },
      authentications: this.#kept.authentications,
      unreadableManifests: this.#unreadableIn(workload.namespace),
      matchesRegex,
    };
  }

  policiesFor(workload: Workload): ConcerningPolicies {
    return this.#kept.policies.concerning(workload);
  }

  /** Which of a class's ports have equal rows. */
  portsOf({ workload, policies }: Compilable): PortGroups {
    const { defaultOpaquePorts } = this.#options.cluster;
    return new PortGroups({ workload, policies, defaultOpaquePorts });
  }

  /** What the sources of a policy stand for now, in order. */
  sourcesOf(policy: KubeObject<'NetworkAuthenticationPolicy'>): readonly ResolvedSource[] {
    return this.#kept.sources.resolve(policy);
  }

  /** The same of a policy that may not be stored: it is not followed. */
  sourcesOnce(policy: KubeObject<'NetworkAuthenticationPolicy'>): readonly ResolvedSource[] {
    return this.#kept.sources.peek(policy);
  }

  /** The label names by which a namespace's pods are chosen. */
  labelKeys(namespace: string): ReadonlySet<string> {
    return this.#kept.policies.labelKeys(namespace);
  }

  #unreadableIn(namespace: string): 'none' | 'some' {
    return unreadableIn(this.#unreadable, namespace).length === 0 ? 'none' : 'some';
  }

  #annotationsOf(namespace: string): Labels {
    return this.#options.index.get('Namespace', '', namespace)?.meta.annotations ?? {};
  }
}

type SourcesOf = (policy: KubeObject<'NetworkAuthenticationPolicy'>) => readonly ResolvedSource[];

interface Compilable {
  readonly workload: Workload;
  readonly policies: ConcerningPolicies;
}

export const ofKind = <K extends Kind>(touched: readonly Touched[], kind: K): readonly Touched<K>[] =>
  touched.filter((one) => one.kind === kind) as unknown as readonly Touched<K>[];
