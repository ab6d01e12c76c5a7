import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readIdentityConfig } from './config.ts';

const dev = { GATEHOUSE_SOURCE: 'directory:/tmp/manifests', GATEHOUSE_STATE_DIR: '/tmp/state' };

describe('the configuration of identity', () => {
  it('of a folder of manifests needs nothing else', () => {
    const config = readIdentityConfig(dev);
    assert.deepEqual(config.grpcAddress, { host: '0.0.0.0', port: 8080 });
    assert.deepEqual(config.adminAddress, { host: '0.0.0.0', port: 9990 });
    assert.equal(config.requirePodBoundToken, true);
    assert.equal(config.issuanceLifetimeMs, 86_400_000);
    assert.equal(config.clockSkewMs, 20_000);
    assert.equal(config.issuerDir, undefined);
    assert.equal(config.issuanceLog, undefined);
  });

  it('of a cluster needs nothing at all', () => {
    const config = readIdentityConfig({});
    assert.deepEqual(config.source, { kind: 'kubernetes' });
    assert.equal(config.kubeconfig, undefined);
    assert.equal(config.tokenReviewer, undefined);
  });

  const bad: readonly [string, NodeJS.ProcessEnv, readonly RegExp[]][] = [
    [
      'that wants the API server asked where there is none',
      { ...dev, GATEHOUSE_TOKEN_REVIEWER: 'token-review' },
      [/GATEHOUSE_TOKEN_REVIEWER: there is no API server/],
    ],
    [
      'with certificates shorter than proxies renew',
      { ...dev, GATEHOUSE_ISSUANCE_LIFETIME: '10s' },
      [/GATEHOUSE_ISSUANCE_LIFETIME/],
    ],
    [
      'that asks the API server about no token at all',
      { GATEHOUSE_TOKEN_REVIEW_RATE: '0', GATEHOUSE_TOKEN_REVIEW_BURST: '1e3' },
      [/GATEHOUSE_TOKEN_REVIEW_RATE: `0` is not a valid whole number/, /GATEHOUSE_TOKEN_REVIEW_BURST: `1e3`/],
    ],
    [
      'with several mistakes',
      { ...dev, GATEHOUSE_CLOCK_SKEW: 'soon', GATEHOUSE_REQUIRE_POD_BOUND_TOKEN: 'maybe' },
      [/GATEHOUSE_CLOCK_SKEW/, /GATEHOUSE_REQUIRE_POD_BOUND_TOKEN/],
    ],
  ];

  it('knows 4 ways to be wrong', () => assert.equal(bad.length, 4));
  for (const [title, env, messages] of bad) {
    it(`${title} stops the start and names the variable`, () => {
      for (const message of messages) {
        assert.throws(() => readIdentityConfig(env), { code: 'invalid-argument', message });
      }
    });
  }

  it('may name either reviewer of a cluster', () => {
    for (const name of ['token-review', 'jwks']) {
      assert.equal(readIdentityConfig({ GATEHOUSE_TOKEN_REVIEWER: name }).tokenReviewer, name);
    }
  });

  it('may name the reviewer that dev mode has', () =>
    assert.equal(readIdentityConfig({ ...dev, GATEHOUSE_TOKEN_REVIEWER: 'jwks' }).tokenReviewer, 'jwks'));
});
