import { createHmac, sign } from 'node:crypto';
import {
  hmacWithPublicKey,
  signText,
  signToken,
  somePayload,
  type TokenSigner,
  tokenAudience,
  tokenIssuer,
  unsecured,
} from '../token-builder.ts';
import type { ExpectedAnswer } from './odd-requests/rows.ts';

/** The workload that the token is for, who signs in this cluster, and somebody who would like to. */
export interface TokenAsker {
  readonly namespace: string;
  readonly serviceAccount: { readonly name: string; readonly uid: string };
  readonly pod: { readonly name: string; readonly uid: string };
  readonly signer: TokenSigner;
  /** The cluster's other key, for another algorithm. */
  readonly secondSigner: TokenSigner;
  /** Has a key of its own under the name of the signer's. */
  readonly stranger: TokenSigner;
  /** Uid of a pod that existed under the same name, and of one that was deleted long ago. */
  readonly former: { readonly name: string; readonly uid: string };
  readonly deleted: { readonly name: string; readonly uid: string };
  readonly nowMs: number;
}

export interface OddToken {
  readonly title: string;
  readonly answer: ExpectedAnswer;
  readonly write: (asker: TokenAsker) => Uint8Array;
}

type Rows = Readonly<Record<string, readonly [ExpectedAnswer, (asker: TokenAsker) => Uint8Array]>>;
type Claims = Record<string, unknown>;

/** The payload of a good token of the asker, with `change` over it; undefined takes a claim away. */
export const payloadOf = (asker: TokenAsker, change: Claims = {}): Claims => {
  const { namespace, serviceAccount, pod, nowMs } = asker;
  return somePayload(nowMs, {
    sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
    'kubernetes.io': { namespace, pod, serviceaccount: serviceAccount },
    ...change,
  });
};

const kubernetes = (asker: TokenAsker, change: Claims): Claims => ({
  'kubernetes.io': {
    namespace: asker.namespace,
    pod: asker.pod,
    serviceaccount: asker.serviceAccount,
    ...change,
  },
});

const text = (value: string): Uint8Array => Buffer.from(value);
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const good = (asker: TokenAsker): string => Buffer.from(signToken(asker.signer, payloadOf(asker))).toString();
const partsOf = (asker: TokenAsker): [string, string, string] =>
  good(asker).split('.') as [string, string, string];

/** `alg` says what the token claims, the HMAC is made with some public text taken for a secret. */
const hmac = (asker: TokenAsker, alg: string, secret: string | Buffer): Uint8Array => {
  const input = `${part({ alg, kid: asker.signer.kid })}.${part(payloadOf(asker))}`;
  const digest = `sha${alg.slice(2)}`;
  return text(`${input}.${createHmac(digest, secret).update(input).digest('base64url')}`);
};

const claimRows = (
  answer: ExpectedAnswer,
  rows: Readonly<Record<string, (asker: TokenAsker) => Claims>>,
): Rows =>
  Object.fromEntries(
    Object.entries(rows).map(([title, change]) => [
      title,
      [answer, (asker: TokenAsker) => signToken(asker.signer, payloadOf(asker, change(asker)))] as const,
    ]),
  );

const headerRows = (
  answer: ExpectedAnswer,
  rows: Readonly<Record<string, (asker: TokenAsker) => Record<string, unknown>>>,
): Rows =>
  Object.fromEntries(
    Object.entries(rows).map(([title, header]) => [
      title,
      [answer, (asker: TokenAsker) => signToken(asker.signer, payloadOf(asker), header(asker))] as const,
    ]),
  );

const seconds = (asker: TokenAsker, later: number): number => Math.floor(asker.nowMs / 1000) + later;

/** Signed as it is: the JSON of a good token with something written into it, or over it. */
const written = (
  asker: TokenAsker,
  change: { readonly header?: (json: string) => string; readonly payload?: (json: string) => string },
): Uint8Array => {
  const same = (json: string): string => json;
  const { header = same, payload = same } = change;
  return signText(asker.signer, {
    header: header(JSON.stringify({ alg: asker.signer.alg, kid: asker.signer.kid })),
    payload: payload(JSON.stringify(payloadOf(asker))),
  });
};

const before = (json: string, more: string): string => `{${more},${json.slice(1)}`;
const behind = (json: string, more: string): string => `${json.slice(0, -1)},${more}}`;

