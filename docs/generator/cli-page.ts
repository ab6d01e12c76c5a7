import { buildProgram } from '@gatehouse/cli/cli';
import { exitCode } from '@gatehouse/cli/exit-code';
import { page, table } from './table.ts';

type Program = ReturnType<typeof buildProgram>;

const width = 100;

/** Not those that only scripts type. */
const visible = (command: Program): readonly Program[] => {
  const shown = command.createHelp().visibleCommands(command);
  return command.commands.filter((child) => shown.includes(child)) as readonly Program[];
};

/** Every command that does something itself, which some do that have sub-commands beside it. */
const doers = (
  command: Program,
  path: string,
): readonly { readonly path: string; readonly help: string }[] => {
  let help = '';
  command.configureOutput({
    getOutHelpWidth: () => width,
    getOutHasColors: () => false,
    writeOut: (text) => {
      help += text;
    },
  });
  // With the examples, which are no part of `helpInformation`.
  command.outputHelp();
  const name = `${path} ${command.name()}`.trim();
  const does = command.commands.length === 0 || command.registeredArguments.length > 0;
  return [
    ...(does ? [{ path: name, help: help.trimEnd() }] : []),
    ...visible(command).flatMap((child) => doers(child, name)),
  ];
};

const meanings = {
  ok: 'It is done, or what was asked holds.',
  failed: 'It failed; standard error says why and what to do.',
  usage: 'The command line or the configuration cannot be used.',
  wouldClose: 'The change that was asked about would close something that is open now.',
} satisfies Record<keyof typeof exitCode, string>;

export const cliPage = (): string =>
  page(
    'Command line',
    'Tables are for people, `-o json` for programs; colours only on a terminal.',
    ...doers(
      buildProgram(() => {}),
      '',
    ).flatMap(({ path, help }) => [`## ${path}`, `\`\`\`text\n${help}\n\`\`\``]),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      Object.entries(exitCode).map(([name, number]) => [
        `${number}`,
        meanings[name as keyof typeof exitCode],
      ]),
    ),
  );
