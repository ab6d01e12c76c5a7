import type { Argument, Command, Option } from 'commander';

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
}

/**
 * What the last of the words may become, by the commands, options and choices of the program itself, so that there is no second
 * list of them. Words before it that mean nothing are passed over: a line that is being written may be wrong elsewhere.
 */
export const candidatesFor = (program: Command, words: readonly string[]): Candidates => {
  const begun = words.at(-1) ?? '';
  const { command, operands, awaiting, onlyOperands } = readBefore(program, words.slice(0, -1));
  if (awaiting !== undefined) return valuesOf(awaiting, begun, '');
  if (!onlyOperands && begun.startsWith('--') && begun.includes('=')) {
    const [long = ''] = begun.split('=', 1);
    const option = command.options.find((each) => each.long === long);
    return option === undefined ? none : valuesOf(option, begun, `${long}=`);
  }
  if (!onlyOperands && begun.startsWith('-')) return starting(begun, optionsOf(command));
  const children = operands === 0 && !onlyOperands ? commandsOf(command) : [];
  const { candidates, isFile } = argumentValues(command.registeredArguments, operands);
  return { ...starting(begun, [...children, ...candidates]), isFile };
};

const none: Candidates = { candidates: [], isFile: false };

interface Before {
  readonly command: Command;
  /** How many arguments the command has already. */
  readonly operands: number;
  /** The option whose value comes next. */
  readonly awaiting: Option | undefined;
  /** After `--`. */
  readonly onlyOperands: boolean;
}

const readBefore = (program: Command, words: readonly string[]): Before => {
  let command = program;
  let operands = 0;
  let awaiting: Option | undefined;
  let onlyOperands = false;
  for (const word of words) {
    if (awaiting !== undefined) {
      awaiting = undefined;
    } else if (!onlyOperands && word === '--') {
      onlyOperands = true;
    } else if (!onlyOperands && word.startsWith('-')) {
      const option = command.options.find(({ long, short }) => word === long || word === short);
      // With `=` the value is in the same word.
      awaiting = option?.required === true ? option : undefined;
    } else {
      const child = operands === 0 && !onlyOperands ? commandNamed(command, word) : undefined;
      if (child === undefined) operands += 1;
      else command = child;
    }
  }
  return { command, operands, awaiting, onlyOperands };
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

const argumentValues = (all: readonly Argument[], at: number): Candidates => {
  const last = all.at(-1);
  const argument = all[at] ?? (last?.variadic === true ? last : undefined);
  return { candidates: (argument?.argChoices ?? []).map((word) => ({ word, meaning: '' })), isFile: false };
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
