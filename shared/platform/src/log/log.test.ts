import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { createLog, type LogOptions } from './log.ts';

const logged = (options: Partial<LogOptions>, say: (log: ReturnType<typeof createLog>) => void): string => {
  let text = '';
  const to = {
    write: (line: string) => {
      text += line;
    },
  };
  say(createLog({ service: 'policy', level: 'info', format: undefined, to, ...options }));
  return text;
};

test('a line is one JSON object with time, level, service, the fields and the sentence', () => {
  const text = logged({}, (log) => log.child({ part: 'watch' }).warn({ pod: 'demo/a' }, 'no address'));
  const { time, ...line } = JSON.parse(text);
  assert.deepEqual(line, {
    level: 'warn',
    service: 'policy',
    part: 'watch',
    pod: 'demo/a',
    msg: 'no address',
  });
  assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.ok(text.endsWith('}\n'));
});

test('lines below the level are not written', () => {
  assert.equal(
    logged({ level: 'warn' }, (log) => log.info('hidden')),
    '',
  );
});

test('pretty lines name service and part and stay on one line', () => {
  const text = logged({ format: 'pretty' }, (log) =>
    log.child({ part: 'watch' }).info({ pod: 'demo/a' }, 'seen'),
  );
  assert.match(text, /^\[[\d:.]+\] INFO: policy\/watch: seen \{"pod":"demo\/a"\}\n$/);
  const err = new GatehouseError('unavailable', 'no connection');
  assert.match(
    logged({ format: 'pretty' }, (log) => log.warn({ err }, 'later')),
    /^\[.+\] WARN: policy: later \{"err":\{"code":"unavailable","message":"no connection"\}\}\n$/,
  );
});

test('tokens and private keys never reach the log, whatever the field or the sentence they stand in', () => {
  const jwt = `${btoa('{"alg":"ES256"}')}.${btoa('{"sub":"x"}')}.c2lnbmF0dXJl`.replaceAll('=', '');
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  const body = pem.split('\n')[1] ?? '';
  const sayings: readonly ((log: ReturnType<typeof createLog>) => void)[] = [
    (log) => log.info({ request: { headers: { authorization: 'Bearer sesame' } } }, 'called'),
    (log) => log.info({ token: 'sesame "quoted"' }, 'called'),
    (log) => log.info({ jwk: { kty: 'EC', x: 'open', d: 'sesame' } }, 'loaded'),
    (log) => log.info(`review of ${jwt} failed`),
    (log) => log.error({ err: new Error(`cannot parse ${pem}`) }, 'no key'),
    (log) => log.info({ file: pem }, 'read'),
    (log) => log.info({ file: pem.slice(0, 90) }, 'cut short'),
  ];
  for (const format of ['json', 'pretty'] as const) {
    for (const say of sayings) {
      const text = logged({ format }, say);
      assert.match(text, /\[secret\]/);
      for (const secret of ['sesame', jwt, body]) assert.ok(!text.includes(secret), text);
    }
  }
  assert.equal(sayings.length, 7);
});

test('a foreseen error is its sentence, said once and without a stack; a fault of ours keeps its stack', () => {
  const refused = new Error('connect ECONNREFUSED 127.0.0.1:1');
  const unavailable = (message: string, details = {}) =>
    new GatehouseError('unavailable', message, { cause: refused, details });
  const cases: readonly (readonly [Error, Readonly<Record<string, unknown>>])[] = [
    [
      unavailable(`no connection: ${refused.message}`),
      { code: 'unavailable', message: 'no connection: connect ECONNREFUSED 127.0.0.1:1' },
    ],
    [
      unavailable('the connection was lost', { attempt: 2 }),
      {
        code: 'unavailable',
        message: 'the connection was lost: connect ECONNREFUSED 127.0.0.1:1',
        details: { attempt: 2 },
      },
    ],
  ];
  for (const [err, expected] of cases) {
    assert.deepEqual(JSON.parse(logged({}, (log) => log.warn({ err }, 'said'))).err, expected);
  }
  assert.equal(cases.length, 2);
  for (const err of [new TypeError('x is undefined'), new GatehouseError('internal', 'internal error')]) {
    assert.match(JSON.parse(logged({}, (log) => log.error({ err }, 'said'))).err.stack, /log\.test\.ts/);
  }
});

test('what merely resembles a secret is left alone', () => {
  const fields = { key: 'demo/backend', tokens: 3, identity: 'default.demo.serviceaccount.identity.x' };
  const text = logged({}, (log) => log.info(fields, 'the token is fine'));
  assert.ok(!text.includes('[secret]'));
});
