/**
 * Takes out of a log line what would let its reader act as somebody else. Known by their looks, wherever they stand,
 * are JSON Web Tokens and PEM private keys; known by their name are fields that hold a secret of any form.
 */
export const withoutSecrets = (line: string): string =>
  line.replace(webToken, censored).replace(privateKey, censored).replace(secretField, `"$1":"${censored}"`);

const censored = '[secret]';

// Header, claims, signature; the first two are base64url of texts that begin with `{"`.
const webToken = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*/g;

const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?=\\?"))/gs;

const secretField =
  /"(token|bearerToken|adminToken|authorization|password|secret|privateKey|d)":"(?:[^"\\]|\\.)*"/gi;