/** RFC 7515 §4 and RFC 7519 §4: names are unique. The API server refuses such tokens too. */
const names: Rows = {
  'an algorithm twice, `none` first': [
    'invalid-argument',
    (asker) => written(asker, { header: (json) => before(json, '"alg":"none"') }),
  ],
  'a key id twice, the wrong one last': [
    'invalid-argument',
    (asker) => written(asker, { header: (json) => behind(json, `"kid":"${asker.secondSigner.kid}"`) }),
  ],
  'a key id twice, in another spelling': [
    'invalid-argument',
    (asker) => written(asker, { header: (json) => behind(json, `"k\\u0069d":"${asker.signer.kid}"`) }),
  ],
  'two subjects': [
    'invalid-argument',
    (asker) =>
      written(asker, { payload: (json) => before(json, '"sub":"system:serviceaccount:demo:admin"') }),
  ],
  'two audiences, ours last': [
    'invalid-argument',
    (asker) => written(asker, { payload: (json) => before(json, '"aud":["api"]') }),
  ],
  'two ends': [
    'invalid-argument',
    (asker) => written(asker, { payload: (json) => behind(json, `"exp":${seconds(asker, 9_999)}`) }),
  ],
  'two uids of its pod': [
    'invalid-argument',
    (asker) => written(asker, { payload: (json) => json.replace('"pod":{', '"pod":{"uid":"former",') }),
  ],
  'an end of 1e999': [
    'failed-precondition',
    (asker) => written(asker, { payload: (json) => json.replace(/"exp":\d+/, '"exp":1e999') }),
  ],
  'an end of four hundred digits': [
    'failed-precondition',
    (asker) => written(asker, { payload: (json) => json.replace(/"exp":\d+/, `"exp":${'9'.repeat(400)}`) }),
  ],
  'an end after the last day of Date': [
    'failed-precondition',
    (asker) => written(asker, { payload: (json) => json.replace(/"exp":\d+/, '"exp":8640000000001') }),
  ],
};

const algorithms: Rows = {
  'the other key of the cluster': ['certified', (asker) => signToken(asker.secondSigner, payloadOf(asker))],
  ...Object.fromEntries(
    ['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg) => [
      [
        `alg \`${alg}\` without signature`,
        [
          'failed-precondition',
          (asker: TokenAsker) => text(`${part({ alg, kid: asker.signer.kid })}.${part(payloadOf(asker))}.`),
        ] as const,
      ],
      [
        `alg \`${alg}\` with a good signature`,
        [
          'failed-precondition',
          (asker: TokenAsker) => signToken(asker.signer, payloadOf(asker), { alg }),
        ] as const,
      ],
    ]),
  ),
  'an unsecured token': ['failed-precondition', (asker) => unsecured(payloadOf(asker), asker.signer.kid)],
  'HS256 with the public key in PEM': [
    'failed-precondition',
    (asker) => hmacWithPublicKey(asker.signer, payloadOf(asker)),
  ],
  'HS512 with the public key in PEM': [
    'failed-precondition',
    (asker) => hmac(asker, 'HS512', asker.signer.publicKey.export({ type: 'spki', format: 'pem' })),
  ],
  'HS256 with the public key in DER': [
    'failed-precondition',
    (asker) => hmac(asker, 'HS256', asker.signer.publicKey.export({ type: 'spki', format: 'der' })),
  ],
  'HS256 with the public key as JWK': [
    'failed-precondition',
    (asker) => hmac(asker, 'HS256', JSON.stringify(asker.signer.jwk)),
  ],
  'HS256 with an empty secret': ['failed-precondition', (asker) => hmac(asker, 'HS256', '')],
  ...headerRows('failed-precondition', {
    'an algorithm of another curve': () => ({ alg: 'ES384' }),
    'the algorithm of RSA': () => ({ alg: 'RS256' }),
    'the algorithm PS256': () => ({ alg: 'PS256' }),
    'the algorithm EdDSA': () => ({ alg: 'EdDSA' }),
    'its algorithm in lower case': () => ({ alg: 'es256' }),
    'an unknown key id': () => ({ kid: 'nobody' }),
    'no key id': () => ({ kid: undefined }),
    'an empty key id': () => ({ kid: '' }),
    'a key id that is a path': () => ({ kid: '../../../../dev/null' }),
    'the key id `__proto__`': () => ({ kid: '__proto__' }),
    'the key id of the other key': (asker) => ({ kid: asker.secondSigner.kid }),
  }),
  ...headerRows('invalid-argument', {
    'a key id that is a number': () => ({ kid: 7 }),
    'a key id that is null': () => ({ kid: null }),
    'an algorithm that is a list': () => ({ alg: ['ES256'] }),
    'no algorithm': () => ({ alg: undefined }),
    'critical extensions': () => ({ crit: ['b64'], b64: true }),
    'an empty list of critical extensions': () => ({ crit: [] }),
  }),
  ...headerRows('certified', {
    'a header of another type': () => ({ typ: 'at+jwt' }),
    'a header with a URL of keys': () => ({ jku: 'http://127.0.0.1:1/keys' }),
  }),
  "a stranger's signature": ['failed-precondition', (asker) => signToken(asker.stranger, payloadOf(asker))],
  "a stranger's key in its header": [
    'failed-precondition',
    (asker) =>
      signToken(asker.stranger, payloadOf(asker), {
        jwk: asker.stranger.publicKey.export({ format: 'jwk' }),
      }),
  ],
  'a signature in DER': [
    'failed-precondition',
    (asker) => {
      const [head, body] = partsOf(asker);
      const seal = sign('sha256', text(`${head}.${body}`), asker.signer.key);
      return text(`${head}.${body}.${seal.toString('base64url')}`);
    },
  ],
  'a signature of zeros': [
    'failed-precondition',
    (asker) => {
      const [head, body] = partsOf(asker);
      return text(`${head}.${body}.${Buffer.alloc(64).toString('base64url')}`);
    },
  ],
  'a signature cut off': ['failed-precondition', (asker) => text(good(asker).slice(0, -4))],
};

