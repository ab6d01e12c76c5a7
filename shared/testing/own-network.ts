import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Set in the process that has a network of its own. */
const inside = 'OWN_NETWORK';

export interface OwnNetwork {
  /** What the test in this process says, which plays `suite` in a network of its own. */
  readonly title: string;
  /** Why it cannot be played at all, or false. */
  readonly skip: string | false;
  /** The addresses that the network has beside loopback. */
  readonly hosts: readonly string[];
  /** `import.meta.url` of the file that is run again there. */
  readonly file: string;
  /** Defines the tests, in there. */
  readonly suite: () => void;
  /** How many of them there are. */
  readonly count: number;
}

/**
 * Plays tests in a network without a way out: an API server takes no loopback address for an EndpointSlice, and nobody else's may be
 * used. It needs Linux and root.
 */
export const inOwnNetwork = ({ title, skip, hosts, file, suite, count }: OwnNetwork): void => {
  const { env, platform } = process;
  if (env[inside] === 'yes') {
    suite();
    return;
  }
  const isAble = platform === 'linux' && process.geteuid?.() === 0;
  const why = skip === false && !isAble ? 'a network of its own needs Linux and root' : skip;
  test(title, { skip: why, timeout: 600_000 }, async (t: TestContext) => {
    const addresses = hosts.map((host) => `ip address add ${host}/32 dev lo`);
    const steps = ['ip link set lo up', ...addresses, `exec "${process.execPath}" "$0"`].join(' && ');
    // The runner would take the process inside for a part of its own.
    const { NODE_TEST_CONTEXT: _, ...rest } = env;
    const options = { env: { ...rest, [inside]: 'yes' } };
    const args = ['--net', 'sh', '-c', steps, fileURLToPath(file)];
    const { stdout } = await promisify(execFile)('unshare', args, options).catch(
      (failed: { readonly stdout?: string; readonly stderr?: string }) =>
        assert.fail(`${failed.stdout}${failed.stderr}`),
    );
    t.diagnostic(stdout);
    assert.match(stdout, new RegExp(`pass ${count}\\b`));
    assert.match(stdout, /fail 0\b/);
  });
};
