import { FairQueue } from './fair-queue.ts';
import { mayNarrow } from './narrows.ts';
import type { InboundAnswer, RowCompiler } from './row-compiler.ts';
import type { RowSend, RowUpdate } from './watched-row.ts';
import type { InboundRow, InboundWatch } from './workload-class.ts';

/** Somebody wants to know a row that nobody need watch. */
export interface Question {
  /** Compiles it from what is known by then; undefined when its workload is gone. */
  readonly compile: () => InboundAnswer | undefined;
  readonly hear: (answer: InboundAnswer | undefined) => void;
}

/**
 * The rows that wait to be compiled, in an order that is fair between namespaces: whatever one namespace's objects cost,
 * another's row waits for its turn among the namespaces, not for the rows of that one.
 */
export class WaitingRows<R> {
  readonly #compiler: RowCompiler;
  readonly #queue = new FairQueue<InboundRow<R> | Question>(workOfATurn);

  constructor(compiler: RowCompiler) {
    this.#compiler = compiler;
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Whether only rows wait whose namespaces were expensive a moment ago, so that each may take long. */
  get isDear(): boolean {
    return this.#queue.isInDebt;
  }

  add(row: InboundRow<R>): void {
    row.state = 'waiting';
    this.#queue.add(row.class.workload.namespace, row);
  }

  drop(row: InboundRow<R>): void {
    this.#queue.remove(row.class.workload.namespace, row);
  }

  /** What comes back takes the question back. */
  ask(namespace: string, question: Question): () => void {
    const tenant = questionsAbout(namespace);
    this.#queue.add(tenant, question);
    return () => this.#queue.remove(tenant, question);
  }

  /** Compiles until `isOver`, one row at least; anyone who may be denied something by these rows hears before others. */
  compile(isOver: () => boolean): RowUpdate<R> {
    const narrowing: RowSend<R>[] = [];
    const widening: RowSend<R>[] = [];
    do {
      const next = this.#queue.next();
      if (next === undefined) break;
      const { tenant, item } = next;
      if ('hear' in item) {
        const answer = item.compile();
        if (answer !== undefined) this.#queue.charge(tenant, workOf(answer));
        item.hear(answer);
        continue;
      }
      const before = item.answer;
      const answer = this.#compiler.compile(item.class, item.port);
      this.#queue.charge(tenant, workOf(answer));
      const { told, untold } = settle(item, answer);
      if (told.length + untold.length === 0) continue;
      const { encoded } = answer;
      if (before === undefined || mayNarrow(before.compiled.server, answer.compiled.server)) {
        narrowing.push({ encoded, watches: [...told, ...untold] });
      } else {
        // Nobody compared it with what the others have.
        if (untold.length > 0) widening.push({ encoded, watches: untold });
        if (told.length > 0) widening.push({ encoded, watches: told, onlyWidens: true });
      }
      // What is ready is sent before a row that may take long: its clients waited for others long enough.
    } while (!isOver() && !this.#queue.isInDebt);
    return { sends: [...narrowing, ...widening], gone: [] };
  }
}

/**
 * Anybody may ask about a namespace, so questions have turns of their own: a row that is to deny somebody does not wait for
 * them. No namespace has such a name.
 */
const questionsAbout = (namespace: string): string => `${namespace}?`;

/** The watches to which an answer is news: those that have the row's last one, and those that have another row's or none. */
interface News<R> {
  readonly told: readonly InboundWatch<R>[];
  readonly untold: readonly InboundWatch<R>[];
}

/** Puts the answer in the row. */
const settle = <R>(row: InboundRow<R>, answer: InboundAnswer): News<R> => {
  const { version } = answer.encoded;
  const isNew = row.answer?.encoded.version !== version;
  const unheard = new Map(row.unheard);
  // The old bytes stay those of all who were sent them.
  row.answer = isNew || row.answer === undefined ? answer : { ...answer, encoded: row.answer.encoded };
  row.state = 'settled';
  row.unheard.clear();
  const watches = isNew ? [...row.watches] : [];
  return {
    told: unheard.size === 0 ? watches : watches.filter((watch) => !unheard.has(watch)),
    untold: [...unheard].flatMap(([watch, last]) => (last === version ? [] : [watch])),
  };
};

/** How much a namespace may cost in its turn before the next has one, in the measure of `workOf`. */
const workOfATurn = 20_000;

/** What a row cost to compile and to encode. */
const workOf = ({ compiled, encoded, ifEnforced }: InboundAnswer): number =>
  500 + compiled.steps + encoded.bytes.length + (ifEnforced === undefined ? 0 : workOf(ifEnforced));
