import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readDestinationConfig } from '@gatehouse/destination/config';
import { startDestination } from '@gatehouse/destination/service';
import { silentLog } from '@gatehouse/platform/log/log';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { startPolicy } from '@gatehouse/policy/service';
import { ask } from '@gatehouse/testing/started-admin';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';

const cases = fileURLToPath(new URL('../../shared/testing/cases', import.meta.url));

/** Answers `GET path` of a service's REST API, which must be 200. */
// biome-ignore lint/suspicious/noExplicitAny: what a test reads from JSON is checked by its assertions
export type Rest = (path: string) => Promise<any>;

/** Destination and policy on the manifests of a case: two services that must not disagree about one mesh. */
export const servicesOnCase = async (
  t: TestContext,
  name: string,
): Promise<{ readonly destination: Rest; readonly policy: Rest }> => {
  const state = await temporaryFolder(t);
  const env = {
    GATEHOUSE_SOURCE: `directory:${join(cases, name)}`,
    GATEHOUSE_STATE_DIR: state,
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
  };
  const [destination, policy] = await Promise.all([
    startDestination(readDestinationConfig(env), { log: silentLog }),
    startPolicy(readPolicyConfig(env), { log: silentLog }),
  ]);
  t.after(() => Promise.all([destination.stop('the test is over'), policy.stop('the test is over')]));
  const rest =
    (admin: string): Rest =>
    async (path) => {
      const token = (await readFile(join(state, 'admin-token'), 'utf8')).trim();
      for (;;) {
        const { status, json, text } = await ask(`${admin}${path}`, { token });
        if (status === 200) return json;
        // Until the folder has been listed.
        if (status !== 503) throw new Error(`GET ${path}: ${status} ${text}`);
      }
    };
  return { destination: rest(destination.admin), policy: rest(policy.admin) };
};
