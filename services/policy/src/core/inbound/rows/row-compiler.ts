import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import type { RegexMatcher } from '@gatehouse/core/inbound/match-request';
import type { Labels } from '@gatehouse/core/label-selector';
import { isRejected, type Kind, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { DefaultPolicy } from '@gatehouse/core/resources/kinds/linkerd';
import type { ResourceIndex, Touched } from '@gatehouse/core/resources/resource-index';
import { type Authorized, authorizationBy } from '../authorize.ts';
import { compilePort } from '../compile.ts';
import { authorizationsOf, defaultPolicyOf, type PortDefault } from '../default-policy.ts';
import type { ClusterConfig, CompiledPort, Grant, ResolvedSource, Workload } from '../model.ts';
import { CallerBook } from './caller-index.ts';
import { ConcernedRows } from './concerned-rows.ts';
import { type ConcerningPolicies, PolicyBook } from './policy-index.ts';
import { type AddressTrust, SourceBook } from './source-index.ts';
import type { EncodedRow } from './watched-row.ts';

export interface RowCompilerOptions {
  readonly index: ResourceIndex;
  readonly cluster: ClusterConfig;
  readonly matchesRegex: RegexMatcher;
  readonly encode: (server: InboundServer) => EncodedRow;
}

/** What a class's proxies are told of a port, why, and its bytes. */
export interface InboundAnswer {
  readonly compiled: CompiledPort;
  readonly encoded: EncodedRow;
}

/** Gathers from the index, in time that follows what a batch changes, what the pure compiler needs for any row. */
export class RowCompiler {
  readonly #options: RowCompilerOptions;
  readonly #callers: CallerBook;
  readonly #sources: SourceBook;
  readonly #policies = new PolicyBook();
  readonly #authentications = {
    meshTls: new Map<string, KubeObject<'MeshTLSAuthentication'>>(),
    network: new Map<string, KubeObject<'NetworkAuthentication'>>(),
  };
  #unreadable: 'none' | 'some' = 'none';
  #compiled = 0;

  constructor(options: RowCompilerOptions) {
    this.#options = options;
    this.#callers = new CallerBook(options.cluster.mesh);
    this.#sources = new SourceBook(this.#callers);
  }

  /** Rows compiled since the start. */
  get compiled(): number {
    return this.#compiled;
  }

  /** Takes what a batch changed in the index, which must hold it already; answers which rows it may change. */
  apply(touched: readonly Touched[]): ConcernedRows {
    const namespaces = this.#callers.applyNamespaces(ofKind(touched, 'Namespace'));
    const callers = this.#callers.applyPods(ofKind(touched, 'Pod'));
    const sources = this.#sources.invalidate(callers, namespaces);
    for (const { before } of ofKind(touched, 'NetworkAuthenticationPolicy')) {
      if (before !== undefined) this.#sources.forget(before);
    }
    this.#policies.apply(touched);
    for (const one of ofKind(touched, 'MeshTLSAuthentication')) replace(this.#authentications.meshTls, one);
    for (const one of ofKind(touched, 'NetworkAuthentication')) replace(this.#authentications.network, one);
    const unreadable = this.#options.index.unreadable.length === 0 ? 'none' : 'some';
    const scope = unreadable === this.#unreadable ? 'touched' : 'everything';
    this.#unreadable = unreadable;
    return new ConcernedRows({ touched, sources, scope });
  }

  /** Withdraws what is granted to addresses, or grants it again; answers which rows that may change. */
  setTrust(trust: AddressTrust): ConcernedRows {
    return new ConcernedRows({ touched: [], sources: this.#sources.setTrust(trust), scope: 'touched' });
  }

  compile({ workload, policies }: Compilable, port: number): InboundAnswer {
    const { cluster, matchesRegex, encode } = this.#options;
    const { networkPolicies, ...others } = policies;
    const compiled = compilePort({
      port,
      workload,
      namespaceAnnotations: this.#annotationsOf(workload.namespace),
      cluster,
      policies: {
        ...others,
        networkAuthenticationPolicies: networkPolicies.map((object) => ({
          object,
          sources: this.sourcesOf(object),
        })),
      },
      authentications: this.#authentications,
      unreadableManifests: this.#unreadable,
      matchesRegex,
    });
    this.#compiled += 1;
    return { compiled, encoded: encode(compiled.server) };
  }

  policiesFor({ namespace, labels }: Workload): ConcerningPolicies {
    return this.#policies.concerning(namespace, labels);
  }

  /** What the sources of a policy stand for now, in order. */
  sourcesOf(policy: KubeObject<'NetworkAuthenticationPolicy'>): readonly ResolvedSource[] {
    return this.#sources.resolve(policy);
  }

  /** What an AuthorizationPolicy admits wherever it applies; undefined for a rejected one. */
  authorizationBy({ meta, spec }: KubeObject<'AuthorizationPolicy'>): Authorized | undefined {
    return isRejected(spec)
      ? undefined
      : authorizationBy({ meta, spec }, this.#authentications, this.#options.cluster.mesh);
  }

  /** What governs a namespace's ports where nothing selects them and the pod does not say otherwise. */
  defaultOf(namespace: string): PortDefault & { readonly grants: readonly Grant[] } {
    const { cluster } = this.#options;
    const namespaceAnnotations = this.#annotationsOf(namespace);
    const found = defaultPolicyOf({ port: 0, workload: { annotations: {} }, namespaceAnnotations, cluster });
    const policy = this.#unreadable === 'some' ? 'deny' : found.policy;
    return { ...found, policy, grants: authorizationsOf(policy, cluster) };
  }

  /** What a Server's accessPolicy admits by itself. */
  grantsOf(policy: DefaultPolicy): readonly Grant[] {
    return authorizationsOf(policy, this.#options.cluster);
  }

  /** The label names by which a namespace's pods are chosen. */
  labelKeys(namespace: string): ReadonlySet<string> {
    return this.#policies.labelKeys(namespace);
  }

  #annotationsOf(namespace: string): Labels {
    return this.#options.index.get('Namespace', '', namespace)?.meta.annotations ?? {};
  }
}

interface Compilable {
  readonly workload: Workload;
  readonly policies: ConcerningPolicies;
}

export const ofKind = <K extends Kind>(touched: readonly Touched[], kind: K): readonly Touched<K>[] =>
  touched.filter((one) => one.kind === kind) as unknown as readonly Touched<K>[];

const replace = <K extends Kind>(
  objects: Map<string, KubeObject<K>>,
  { before, after }: Touched<K>,
): void => {
  const meta = (after ?? before)?.meta;
  if (meta === undefined) return;
  const key = `${meta.namespace}/${meta.name}`;
  if (after === undefined) objects.delete(key);
  else objects.set(key, after);
};
