import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { serviceNames } from '@gatehouse/platform/service/service';
import { freePort } from '@gatehouse/testing/free-port';
import { loadedModules } from '@gatehouse/testing/loaded-modules';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';

const mainOf = (service: string): string =>
  fileURLToPath(new URL(`../../services/${service}/src/main.ts`, import.meta.url));

/** What no start needs; each is loaded by what comes to need it. */
const forKubeconfigs = ['@kubernetes/client-node', 'undici', 'ws'];
const forFolders = ['js-yaml', 'yaml'];
const forPeople = [
  '@fastify/fast-json-stringify-compiler',
  '@fastify/swagger',
  'ajv',
  'json-schema-ref-resolver',
];
const forDevelopment = ['jose'];

suite('the start of a service', () => {
  for (const service of serviceNames) {
    test(`${service} imports nothing that only some starts need`, async (t) => {
      const { code, packages } = await loadedModules(t, {
        main: mainOf(service),
        env: { GATEHOUSE_LOG_LEVEL: 'none, so that it ends when all is imported' },
      });
      assert.equal(code, 2);
      assert.ok(packages.includes('fastify'), packages.join());
      const heavy = [...forKubeconfigs, ...forFolders, ...forPeople, ...forDevelopment];
      assert.deepEqual(
        packages.filter((name) => heavy.includes(name)),
        [],
      );
    });
  }

  test('a service that kubelet and Prometheus ask loads nothing of what answers people', async (t) => {
    const [folder, state] = [await temporaryFolder(t), await temporaryFolder(t)];
    const admin = `http://127.0.0.1:${await freePort()}`;
    const isReady = async () => (await fetch(`${admin}/live`).catch(() => undefined))?.ok === true;
    const { packages } = await loadedModules(t, {
      main: mainOf('identity'),
      env: {
        GATEHOUSE_SOURCE: `directory:${folder}`,
        GATEHOUSE_STATE_DIR: state,
        GATEHOUSE_GRPC_ADDR: `127.0.0.1:${await freePort()}`,
        GATEHOUSE_ADMIN_ADDR: admin.replace('http://', ''),
      },
      until: async () => {
        while (!(await isReady())) await delay(20);
        for (const path of ['/ready', '/metrics']) await (await fetch(`${admin}${path}`)).text();
      },
    });
    // It has come as far as its folder.
    assert.ok(packages.includes('js-yaml'), packages.join());
    assert.deepEqual(
      packages.filter((name) => [...forKubeconfigs, ...forPeople].includes(name)),
      [],
    );
  });
});
