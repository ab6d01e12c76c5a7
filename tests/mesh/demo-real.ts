import { openTerminal } from '@gatehouse/cli/print/terminal';
import { openScreen } from '@gatehouse/dev/demo/screen';
import { isExecutable, whyNoRealMesh } from './rig/prerequisites.ts';
import { wordOf } from './scenarios/expectations.ts';
import { Observer } from './scenarios/observer.ts';
import { seedStory } from './scenarios/seed-story.ts';
import { withRealMesh } from './with-real-mesh.ts';

/** `npm run demo -- --real`: the seed's story told with unmodified proxies in network namespaces. */
const { env, platform } = process;
const terminal = openTerminal(process.stdout, process.stderr, env);
const screen = openScreen(terminal);
const allowedWords = ['200', 'echoed'];
const phrases: Readonly<Record<string, string>> = {
  200: '200 allowed',
  403: '403 denied',
  404: '404 no route',
  echoed: 'echoed, allowed',
  closed: 'closed, denied',
};

const verdicts: boolean[] = [];

const tellStory = (): Promise<void> =>
  withRealMesh({ name: 'demo' }, async (mesh) => {
    screen.title('Gatehouse, with the real linkerd2-proxy', `${env.LINKERD2_PROXY_BIN}, one per pod`);
    const steps = seedStory(({ what, outcome, expected }) => {
      const word = wordOf(outcome);
      const verdict = phrases[word] ?? word;
      verdicts.push(word === expected);
      screen.call({ what, verdict, allowed: allowedWords.includes(word), expected: word === expected });
    });
    for (const [index, step] of steps.entries()) {
      screen.step(index + 1, step.title);
      const found = await step.run(mesh, new Observer());
      if (found !== undefined) screen.note(found);
    }
    screen.line();
    screen.verdict(`${verdicts.filter(Boolean).length} of ${verdicts.length} as expected`);
    return 'remove-logs';
  });

const why = whyNoRealMesh({ platform, uid: process.geteuid?.(), env, isExecutable });
if (why !== undefined) {
  terminal.err(`no real proxies here: ${why}`);
  process.exitCode = 1;
} else {
  await tellStory().catch((error: Error) => {
    terminal.err(`${terminal.paint('red', 'failed:')} ${error.message}`);
    process.exitCode = 1;
  });
}