const claims: Rows = {
  'nothing odd': ['certified', (asker) => signToken(asker.signer, payloadOf(asker))],
  ...claimRows('certified', {
    'several audiences': () => ({ aud: ['api', tokenAudience] }),
    'its audience as text': () => ({ aud: tokenAudience }),
    'a start 10 s from now': (asker) => ({ nbf: seconds(asker, 10) }),
    'an end in one second': (asker) => ({ exp: seconds(asker, 2) }),
    'no start but its issue': () => ({ nbf: undefined }),
    'a claim of its own': () => ({ admin: true }),
    'a claim of a node': (asker) => kubernetes(asker, { node: { name: 'n', uid: 'u' } }),
  }),
  ...claimRows('failed-precondition', {
    'another audience': () => ({ aud: ['https://kubernetes.default.svc'] }),
    'no audience': () => ({ aud: undefined }),
    'an empty list of audiences': () => ({ aud: [] }),
    'an audience in upper case': () => ({ aud: [tokenAudience.toUpperCase()] }),
    'an audience with a suffix': () => ({ aud: [`${tokenAudience}.evil`] }),
    'audiences in one text': () => ({ aud: `${tokenAudience},api` }),
    'an audience in a list in a list': () => ({ aud: [[tokenAudience]] }),
    'an audience that is an object': () => ({ aud: { [tokenAudience]: true } }),
    'an end an hour ago': (asker) => ({ exp: seconds(asker, -3_600) }),
    'an end now': (asker) => ({ exp: asker.nowMs / 1000 }),
    'no end': () => ({ exp: undefined }),
    'an end that is text': (asker) => ({ exp: `${seconds(asker, 3_600)}` }),
    'a negative end': () => ({ exp: -1 }),
    'an end that is null': () => ({ exp: null }),
    'a start in an hour': (asker) => ({ nbf: seconds(asker, 3_600) }),
    'a start in 30 s': (asker) => ({ nbf: seconds(asker, 30) }),
    'a start that is text': () => ({ nbf: '0' }),
    'another issuer': () => ({ iss: 'https://kubernetes.default.svc' }),
    'an issuer with a slash at its end': () => ({ iss: `${tokenIssuer}/` }),
    'no issuer': () => ({ iss: undefined }),
    'issuers in a list': () => ({ iss: [tokenIssuer] }),
    'the subject of another ServiceAccount': () => ({ sub: 'system:serviceaccount:kube-system:admin' }),
    'the subject of a user': () => ({ sub: 'system:admin' }),
    'no subject': () => ({ sub: undefined }),
    'no kubernetes.io': () => ({ 'kubernetes.io': undefined }),
    'kubernetes.io as text': () => ({ 'kubernetes.io': 'demo' }),
    'kubernetes.io as a list': () => ({ 'kubernetes.io': [] }),
    'no pod': (asker) => kubernetes(asker, { pod: undefined }),
    'a pod that is null': (asker) => kubernetes(asker, { pod: null }),
    'a pod without uid': (asker) => kubernetes(asker, { pod: { name: asker.pod.name } }),
    'a pod without name': (asker) => kubernetes(asker, { pod: { uid: asker.pod.uid } }),
    'a pod with an empty uid': (asker) => kubernetes(asker, { pod: { ...asker.pod, uid: '' } }),
    'a pod with a list of uids': (asker) =>
      kubernetes(asker, { pod: { ...asker.pod, uid: [asker.pod.uid] } }),
    'the pod that had its name before': (asker) => kubernetes(asker, { pod: asker.former }),
    'a deleted pod': (asker) => kubernetes(asker, { pod: asker.deleted }),
    'a pod of another name': (asker) => kubernetes(asker, { pod: { ...asker.pod, name: 'other' } }),
    'a pod of another namespace': (asker) => ({
      sub: `system:serviceaccount:prod:${asker.serviceAccount.name}`,
      ...kubernetes(asker, { namespace: 'prod' }),
    }),
    'a ServiceAccount that had its name before': (asker) =>
      kubernetes(asker, { serviceaccount: { ...asker.serviceAccount, uid: 'former' } }),
    'a ServiceAccount without uid': (asker) =>
      kubernetes(asker, { serviceaccount: { name: asker.serviceAccount.name } }),
    'a ServiceAccount that its pod does not run as': (asker) => ({
      sub: `system:serviceaccount:${asker.namespace}:admin`,
      ...kubernetes(asker, { serviceaccount: { name: 'admin', uid: 'uid-of-admin' } }),
    }),
    'a namespace that is a number': (asker) => kubernetes(asker, { namespace: 7 }),
  }),
  ...Object.fromEntries(
    (['null', 'a list', 'text', 'a number'] as const).map((title, index) => [
      `a payload that is ${title}`,
      [
        'failed-precondition',
        (asker: TokenAsker) => signToken(asker.signer, [null, [], 'text', 7][index]),
      ] as const,
    ]),
  ),
};

