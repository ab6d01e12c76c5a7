import type { DemoMesh } from './demo-mesh.ts';
import { manifestFile } from './demo-paths.ts';
import type { Screen } from './screen.ts';

type Hint = readonly [what: string, commands: readonly string[]];

const editHint = (folder: string): Hint => [
  'change who may talk to whom: edit, add or remove a file of the folder; this lets frontend in again:',
  [`cp ${manifestFile('frontend-can-talk-to-backend.yaml')} ${folder}`],
];

/** What a reader can try while the mesh stays up. Commands are not wrapped, so that they can be copied. */
export const printHints = (screen: Screen, mesh: DemoMesh): void => {
  const { folder } = mesh.source;
  const frontend = mesh.pod('frontend-0').httpProxy;
  const intruder = mesh.pod('intruder-0').httpProxy;
  const token = `-H "authorization: Bearer $(cat ${mesh.state.adminToken})"`;
  const hints: readonly Hint[] = [
    [
      'call backend as frontend, or as intruder (through their proxies); now both are denied:',
      [
        `curl -i -x http://${frontend} http://backend.demo:8080/`,
        `curl -i -x http://${intruder} http://backend.demo:8080/`,
      ],
    ],
    ...(folder === undefined ? [] : [editHint(folder)]),
    [
      "see what backend's proxy is told about the port, and every change:",
      [`npx gatehouse dev watch demo/backend-0 8080 --state ${mesh.state.root}`],
    ],
    [
      'ask the policy service (REST; the token is in the state directory):',
      [
        `curl ${token} '${mesh.services.policy.admin}/v1/authorizations?namespace=demo'`,
        `curl ${token} ${mesh.services.policy.admin}/v1/workloads/demo/backend-0/ports/8080`,
      ],
    ],
    ['see what each process says:', [`ls ${mesh.state.root}/logs`]],
  ];
  screen.line();
  screen.line('The mesh stays up. Try:');
  for (const [what, commands] of hints) {
    screen.line();
    screen.note(what);
    for (const command of commands) screen.line(`    ${command}`);
  }
  screen.line();
  screen.line('Ctrl-C ends it.');
};
