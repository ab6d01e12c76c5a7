import type { DemoMesh } from './demo-mesh.ts';
import type { Screen } from './screen.ts';

/** What somebody can try while the mesh stays up. Commands are not wrapped, so that they can be copied. */
export const printHints = (screen: Screen, mesh: DemoMesh): void => {
  const frontend = mesh.pod('frontend-0').httpProxy;
  const intruder = mesh.pod('intruder-0').httpProxy;
  const token = `-H "authorization: Bearer $(cat ${mesh.state.adminToken})"`;
  const hints: readonly (readonly [string, readonly string[]])[] = [
    [
      'call backend as frontend, or as intruder (through their proxies):',
      [
        `curl -x http://${frontend} http://backend.demo:8080/`,
        `curl -x http://${intruder} http://backend.demo:8080/`,
      ],
    ],
    ['change who may talk to whom: edit or add a file in', [mesh.folder.path]],
    [
      'ask the policy service (REST; the token is in the state directory):',
      [
        `curl ${token} ${mesh.services.policy.admin}/v1/authorizations?namespace=demo`,
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
