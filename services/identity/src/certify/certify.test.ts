import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { parseDer } from '@gatehouse/core/der/parse-der';
import { GatehouseError } from '@gatehouse/core/error';
import { type Identity, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { makeCsr } from '@gatehouse/platform/tls/csr';
import { aDesk, aLog, type Completed, dayS, frontend } from '../../testing/a-certify-desk.ts';
import { activeIssuer } from '../../testing/active-issuer.ts';
import { aCa, verifyWithPeculiar } from '../../testing/ca-builder.ts';
import { aKey, aName, anIdentity, spkiOf } from '../../testing/csr-builder.ts';
import { sha256 } from '../ports/issuer/x509.ts';
import { CertifyQueue } from './certify-queue.ts';
import type { RecordedLeaf } from './recorded-leaf.ts';

describe('Certify', () => {
  for (const key of ['P-256', 'P-384', 'RSA'] as const) {
    describe(`under an issuer of ${key}`, () => {
      const issueOne = async () => {
        const root = await aCa({ key: 'P-384', notAfter: Date.now() + 100 * dayS * 1000 });
        const issuer = await aCa({ key, parent: root });
        const desk = await aDesk({ issuer: () => activeIssuer(issuer) });
        return { root, issuer, certified: await desk.certify() };
      };

      it('gives what Node reads as the profile says', async () => {
        const { certified, issuer } = await issueOne();
        const leaf = new X509Certificate(certified.leaf);
        assert.equal(leaf.subject, undefined);
        assert.equal(leaf.subjectAltName, `DNS:${aName}`);
        assert.equal(leaf.ca, false);
        assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
        assert.match(leaf.serialNumber, /^[4-7][0-9A-F]{31}$/);
        assert.deepEqual(leaf.publicKey.export({ format: 'der', type: 'spki' }), spkiOf(aKey));
        assert.equal(leaf.verify(new X509Certificate(issuer.der).publicKey), true);
        assert.equal(leaf.checkIssued(new X509Certificate(issuer.der)), true);
        assert.equal(leaf.validToDate.getTime() / 1000, certified.validUntil);
        assert.equal((leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / 1000, dayS + 40);
      });

      it('gives what @peculiar/x509 verifies and reads alike', async () => {
        const { certified, issuer } = await issueOne();
        assert.deepEqual(await verifyWithPeculiar(certified.leaf, issuer), {
          verified: true,
          subject: '',
          issuer: 'CN=issuer',
          extensions: {
            '2.5.29.15': { critical: true, value: 'digitalSignature' },
            '2.5.29.37': { critical: false, value: '1.3.6.1.5.5.7.3.1,1.3.6.1.5.5.7.3.2' },
            '2.5.29.19': { critical: true, value: 'CA:FALSE' },
            '2.5.29.35': { critical: false, value: 'key of the issuer' },
            '2.5.29.14': { critical: false, value: 'key of the leaf' },
            '2.5.29.17': { critical: true, value: `dns:${aName}` },
          },
        });
      });
    });
  }

  it('sends the chain as it is kept, and says until when the leaf is valid', async () => {
    const { certify: ask, issuer } = await aDesk();
    const { intermediates, validUntil } = await ask();
    assert.deepEqual(intermediates, [issuer.der]);
    assert.ok(validUntil > Date.now() / 1000 + dayS);
  });

  it('records before it signs, and then what it signed', async () => {
    const held = Promise.withResolvers<void>();
    const records: Completed[] = [];
    const log = aLog(records);
    const issuer = activeIssuer(await aCa());
    let signed = 0;
    const desk = await aDesk({
      issuer: () => ({
        ...issuer,
        sign: (leaf) => {
          signed += 1;
          return issuer.sign(leaf);
        },
      }),
      log: {
        ...log,
        intend: (intent) => {
          log.intend(intent);
          return held.promise;
        },
      },
    });
    const answer = desk.certify();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(records.length, 1);
    assert.equal(signed, 0);
    held.resolve();
    const { leaf, validUntil } = await answer;
    assert.equal(signed, 1);
    const certificate = new X509Certificate(leaf);
    const [record] = records;
    assert.deepEqual(record, {
      identity: anIdentity,
      pod: { namespace: 'demo', name: 'frontend-0', uid: 'p1' },
      serial: certificate.serialNumber.toLowerCase(),
      spkiSha256: sha256(spkiOf(aKey)).toHex(),
      tbsSha256: sha256(tbsOf(leaf)).toHex(),
      leafSha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      issuedAt: record?.issuedAt,
      notBefore: certificate.validFromDate.getTime() / 1000,
      notAfter: validUntil,
    });
  });

  it('signs nothing that it cannot record, whether the log says so at once or later', async () => {
    const unavailable = new GatehouseError('unavailable', 'the disk is full');
    const fail = (): never => {
      throw unavailable;
    };
    const issuer = activeIssuer(await aCa());
    const sign = (): never => assert.fail('it was signed');
    for (const intend of [fail, async () => fail()]) {
      const desk = await aDesk({ issuer: () => ({ ...issuer, sign }), log: { intend, complete: fail } });
      await assert.rejects(desk.certify(), unavailable);
    }
  });

  it('signs nothing for who went away while it was recorded', async () => {
    const gone = new AbortController();
    const issuer = activeIssuer(await aCa());
    const sign = (): never => assert.fail('it was signed');
    const desk = await aDesk({
      issuer: () => ({ ...issuer, sign }),
      queue: new CertifyQueue({ maxBytes: 1_048_576, now: () => performance.now() }),
      log: { intend: async () => gone.abort(), complete: () => assert.fail('there is nothing to complete') },
    });
    await assert.rejects(desk.certify({}, gone.signal), { code: 'cancelled' });
  });

  it('signs with one record once', async () => {
    const issuer = activeIssuer(await aCa());
    const spent: RecordedLeaf[] = [];
    const desk = await aDesk({
      issuer: () => ({
        ...issuer,
        sign: (leaf) => {
          spent.push(leaf);
          return issuer.sign(leaf);
        },
      }),
    });
    await desk.certify();
    const [leaf] = spent;
    assert.ok(leaf);
    assert.throws(() => issuer.sign(leaf), { code: 'internal', message: /signed once/ });
  });

  it('takes the request of our own writer', async () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const { certify: ask } = await aDesk();
    const { leaf } = await ask({ certificateSigningRequest: makeCsr(key, aName) });
    assert.equal(new X509Certificate(leaf).checkPrivateKey(key), true);
  });

  it('takes a token whose file ends in a line break, and no other change of it', async () => {
    const desk = await aDesk();
    for (const end of ['\n', '\r\n']) await desk.certify({ token: Buffer.from(`token${end}`) });
    for (const token of ['\ntoken', 'to\nken', 'token ']) {
      await assert.rejects(desk.certify({ token: Buffer.from(token) }), { code: 'failed-precondition' });
    }
    assert.equal(desk.recorded.length, 2);
  });

  it('certifies a ServiceAccount whose name has dots', async () => {
    const dotted = { ...frontend, serviceAccount: 'a.b.c' };
    const { certify: ask } = await aDesk({ reviewer: { review: () => dotted } });
    const identity = 'a.b.c.demo.serviceaccount.identity.gatehouse.cluster.local';
    const { leaf } = await ask({ identity, certificateSigningRequest: makeCsr(aKey, identity) });
    assert.equal(new X509Certificate(leaf).subjectAltName, `DNS:${identity}`);
  });

  it('certifies names of the greatest length', async () => {
    const serviceAccount = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}`;
    const long = { ...frontend, serviceAccount, namespace: 'd'.repeat(13) };
    const { certify: ask } = await aDesk({ reviewer: { review: () => long } });
    const identity = `${serviceAccount}.${long.namespace}.serviceaccount.identity.gatehouse.cluster.local`;
    assert.equal(identity.length, 253);
    const { leaf } = await ask({ identity, certificateSigningRequest: makeCsr(aKey, identity) });
    assert.equal(new X509Certificate(leaf).subjectAltName, `DNS:${identity}`);
    const longer = `x${identity}`;
    await assert.rejects(ask({ identity: longer, certificateSigningRequest: makeCsr(aKey, longer) }), {
      code: 'invalid-argument',
    });
  });

  it('draws a new serial for each leaf', async () => {
    const { certify: ask, recorded } = await aDesk();
    for (let count = 0; count < 50; count += 1) await ask();
    assert.equal(new Set(recorded.map(({ serial }) => serial)).size, 50);
  });

  it('ends a leaf with its issuer', async () => {
    const root = await aCa({ notAfter: Date.now() + 100 * dayS * 1000 });
    const issuer = await aCa({ parent: root, notAfter: Date.now() + 3_600_000 });
    const { certify: ask } = await aDesk({ issuer: () => activeIssuer(issuer) });
    const { leaf, validUntil } = await ask();
    const end = new X509Certificate(issuer.der).validToDate;
    assert.deepEqual(new X509Certificate(leaf).validToDate, end);
    assert.equal(validUntil, end.getTime() / 1000);
  });

  it('signs with the issuer of the moment in which it signs', async () => {
    const [old, fresh] = [await aCa({ name: 'old' }), await aCa({ name: 'fresh' })];
    let active = activeIssuer(old);
    const desk = await aDesk({
      issuer: () => active,
      reviewer: {
        review: async () => {
          active = activeIssuer(fresh);
          return frontend;
        },
      },
    });
    assert.equal(new X509Certificate((await desk.certify()).leaf).issuer, 'CN=fresh');
  });

  it('issues nothing for who went away while his token was reviewed', async () => {
    const gone = new AbortController();
    const desk = await aDesk({
      reviewer: {
        review: async () => {
          gone.abort();
          return frontend;
        },
      },
    });
    await assert.rejects(desk.certify({}, gone.signal), { code: 'cancelled' });
    assert.deepEqual(desk.recorded, []);
  });

  it("refuses a name that the issuer's name constraints forbid, and signs nothing", async () => {
    const desk = await aDesk();
    const narrow = {
      ...activeIssuer(desk.issuer),
      permits: (identity: Identity) => printIdentity(identity) !== aName,
    };
    const { certify: ask, recorded } = await aDesk({ issuer: () => narrow });
    await assert.rejects(ask(), {
      code: 'failed-precondition',
      message: /name constraints do not permit default\.demo\./,
    });
    assert.equal(recorded.length, 0);
  });

  it('has no answer while there is no issuer, not even to bad requests', async () => {
    const { certify: ask } = await aDesk({ issuer: () => undefined });
    await assert.rejects(ask(), { code: 'unavailable' });
    await assert.rejects(ask({ identity: '' }), { code: 'unavailable' });
  });

  it('has no answer when the issuer is gone by the time of signing', async () => {
    let asked = 0;
    const issuer = activeIssuer(await aCa());
    const { certify: ask, recorded } = await aDesk({ issuer: () => (asked++ === 0 ? issuer : undefined) });
    await assert.rejects(ask(), { code: 'unavailable' });
    assert.deepEqual(recorded, []);
  });

  it('signs nothing that breaks a rule, and does not tell the caller which', async () => {
    const good = activeIssuer(await aCa());
    const { keyId, ...issuer } = good.template.issuer;
    const spoilt = { ...good.template, issuer: { ...issuer, keyId: keyId.with(0, 0) } };
    const sign = (): never => assert.fail('it was signed');
    const { certify: ask, recorded } = await aDesk({ issuer: () => ({ ...good, template: spoilt, sign }) });
    await assert.rejects(ask(), {
      code: 'internal',
      message: 'the certificate would break a rule and was not signed',
    });
    assert.deepEqual(recorded, []);
  });
});

/** The first member of Certificate (RFC 5280 §4.1). */
const tbsOf = (leaf: Uint8Array): Uint8Array => {
  const outer = parseDer(leaf);
  assert.ok(outer.ok);
  const [tbs] = outer.value.children;
  assert.ok(tbs);
  return tbs.bytes;
};
