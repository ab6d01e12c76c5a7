import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { destinationSettings, readDestinationConfig } from '@gatehouse/destination/config';
import { startDestination } from '@gatehouse/destination/service';
import { anAuthority } from '@gatehouse/dev/certificates';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';
import { identitySettings, readIdentityConfig } from '@gatehouse/identity/config';
import { startIdentity } from '@gatehouse/identity/service';
import { silentLog } from '@gatehouse/platform/log/log';
import type { RunningService, ServiceName } from '@gatehouse/platform/service/service';
import type { Settings } from '@gatehouse/platform/settings/config';
import { type SettingName, settingNames } from '@gatehouse/platform/settings/setting-names';
import { policySettings, readPolicyConfig } from '@gatehouse/policy/config';
import { startPolicy } from '@gatehouse/policy/service';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';

type Environment = Readonly<Record<string, string>>;

interface Tried {
  readonly settings: Settings;
  readonly read: (env: Environment) => { readonly warnings: readonly string[] };
  /** Starts it with a configuration that tells `onRead` the key of every setting that is looked at. */
  readonly start: (env: Environment, onRead: (key: string) => void) => Promise<RunningService>;
}

const services: Readonly<Record<ServiceName, Tried>> = {
  identity: {
    settings: identitySettings,
    read: readIdentityConfig,
    start: (env, onRead) => startIdentity(telling(readIdentityConfig(env), onRead), { log: silentLog }),
  },
  destination: {
    settings: destinationSettings,
    read: readDestinationConfig,
    start: (env, onRead) => startDestination(telling(readDestinationConfig(env), onRead), { log: silentLog }),
  },
  policy: {
    settings: policySettings,
    read: readPolicyConfig,
    start: (env, onRead) => startPolicy(telling(readPolicyConfig(env), onRead), { log: silentLog }),
  },
};

/** This test brings a log of its own. */
const usedForTheLog = ['logLevel', 'logFormat'];

const telling = <C extends object>(config: C, onRead: (key: string) => void): C =>
  new Proxy(config, {
    get: (target, key) => {
      onRead(String(key));
      return Reflect.get(target, key);
    },
    ownKeys: () => assert.fail('a configuration that is copied whole does not tell what is used of it'),
  });

const variablesOf = (service: ServiceName): ReadonlySet<SettingName> =>
  new Set(Object.values(services[service].settings).map(({ variable }) => variable));

/** A folder of manifests, and a cluster whose API server is away: each mode has settings that only it looks at. */
const environments = async (t: TestContext): Promise<readonly Environment[]> => {
  const [folder, state] = await Promise.all([temporaryFolder(t), temporaryFolder(t)]);
  await mkdir(join(folder, 'manifests'));
  await writeFile(join(folder, 'kubeconfig'), kubeconfig);
  await writeFile(join(folder, 'roots'), anAuthority({ name: 'root' }).pem);
  const common = {
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_GRPC_TLS: 'always',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    GATEHOUSE_TRUST_ANCHORS: join(folder, 'roots'),
  };
  return [
    {
      ...common,
      GATEHOUSE_ISSUANCE_LOG: join(folder, 'issued'),
      GATEHOUSE_SOURCE: `directory:${join(folder, 'manifests')}`,
      GATEHOUSE_STATE_DIR: state,
    },
    { ...common, KUBECONFIG: join(folder, 'kubeconfig') },
  ];
};

const kubeconfig = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'away',
  clusters: [{ name: 'away', cluster: { server: 'http://127.0.0.1:1' } }],
  users: [{ name: 'nobody', user: {} }],
  contexts: [{ name: 'away', context: { cluster: 'away', user: 'nobody' } }],
});

describe('the settings of a service', () => {
  it('are those that it looks at: none is accepted and ignored', async (t) => {
    for (const service of serviceNames) {
      const { settings, start } = services[service];
      const seen = new Set<string>(usedForTheLog);
      const ignored = (): readonly string[] => Object.keys(settings).filter((key) => !seen.has(key));
      for (const env of await environments(t)) {
        const running = await start(env, (key) => seen.add(key));
        t.after(() => running.stop('the test is over'));
      }
      // A service looks for its own certificate only once it is up.
      const until = performance.now() + 10_000;
      while (ignored().length > 0 && performance.now() < until) await delay(10);
      assert.deepEqual(ignored(), [], service);
    }
  });

  it('may stand in one environment with those of all others, which are not even read', () => {
    const foreign: Record<string, number> = {};
    for (const service of serviceNames) {
      const own = variablesOf(service);
      const others = settingNames.filter((name) => !own.has(name));
      const env = Object.fromEntries(others.map((name) => [name, 'nonsense']));
      assert.deepEqual(services[service].read(env).warnings, [], service);
      foreign[service] = others.length;
    }
    assert.deepEqual(foreign, { identity: 27, destination: 22, policy: 16 });
  });
});
