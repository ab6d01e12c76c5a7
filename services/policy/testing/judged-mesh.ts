import type { Change } from '@gatehouse/core/resources/changes';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { CompileOptions } from '../src/core/inbound/compile-from-index.ts';
import type { ClusterConfig } from '../src/core/inbound/model.ts';
import { RowCompiler } from '../src/core/inbound/rows/row-compiler.ts';
import { isJudged } from '../src/core/judgement/judge.ts';
import { type Judged, type Judgement, judgedKinds } from '../src/core/judgement/judgement.ts';
import { Judgements, type Rejudged } from '../src/core/judgement/judgements.ts';
import { aClusterConfig } from './a-cluster-config.ts';

/** The judgements of an index that a test changes. */
export class JudgedMesh {
  readonly index = new ResourceIndex();
  readonly options: CompileOptions;
  readonly compiler: RowCompiler;
  readonly judgements: Judgements;

  constructor(cluster: Partial<ClusterConfig> = {}) {
    const { index } = this;
    this.options = { cluster: aClusterConfig(cluster), matchesRegex: () => false };
    this.compiler = new RowCompiler({
      index,
      ...this.options,
      encode: () => {
        throw new Error('nobody is sent anything');
      },
    });
    this.judgements = new Judgements({ index, cluster: this.options.cluster, compiler: this.compiler });
  }

  apply(...changes: readonly Change[]): void {
    const touched = this.index.apply(changes);
    this.judgements.take(touched, this.compiler.apply(touched));
  }

  put(...objects: readonly KubeObject[]): this {
    this.apply(...objects.map((object) => ({ type: 'apply', kind: object.kind, object }) as Change));
    return this;
  }

  remove(...objects: readonly KubeObject[]): void {
    this.apply(...objects.map(({ kind, meta }) => ({ type: 'delete', kind, ...meta }) as Change));
  }

  /** Judges all that waits; returns what changed. */
  catchUp(): readonly Rejudged[] {
    return this.judgements.catchUp(() => false);
  }

  /** Throws when it is not judged. */
  judgementOf(object: KubeObject): Judgement {
    const { kind, meta } = object;
    const known = this.index.get(kind, meta.namespace, meta.name);
    const judgement = known !== undefined && isJudged(known) ? this.judgements.of(known) : undefined;
    if (judgement === undefined) throw new Error(`${kind} ${meta.name} is not judged`);
    return judgement;
  }

  /** `Enforced NoPodMatches spec.sources[0].podSelector, …`. */
  saidOf(object: KubeObject): string {
    const { state, findings } = this.judgementOf(object);
    return [state, ...findings.map(({ reason, field }) => `${reason} ${field}`.trim())].join(', ');
  }

  /** Every judgement, by what it is about. */
  all(): ReadonlyMap<string, Judgement | undefined> {
    const all = new Map<string, Judgement | undefined>();
    for (const kind of judgedKinds)
      for (const object of this.index.all(kind))
        all.set(`${kind}/${object.meta.namespace}/${object.meta.name}`, this.judgements.of(object as Judged));
    return all;
  }
}

/** What a look at everything says of the same objects, with nothing remembered. */
export const judgedAnew = ({ index, options }: JudgedMesh): ReadonlyMap<string, Judgement | undefined> => {
  const fresh = new JudgedMesh(options.cluster);
  const objects = allKinds.flatMap((kind) => [...index.all(kind)]);
  fresh.apply(...objects.map((object) => ({ type: 'apply', kind: object.kind, object }) as Change), {
    type: 'unreadable',
    manifests: index.unreadable,
  } as Change);
  return fresh.all();
};

const allKinds = [...judgedKinds, 'Namespace', 'Pod', 'ServiceAccount', 'ExternalWorkload'] as const;