const forms: Rows = {
  'a line break at its end': ['certified', (asker) => text(`${good(asker)}\n`)],
  'two line breaks of Windows at its end': ['certified', (asker) => text(`${good(asker)}\r\n\r\n`)],
  ...Object.fromEntries(
    Object.entries({
      'a line break before it': (token: string) => `\n${token}`,
      'a line break inside': (token: string) => token.replace('.', '.\n'),
      'a blank at its end': (token: string) => `${token} `,
      'a NUL at its end': (token: string) => `${token}\0`,
      'quotes around it': (token: string) => `"${token}"`,
      'Bearer before it': (token: string) => `Bearer ${token}`,
      'a byte order mark before it': (token: string) => `\ufeff${token}`,
      'padding at its end': (token: string) => `${token}==`,
      'padding in its payload': (token: string) => token.replace(/\.(?=[^.]*$)/, '=.'),
      'a fourth part': (token: string) => `${token}.`,
      'a part more before it': (token: string) => `.${token}`,
      'no dots': (token: string) => token.replaceAll('.', ''),
      'one dot': (token: string) => token.slice(0, token.lastIndexOf('.')),
      'only dots': () => '..',
      'the five parts of JWE': (token: string) => `${token}.${token.slice(0, token.lastIndexOf('.'))}`,
      'letters beyond ASCII': (token: string) => token.replace('e', 'é'),
      'full-width letters': (token: string) => token.replace('e', 'ｅ'),
      'a text without sense': () => 'a.b.c',
      'its parts as JSON (RFC 7515 §7.2)': (token: string) => {
        const [head = '', payload = '', signature = ''] = token.split('.');
        return JSON.stringify({ protected: head, payload, signature });
      },
      'a header that is not JSON': (token: string) => token.replace(/^[^.]*/, 'e30x'),
      'a header that is null': (token: string) => token.replace(/^[^.]*/, part(null)),
      'a header that is a list': (token: string) => token.replace(/^[^.]*/, part([])),
    }).map(([title, change]) => [
      title,
      ['invalid-argument', (asker: TokenAsker) => text(change(good(asker)))] as const,
    ]),
  ),
  'another payload under its signature': [
    'failed-precondition',
    (asker) => {
      const [head, , seal] = partsOf(asker);
      return text(`${head}.${part(payloadOf(asker, { exp: seconds(asker, 999_999) }))}.${seal}`);
    },
  ],
  'another header over its signature': [
    'failed-precondition',
    (asker) => {
      const [, body, seal] = partsOf(asker);
      return text(`${part({ kid: asker.signer.kid, alg: asker.signer.alg })}.${body}.${seal}`);
    },
  ],
  // The last letter of 64 bytes in base64url has four bits to spare: the same signature, so the same proof.
  'the spare bits of its signature set': [
    'certified',
    (asker) => {
      const token = good(asker);
      const last = alphabet.indexOf(token.slice(-1));
      return text(`${token.slice(0, -1)}${alphabet[last | 0x0f]}`);
    },
  ],
};

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Tokens that an attacker or a mishap could send beside a good request, with the one answer that Certify may give. */
export const oddTokens: readonly OddToken[] = Object.entries({
  ...claims,
  ...names,
  ...algorithms,
  ...forms,
}).map(([title, [answer, write]]) => ({ title, answer, write }));
