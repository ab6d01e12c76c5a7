import { governorOf, printFrom, printPort } from '../../print/policy-words.ts';
import { clientRows, notesOf, type PortView, portViews, shownClients } from '../../print/port-views.ts';
import { printName } from '../../print/workload-text.ts';
import { type PolicyState, portOf } from './policy-state.ts';

/** One thing that is so no more, is so now, or is so for other addresses than before. */
export interface PolicyChange {
  readonly sign: '+' | '-' | '~';
  readonly text: string;
}

/** One thing that is in force on a workload. */
interface Fact {
  /** Equal for what is the same but for addresses. */
  readonly id: string;
  readonly text: string;
  /** Of clients: where they call from, all of it. */
  readonly from: readonly string[];
  /** The same without where from. */
  readonly who: string;
}

type Facts = ReadonlyMap<string, Fact>;

/** What changed between two states and nothing of what stays, once for all workloads that it is true of. */
export const changesOf = (before: PolicyState, after: PolicyState): readonly PolicyChange[] => {
  const [old, now] = [factsByWorkload(before), factsByWorkload(after)];
  const staying = [...now.keys()].filter((name) => old.has(name));
  const namesOfChange = new Map<string, { readonly change: PolicyChange; readonly names: string[] }>();
  for (const name of staying) {
    for (const change of differences(old.get(name) ?? none, now.get(name) ?? none)) {
      const key = `${change.sign} ${change.text}`;
      const known = namesOfChange.get(key);
      if (known === undefined) namesOfChange.set(key, { change, names: [name] });
      else known.names.push(name);
    }
  }
  const gone = [...old.keys()].filter((name) => !now.has(name));
  const fresh = [...now.keys()].filter((name) => !old.has(name));
  return [
    ...gone.map((name): PolicyChange => ({ sign: '-', text: printKey(name) })),
    ...fresh.map((name): PolicyChange => ({ sign: '+', text: printKey(name) })),
    ...[...namesOfChange.values()].map(({ change, names }) =>
      names.length === staying.length ? change : { ...change, text: `${few(names)}: ${change.text}` },
    ),
    ...factsOfFresh(fresh, staying, now),
  ];
};

const none: Facts = new Map();

/** Names as the command line takes them: `demo/backend-0`, `demo/externalworkload/vm-1`. */
const printKey = (key: string): string => (key.split('/').length === 2 ? `pod ${key}` : key);

/** So many workloads or addresses are named. */
const mostNamed = 3;

const few = (names: readonly string[]): string =>
  names.length <= mostNamed
    ? names.join(', ')
    : `${names.slice(0, mostNamed - 1).join(', ')} and ${names.length - mostNamed + 1} more`;

/** Of workloads that are new and treated as none of those that stay. */
const factsOfFresh = (
  fresh: readonly string[],
  staying: readonly string[],
  now: ReadonlyMap<string, Facts>,
): readonly PolicyChange[] => {
  const keyOf = (name: string): string => [...(now.get(name)?.keys() ?? [])].join('\n');
  const known = new Set(staying.map(keyOf));
  return fresh.flatMap((name) => {
    const key = keyOf(name);
    if (known.has(key)) return [];
    known.add(key);
    return [...(now.get(name)?.values() ?? [])].map(
      ({ text }): PolicyChange => ({ sign: '+', text: `${name}: ${text}` }),
    );
  });
};

const differences = (old: Facts, now: Facts): readonly PolicyChange[] => [
  ...[...old].filter(([id]) => !now.has(id)).map(([, { text }]): PolicyChange => ({ sign: '-', text })),
  ...[...now].filter(([id]) => !old.has(id)).map(([, { text }]): PolicyChange => ({ sign: '+', text })),
  ...[...now].flatMap(([id, fact]): readonly PolicyChange[] => {
    const was = new Set(old.get(id)?.from ?? fact.from);
    const is = new Set(fact.from);
    const more = fact.from.filter((from) => !was.has(from));
    const less = [...was].filter((from) => !is.has(from));
    if (more.length + less.length === 0) return [];
    const said = [
      ...(more.length === 0 ? [] : [`now from ${few(more)} too`]),
      ...(less.length === 0 ? [] : [`no more from ${few(less)}`]),
    ];
    return [{ sign: '~', text: `${fact.who}: ${said.join(', ')}` }];
  }),
];

const factsByWorkload = (state: PolicyState): ReadonlyMap<string, Facts> =>
  new Map(
    state.flatMap((found) => {
      const facts = new Map(factsOf(found).map((fact) => [fact.id, fact]));
      return found.names.map(
        (name) => [`${found.namespace}/${printName({ kind: found.kind, name })}`, facts] as const,
      );
    }),
  );

const factsOf = (found: PolicyState[number]): readonly Fact[] => {
  const { report } = found;
  if (report.enforcement.state === 'not-enforced') return [plain(`${report.enforcement.message}`)];
  const views: readonly PortView[] =
    found.of === 'workload'
      ? portViews(found.report)
      : [
          {
            label: printPort(portOf(found.report)),
            enforcement: found.report.enforcement,
            row: found.report.row,
          },
        ];
  return views.flatMap((view) => [
    ...(view.row === null
      ? []
      : [plain(`${view.label}  ${view.row.protocol}, governed by ${governorOf(view.row)}`)]),
    ...clientFacts(view, report.identity),
    ...notesOf([view]).map((note) => plain(`${view.label}  ${note}`)),
  ]);
};

const plain = (text: string): Fact => ({ id: text, text, from: [], who: text });

const clientFacts = (view: PortView, self: string | null): readonly Fact[] => {
  const [short, whole] = [clientRows(view, self, 'few'), clientRows(view, self, 'all')];
  const clients = view.row === null ? [] : shownClients(view.row);
  return short.map(([label, client, from, requests, reason], at) => {
    const who = `${label}  ${client}`;
    const rest = `${requests ? `: ${requests}` : ''}, by ${reason}`;
    const [, name, , asked, why] = whole[at] ?? [];
    const networks = clients[at]?.networks ?? [];
    return {
      id: JSON.stringify([label, name, asked, why]),
      text: `${who}${from ? ` from ${from}` : ''}${rest}`,
      from: networks.map((network) => printFrom({ networks: [network], source: null }, 'all')),
      who: `${who}${rest}`,
    };
  });
};
