/**
 * Takes out of a text what would let its reader act as another: JSON Web Tokens and PEM private keys, known by
 * their looks. The text may be a stranger's, so each character is looked at a bounded number of times.
 */
export const withoutSecrets = (text: string): string => withoutPrivateKeys(withoutTokens(text));

export const censored = '[secret]';

/** Fields that hold a secret of any form, known by their name alone, in lower case. */
export const secretFields: ReadonlySet<string> = new Set([
  'token',
  'bearertoken',
  'admintoken',
  'authorization',
  'password',
  'secret',
  'privatekey',
  'd',
]);

/** What a token can be made of: base64url and the dots between its parts. Such runs do not overlap. */
const run = /[\w.-]+/g;

/** Header and claims are base64url of texts that begin with `{"`. */
const jsonObject = 'eyJ';

const withoutTokens = (text: string): string =>
  text.includes(jsonObject)
    ? text.replace(run, (found) => (found.includes(jsonObject) ? censorRun(found) : found))
    : text;

/** A token is three parts of a run: header, claims and signature, of which only the last may be empty. */
const censorRun = (text: string): string => {
  const parts = text.split('.');
  const clean: string[] = [];
  for (let index = 0; index < parts.length; index += 1) {
    const [part = '', next = ''] = parts.slice(index, index + 2);
    // Something may stand before the header without a separator, such as the `n` of an escaped line feed.
    const start = part.indexOf(jsonObject);
    if (start < 0 || !next.startsWith(jsonObject) || index + 2 >= parts.length) {
      clean.push(part);
      continue;
    }
    clean.push(part.slice(0, start) + censored);
    index += 2;
  }
  return clean.join('.');
};

const begin = '-----BEGIN ';
const end = '-----END ';
/** What may follow `BEGIN` and `END`: `EC PRIVATE KEY-----`, and no longer than any there is. */
const keyLabel = /^[A-Z0-9 ]{0,40}PRIVATE KEY-----/;
const longestLabel = 60;

/** From the beginning of each key to its end, or to the end of a text that was cut within it. */
const withoutPrivateKeys = (text: string): string => {
  let clean = '';
  let copied = 0;
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at + begin.length)) {
    if (at < copied || !isKeyLabel(text, at + begin.length)) continue;
    clean += text.slice(copied, at) + censored;
    copied = endOfKey(text, at + begin.length);
  }
  return clean + text.slice(copied);
};

const isKeyLabel = (text: string, at: number): boolean => keyLabel.test(text.slice(at, at + longestLabel));

const endOfKey = (text: string, from: number): number => {
  for (let at = text.indexOf(end, from); at >= 0; at = text.indexOf(end, at + end.length)) {
    if (!isKeyLabel(text, at + end.length)) continue;
    return text.indexOf('-----', at + end.length) + '-----'.length;
  }
  return text.length;
};
