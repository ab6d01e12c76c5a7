import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { optionalSetting, readConfig, setting } from './config.ts';
import { duration, hostPort, networks, oneOf, orOff, path } from './setting-forms.ts';

const settings = {
  address: setting({
    variable: 'GATEHOUSE_GRPC_ADDR',
    value: hostPort,
    fallback: '0.0.0.0:8080',
    sentence: 'Where proxies reach it.',
  }),
  staleMs: setting({
    variable: 'GATEHOUSE_MAX_STALENESS',
    value: duration,
    fallback: '90s',
    sentence: 'How stale is too stale.',
  }),
  onStale: setting({
    variable: 'GATEHOUSE_ON_STALE',
    value: oneOf(['hold', 'deny']),
    fallback: 'hold',
    sentence: 'What then.',
  }),
  webhook: setting({
    variable: 'GATEHOUSE_ADMIN_ADDR',
    value: orOff(hostPort),
    fallback: '0.0.0.0:9443',
    sentence: 'Where the API server asks.',
  }),
  stateDir: optionalSetting({
    variable: 'GATEHOUSE_STATE_DIR',
    value: path,
    absent: 'none',
    sentence: 'Where state lives.',
  }),
};

const problemsOf = (env: Record<string, string>): string[] => {
  try {
    readConfig(settings, env);
  } catch (error) {
    assert.ok(error instanceof GatehouseError);
    assert.equal(error.code, 'invalid-argument');
    const [head, ...lines] = error.message.split('\n');
    assert.equal(head, 'the configuration cannot be used:');
    return lines.map((line) => line.trim());
  }
  return [];
};

test('an empty environment gives the defaults, read by the same parsers', () => {
  assert.deepEqual(readConfig(settings, {}), {
    address: { host: '0.0.0.0', port: 8080 },
    staleMs: 90_000,
    onStale: 'hold',
    webhook: { host: '0.0.0.0', port: 9443 },
    stateDir: undefined,
    warnings: [],
  });
});

test('what the environment says wins, and the result cannot be changed', () => {
  const config = readConfig(settings, {
    GATEHOUSE_GRPC_ADDR: '[::1]:0',
    GATEHOUSE_ADMIN_ADDR: '',
    GATEHOUSE_STATE_DIR: '/tmp/x',
    PATH: '/bin',
  });
  assert.deepEqual(config.address, { host: '::1', port: 0 });
  assert.deepEqual([config.webhook, config.stateDir], [undefined, '/tmp/x']);
  assert.ok(Object.isFrozen(config));
});

test('all problems are reported together, each naming its variable, what was found and what is right', () => {
  assert.deepEqual(
    problemsOf({
      GATEHOUSE_GRPC_ADDR: '8080',
      GATEHOUSE_MAX_STALENESS: '90',
      GATEHOUSE_ON_STALE: 'Deny',
      GATEHOUSE_STATE_DIR: '',
    }),
    [
      'GATEHOUSE_GRPC_ADDR: `8080` is not a valid address: host:port, such as 127.0.0.1:8080, [::1]:8080 or name:8080',
      'GATEHOUSE_MAX_STALENESS: `90` is not a valid duration: a whole number with ms, s, m, h or d, such as 20s',
      'GATEHOUSE_ON_STALE: `Deny` is not known: use one of hold, deny',
      'GATEHOUSE_STATE_DIR: is empty: give a path or unset it',
    ],
  );
});

test('a list names every item that is wrong', () => {
  const outcome = networks.read('10.0.0.0/8, 10.0.0.0/33,nonsense', 'N');
  assert.ok(!outcome.ok);
  assert.deepEqual(
    outcome.problems.map(({ found }) => found),
    ['`10.0.0.0/33` has no valid prefix length', '`nonsense` is not a valid network'],
  );
});

test('a mistyped variable stops the start and says which one is meant', () => {
  const typos = {
    GATEHOUSE_MAX_STALENES: 'GATEHOUSE_MAX_STALENESS',
    GATEHOUSE_STALENESS_MAX: 'GATEHOUSE_MAX_STALENESS',
    GATEHOUSE_ONSTALE: 'GATEHOUSE_ON_STALE',
    GATEHOUSE_DEFAULT_INBUOND_POLICY: 'GATEHOUSE_DEFAULT_INBOUND_POLICY',
    GATEHOUSE_default_inbound_policy: 'GATEHOUSE_DEFAULT_INBOUND_POLICY',
    GATEHOUSE_TRUST_ANCHOR: 'GATEHOUSE_TRUST_ANCHORS',
  };
  for (const [typo, meant] of Object.entries(typos)) {
    assert.deepEqual(problemsOf({ [typo]: 'x' }), [`${typo}: is no setting: ${meant} is meant, or unset it`]);
  }
});

test("other services' variables are silent, anybody's own are a warning", () => {
  const config = readConfig(settings, {
    GATEHOUSE_ISSUER_DIR: '/x',
    GATEHOUSE_WEBHOOK_SERVICE_HOST: '10.0.0.1',
    GATEHOUSE_WEBHOOK_SERVICE_PORT: '443',
    GATEHOUSE_WEBHOOK_PORT: 'tcp://10.0.0.1:443',
    GATEHOUSE_WEBHOOK_PORT_443_TCP_ADDR: '10.0.0.1',
    GATEHOUSE_CONSOLE_COLOUR: 'blue',
  });
  assert.deepEqual(config.warnings, ['GATEHOUSE_CONSOLE_COLOUR means nothing to Gatehouse']);
});

test('settings are looked at together only once each can be read alone', () => {
  const asked: unknown[] = [];
  const check = (config: { readonly onStale: string }) => {
    asked.push(config.onStale);
    return [{ field: 'GATEHOUSE_STATE_DIR', found: 'is not set', fix: 'set it' }];
  };
  assert.throws(() => readConfig(settings, { GATEHOUSE_ON_STALE: 'x' }, check), { code: 'invalid-argument' });
  assert.deepEqual(asked, []);
  assert.throws(() => readConfig(settings, {}, check), /GATEHOUSE_STATE_DIR: is not set: set it/);
  assert.deepEqual(asked, ['hold']);
});
