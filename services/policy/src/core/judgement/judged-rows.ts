import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { isProxyPort } from '@gatehouse/core/mesh/proxy-ports';
import type { CompiledPort, Workload } from '../inbound/model.ts';
import { readsOf } from '../inbound/rows/class-facts.ts';
import type { ConcerningPolicies } from '../inbound/rows/policy-index.ts';
import type { PortGroups } from '../inbound/rows/port-groups.ts';
import type { RowCompiler } from '../inbound/rows/row-compiler.ts';
import type { PodSelection } from './pod-selections.ts';

export type JudgedCompiler = Pick<
  RowCompiler,
  'compiledPort' | 'labelKeys' | 'policiesFor' | 'portsOf' | 'sourcesOf' | 'sourcesOnce'
>;

interface ClassRows {
  readonly workload: Workload;
  readonly policies: ConcerningPolicies;
  readonly reads: ReadonlySet<string>;
  readonly ports: PortGroups;
  readonly compiled: Map<string, CompiledPort>;
}

/** The rows behind one selection, and the facts that they are made of. */
export interface SelectedRows {
  readonly rows: readonly CompiledPort[];
  readonly policies: readonly ConcerningPolicies[];
  readonly reads: ReadonlySet<string>;
}

/** So many classes of pods, and ports of each, are looked at for one object: one that selects more is judged by these. */
const most = { classes: 128, ports: 16 } as const;

/**
 * Compiles the rows by which objects are judged, each once for all objects that concern it, until something changes. They
 * are compiled like those of streams, also where no proxy watches the port.
 */
export class JudgedRows {
  readonly #compiler: JudgedCompiler;
  readonly #classes = new Map<string, ClassRows>();

  constructor(compiler: JudgedCompiler) {
    this.#compiler = compiler;
  }

  /** What is known may be out of date. */
  forget(): void {
    this.#classes.clear();
  }

  of({ classes }: PodSelection, ports: readonly PortSelector[] | 'all'): SelectedRows {
    const rows: CompiledPort[] = [];
    const policies: ConcerningPolicies[] = [];
    const reads = new Set<string>();
    for (const [key, workload] of classes.entries().take(most.classes)) {
      const one = this.#classOf(key, workload);
      policies.push(one.policies);
      for (const fact of one.reads) reads.add(fact);
      rows.push(...this.#rowsOf(one, ports));
    }
    return { rows, policies, reads };
  }

  #classOf(key: string, workload: Workload): ClassRows {
    const known = this.#classes.get(key);
    if (known !== undefined) return known;
    const policies = this.#compiler.policiesFor(workload);
    const fresh: ClassRows = {
      workload,
      policies,
      reads: readsOf(workload, policies),
      ports: this.#compiler.portsOf({ workload, policies }),
      compiled: new Map(),
    };
    this.#classes.set(key, fresh);
    return fresh;
  }

  #rowsOf(one: ClassRows, ports: readonly PortSelector[] | 'all'): readonly CompiledPort[] {
    const rows = new Map<string, CompiledPort>();
    for (const port of portsToJudge(one.workload, ports)) {
      const group = one.ports.groupOf(port);
      const row = one.compiled.get(group) ?? this.#compiler.compiledPort(one, port);
      one.compiled.set(group, row);
      rows.set(group, row);
      if (rows.size === most.ports) break;
    }
    return [...rows.values()];
  }
}

/** Where something listens as far as anyone says; else one of the ports that are named. */
const portsToJudge = (
  { ports: declared, proxyPorts }: Workload,
  ports: readonly PortSelector[] | 'all',
): ReadonlySet<number> => {
  const numbers = new Set<number>();
  if (ports === 'all') {
    for (const { port } of declared) if (!isProxyPort(proxyPorts, port)) numbers.add(port);
    return numbers.size === 0 ? new Set([anyPort]) : numbers;
  }
  for (const selector of ports) {
    switch (selector.kind) {
      case 'name':
        for (const { name, port } of declared) if (name === selector.name) numbers.add(port);
        break;
      case 'range': {
        const inside = declared.filter(({ port }) => selector.first <= port && port <= selector.last);
        for (const { port } of inside) numbers.add(port);
        if (inside.length === 0) numbers.add(selector.first);
        break;
      }
    }
  }
  return numbers;
};

/** Stands for every port that nobody declares. */
const anyPort = 8080;
