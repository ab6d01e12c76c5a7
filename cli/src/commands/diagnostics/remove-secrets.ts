import { censored, withoutSecrets } from '@gatehouse/platform/log/log-secrets';

/** What is no business of a reader of a bug report, wherever it stands in a text. */
const patterns: readonly (readonly [what: string, pattern: RegExp, replacement?: string])[] = [
  // To its end, or to the end of the text where that was cut off; line feeds may be escaped.
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g],
  // PKCS#8 and SEC 1 without their frame, as Secrets hold them: base64 of the first bytes of each sort of key.
  [
    'a private key',
    /\b(?:MIGHAgEA|MIG2AgEA|MC4CAQAw|MHcCAQEE|MIGkAgEB|MI[IG][A-Za-z0-9+/]{1,3}(?:gEAA|IBAD|AgEA))[A-Za-z0-9+/_-]{20,}={0,2}/g,
  ],
  // The same once more in base64, as `data` of a Secret has PEM.
  [
    'a private key',
    /\bLS0tLS1CRUdJTi[A-Za-z0-9+/]*(?:UFJJVkFURSBLRVkt|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW)[A-Za-z0-9+/]*={0,2}/g,
  ],
  ['a private key', /(?<="(?:d|p|q|dp|dq|qi|k)"\s*:\s*")[A-Za-z0-9_-]{16,}(?=")/g],
  ['a token', /(?<=\b[Bb]earer\s{1,9})[\w~+/.-]{8,}=*/g],
  ['a password', /(?<=:\/\/)[^\s/@:]+:[^\s/@]+(?=@)/g],
];

/** Shorter than this a text would be found by chance. */
const shortest = 8;

/** The text without keys, tokens and passwords, and without those that are `known`; what was there is said in their place. */
export const removeSecrets = (text: string, known: readonly string[] = []): string => {
  const cleaned = known
    .filter((secret) => secret.length >= shortest)
    .reduce((rest, secret) => rest.replaceAll(secret, removed('a secret')), text);
  const withoutKeys = patterns.reduce(
    (rest, [what, pattern]) => rest.replace(pattern, removed(what)),
    cleaned,
  );
  // What is left of what the log leaves out are JSON Web Tokens.
  return withoutSecrets(withoutKeys).replaceAll(censored, removed('a token'));
};

export const removed = (what: string): string => `[removed: ${what}]`;

/** Settings whose values are secrets, whatever they look like. */
const secretName = /(?:TOKEN|PASSWORD|PASSPHRASE|SECRET|KEY|CREDENTIALS?)$/;

/** The settings of an environment that concern us; values that may be secret are left out. */
export const tellSettings = (
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(env)
      .filter(
        ([name, value]) => value !== undefined && /^(?:GATEHOUSE_|KUBECONFIG$|NODE_OPTIONS$)/.test(name),
      )
      .map(
        ([name, value = '']) =>
          [name, secretName.test(name) ? removed('a secret') : removeSecrets(value)] as const,
      )
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
