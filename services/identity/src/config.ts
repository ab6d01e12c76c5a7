import type { Problem } from '@gatehouse/core/problem';
import { type Config, optionalSetting, readConfig, setting } from '@gatehouse/platform/settings/config';
import { boolean, byteSize, count, duration, oneOf, path } from '@gatehouse/platform/settings/setting-forms';
import { sharedProblems, sharedSettings, watchSettings } from '@gatehouse/platform/settings/settings';

/** Every setting of identity. */
export const identitySettings = {
  // A proxy asks for one certificate on a connection of its own; so a few hundred are a load generator's.
  ...sharedSettings({ grpc: 8080, admin: 9990, callsPerConnection: 256 }),
  ...watchSettings,
  issuerDir: optionalSetting({
    variable: 'GATEHOUSE_ISSUER_DIR',
    value: path,
    absent: '`/var/run/gatehouse/issuer`; the embedded CA of the state directory in dev mode',
    sentence: 'The folder of the issuer: `tls.crt` and `tls.key`, or `crt.pem` and `key.pem`.',
  }),
  tokenReviewer: optionalSetting({
    variable: 'GATEHOUSE_TOKEN_REVIEWER',
    value: oneOf(['token-review', 'jwks']),
    absent: '`token-review`; `jwks` in dev mode',
    sentence: 'What verifies tokens: the API server for each call, or its public keys and the watch of pods.',
  }),
  tokenReviewRate: setting({
    variable: 'GATEHOUSE_TOKEN_REVIEW_RATE',
    value: count,
    fallback: '2000',
    sentence: 'How many tokens a second the API server is asked about, by each replica.',
  }),
  tokenReviewBurst: setting({
    variable: 'GATEHOUSE_TOKEN_REVIEW_BURST',
    value: count,
    fallback: '2000',
    sentence: 'How many tokens the API server may be asked about at once after a quiet time.',
  }),
  certifyQueueBytes: setting({
    variable: 'GATEHOUSE_CERTIFY_QUEUE_SIZE',
    value: byteSize,
    fallback: '16MiB',
    sentence:
      'How much memory calls may take that wait for their certificate, and as much again for tokens that wait for their review; about 5,000 calls. When it is full, the address with most of them gives up its oldest to others.',
  }),
  requirePodBoundToken: setting({
    variable: 'GATEHOUSE_REQUIRE_POD_BOUND_TOKEN',
    value: boolean,
    fallback: 'true',
    sentence: 'Whether tokens that are bound to no pod are refused.',
  }),
  issuanceLifetimeMs: setting({
    variable: 'GATEHOUSE_ISSUANCE_LIFETIME',
    value: duration,
    fallback: '24h',
    sentence: 'How long a workload certificate is valid; proxies renew at 70 %.',
  }),
  clockSkewMs: setting({
    variable: 'GATEHOUSE_CLOCK_SKEW',
    value: duration,
    fallback: '20s',
    sentence: 'How far clocks may differ: certificates begin that much earlier and end that much later.',
  }),
  issuanceLog: optionalSetting({
    variable: 'GATEHOUSE_ISSUANCE_LOG',
    value: path,
    absent: 'off: the latest certificates are remembered in memory only',
    sentence: 'The file that every certificate is recorded in before it is signed.',
  }),
  issuanceLogMaxBytes: setting({
    variable: 'GATEHOUSE_ISSUANCE_LOG_MAX_SIZE',
    value: byteSize,
    fallback: '100MiB',
    sentence:
      'From this size on the issuance log is set aside under a name with the time, and started again; 0 = never.',
  }),
  issuanceLogKeep: optionalSetting({
    variable: 'GATEHOUSE_ISSUANCE_LOG_KEEP',
    value: count,
    absent: 'all',
    sentence: 'How many files of the issuance log that were set aside are kept; the oldest are removed.',
  }),
};

export type IdentityConfig = Config<typeof identitySettings>;

/** A proxy renews no sooner than 10 s after an answer (contract/proxy.md §4.3), so shorter lives only make gaps. */
const shortestLifetimeMs = 15_000;

/** Throws one error that lists every problem by its variable. */
export const readIdentityConfig = (env: NodeJS.ProcessEnv): IdentityConfig =>
  readConfig(identitySettings, env, check);

const check = (config: IdentityConfig): readonly Problem[] => {
  const problems: Problem[] = [...sharedProblems(config)];
  if (config.source.kind === 'directory' && config.tokenReviewer === 'token-review') {
    problems.push({
      field: 'GATEHOUSE_TOKEN_REVIEWER',
      found: 'there is no API server to ask about tokens when the source is a directory',
      fix: 'use jwks, or unset it',
    });
  }
  if (config.issuanceLifetimeMs < shortestLifetimeMs) {
    problems.push({
      field: 'GATEHOUSE_ISSUANCE_LIFETIME',
      found: 'it is shorter than proxies can renew',
      fix: `use at least ${shortestLifetimeMs / 1000}s`,
    });
  }
  return problems;
};
