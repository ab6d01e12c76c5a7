import type { Argument, Command, Option } from 'commander';
import type { ReachOptions } from '../../reach/reach-options.ts';

export interface Candidate {
  /** The whole word in place of the one that was begun. */
  readonly word: string;
  /** One line, perhaps empty. */
  readonly meaning: string;
}

export interface Candidates {
  readonly candidates: readonly Candidate[];
  /** Whether the name of a file is wanted. */
  readonly isFile: boolean;
  /** Names that only a cluster knows, which are wanted besides. */
  readonly wanted?: WantedNames;
}

/** Which names of a cluster may stand in a place. */
export type ClusterNames = 'namespaces' | 'pods' | 'workloads' | 'policies';

export interface WantedNames {
  readonly names: ClusterNames;
  /** What is written of the name. */
  readonly begun: string;
  /** What stands before it in the same word: `--namespace=`. */
  readonly before: string;
  /** The options of the line that say which cluster is asked, and where in it. */
  readonly given: Given;
}

type Given = ReachOptions & { readonly namespace?: string; readonly dir?: string };

/**
 * What the last of the words may become, by the commands, options and choices of the program itself, so that there is no second
 * list of them. Words before it that mean nothing are passed over: a line that is being written may be wrong elsewhere.
 */
export const candidatesFor = (program: Command, words: readonly string[]): Candidates => {
  const begun = words.at(-1) ?? '';
  const { command, operands, awaiting, onlyOperands, given } = readBefore(program, words.slice(0, -1));
  const asksCluster = command.options.some(({ long }) => long === '--kubeconfig');
  const wanting = (names: ClusterNames | undefined, before = ''): Pick<Candidates, 'wanted'> =>
    names === undefined || !asksCluster
      ? {}
      : { wanted: { names, begun: begun.slice(before.length), before, given } };
  if (awaiting !== undefined)
    return { ...valuesOf(awaiting, begun, ''), ...wanting(namesOfOption(awaiting)) };
  if (!onlyOperands && begun.startsWith('--') && begun.includes('=')) {
    const [long = ''] = begun.split('=', 1);
    const option = command.options.find((each) => each.long === long);
    if (option === undefined) return none;
    return { ...valuesOf(option, begun, `${long}=`), ...wanting(namesOfOption(option), `${long}=`) };
  }
  if (!onlyOperands && begun.startsWith('-')) return starting(begun, optionsOf(command));
  const children = operands === 0 && !onlyOperands ? commandsOf(command) : [];
  const argument = argumentAt(command.registeredArguments, operands);
  const choices = (argument?.argChoices ?? []).map((word) => ({ word, meaning: '' }));
  return { ...starting(begun, [...children, ...choices]), ...wanting(argumentNames[argument?.name() ?? '']) };
};

/** What arguments are called that name something in a cluster. */
const argumentNames: Readonly<Record<string, ClusterNames>> = {
  pod: 'pods',
  workload: 'workloads',
  object: 'policies',
};

/** The same of the values of options. */
const namesOfOption = ({ flags }: Option): ClusterNames | undefined =>
  /<ns>/.test(flags) ? 'namespaces' : /<pod>/.test(flags) ? 'pods' : undefined;

const none: Candidates = { candidates: [], isFile: false };

interface Before {
  readonly command: Command;
  /** How many arguments the command has already. */
  readonly operands: number;
  /** The option whose value comes next. */
  readonly awaiting: Option | undefined;
  /** After `--`. */
  readonly onlyOperands: boolean;
  /** The values of options, by the names that commands know them by. */
  readonly given: Given;
}

const readBefore = (program: Command, words: readonly string[]): Before => {
  let command = program;
  let operands = 0;
  let awaiting: Option | undefined;
  let onlyOperands = false;
  const given: Record<string, string> = {};
  for (const word of words) {
    if (awaiting !== undefined) {
      given[awaiting.attributeName()] = word;
      awaiting = undefined;
    } else if (!onlyOperands && word === '--') {
      onlyOperands = true;
    } else if (!onlyOperands && word.startsWith('-')) {
      // With `=` the value is in the same word.
      const [name, ...value] = word.split('=');
      const option = command.options.find(({ long, short }) => name === long || name === short);
      if (option !== undefined && value.length > 0) given[option.attributeName()] = value.join('=');
      else awaiting = option?.required === true ? option : undefined;
    } else {
      const child = operands === 0 && !onlyOperands ? commandNamed(command, word) : undefined;
      if (child === undefined) operands += 1;
      else command = child;
    }
  }
  return { command, operands, awaiting, onlyOperands, given };
};

/** Those that help shows. */
const visible = (command: Command): readonly Command[] =>
  command.createHelp().visibleCommands(command) as readonly Command[];

const commandNamed = (command: Command, word: string): Command | undefined =>
  visible(command).find((child) => child.name() === word);

const commandsOf = (command: Command): readonly Candidate[] =>
  visible(command).map((child) => ({ word: child.name(), meaning: firstSentence(child.description()) }));

const optionsOf = (command: Command): readonly Candidate[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short, description }) => ({
      word: long ?? short ?? '',
      meaning: firstSentence(description),
    }));

const argumentAt = (all: readonly Argument[], at: number): Argument | undefined => {
  const last = all.at(-1);
  return all[at] ?? (last?.variadic === true ? last : undefined);
};

/** What options call the name of a file or a folder. */
const fileNames = /<(?:file|folder)>/;

const valuesOf = ({ argChoices, flags }: Option, begun: string, before: string): Candidates => ({
  ...starting(
    begun,
    (argChoices ?? []).map((word) => ({ word: `${before}${word}`, meaning: '' })),
  ),
  isFile: fileNames.test(flags),
});

const starting = (begun: string, all: readonly Candidate[]): Candidates => ({
  candidates: all.filter(({ word }) => word.startsWith(begun)),
  isFile: false,
});

/** Tabs and line feeds would be taken for the form of the answer. */
const firstSentence = (text: string): string => text.replace(/\s+/g, ' ').split(/\. |\.$/, 1)[0] ?? '';
