import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '@gatehouse/testing/started-admin';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { aCa } from '../../../testing/ca-builder.ts';
import { type Started, started } from '../../../testing/started-identity.ts';

describe('the REST API of identity', () => {
  it('hands out the trust bundle in PEM, and in JSON where that is asked for', async (test) => {
    const { service, state, adminToken: token } = await started(test);
    const pem = await ask(`${service.admin}/v1/trust-bundle`, { token });
    assert.equal(pem.headers.get('content-type'), 'application/pem-certificate-chain');
    assert.equal(pem.text, await readFile(state.trustAnchors, 'utf8'));
    const { json } = await ask(`${service.admin}/v1/trust-bundle`, {
      token,
      headers: { accept: 'application/json' },
    });
    assert.equal(json.certificates.length, 1);
    assert.equal(json.certificates[0].subject, 'CN=root.cluster.local');
    assert.equal(json.certificates[0].pem, pem.text);
  });

  it('hands out a SPIFFE bundle whose sequence rises with the bundle and survives a restart', async (test) => {
    const issuerDir = await temporaryFolder(test);
    const root = await aCa();
    const issuer = await aCa({ parent: root });
    const next = await aCa({ name: 'next', key: 'RSA' });
    await writeFile(join(issuerDir, 'tls.crt'), issuer.pem);
    await writeFile(join(issuerDir, 'tls.key'), issuer.keyPem);
    await writeFile(join(issuerDir, 'ca.crt'), root.pem);
    const env = { GATEHOUSE_ISSUER_DIR: issuerDir };
    const bundleOf = async ({ service, adminToken: token }: Started, headers = {}) =>
      ask(`${service.admin}/v1/trust-bundle${'accept' in headers ? '' : '?format=spiffe'}`, {
        token,
        headers,
      });
    const first = await bundleOf(await started(test, env), { accept: 'application/jwk-set+json' });
    assert.match(first.headers.get('content-type') ?? '', /^application\/jwk-set\+json/);
    assert.equal(first.headers.get('vary'), 'accept');
    const { keys, spiffe_sequence, spiffe_refresh_hint } = first.json;
    const jwk = new X509Certificate(root.pem).publicKey.export({ format: 'jwk' });
    const x5c = [Buffer.from(root.der).toString('base64')];
    assert.deepEqual(keys, [{ use: 'x509-svid', ...jwk, x5c }]);
    assert.deepEqual([spiffe_sequence, spiffe_refresh_hint].map(Number.isSafeInteger), [true, true]);
    assert.equal((await bundleOf(await started(test, env))).json.spiffe_sequence, spiffe_sequence);
    await writeFile(join(issuerDir, 'ca.crt'), root.pem + next.pem);
    const { json } = await bundleOf(await started(test, env));
    assert.ok(json.spiffe_sequence > spiffe_sequence);
    assert.deepEqual(
      json.keys.map(({ kty }: { kty: string }) => kty),
      ['EC', 'RSA'],
    );
    assert.equal('d' in json.keys[1], false);
  });

  it('gives the trust bundle in the form that a client likes best, and as PEM when it does not say', async (test) => {
    const { service, adminToken: token } = await started(test);
    const [pem, json, jwks] = [
      'application/pem-certificate-chain',
      'application/json',
      'application/jwk-set+json',
    ] as const;
    const cases: readonly (readonly [string, string])[] = [
      ['*/*', pem],
      ['application/*', pem],
      ['application/json', json],
      ['Application/JSON', json],
      ['application/jwk-set+json', jwks],
      ['application/json, application/jwk-set+json;q=0.5', json],
      ['application/json;q=0.4, application/jwk-set+json;q=0.5', jwks],
      ['application/json, */*;q=0.1', json],
      ['application/pem-certificate-chain;q=0, */*', json],
      ['text/html, application/*;q=0.5, application/json;q=0.9', json],
      ['text/html', pem],
      ['application/json;q=nonsense', pem],
      ['', pem],
    ];
    assert.equal(cases.length, 13);
    for (const [accept, expected] of cases) {
      const answer = await ask(`${service.admin}/v1/trust-bundle`, { token, headers: { accept } });
      assert.equal(answer.headers.get('content-type')?.split(';')[0], expected, accept);
    }
  });

  it('tells who signs, for how long, and what was refused', async (test) => {
    const issuerDir = await temporaryFolder(test);
    const root = await aCa();
    const issuer = await aCa({ parent: root });
    await writeFile(join(issuerDir, 'tls.crt'), issuer.pem);
    await writeFile(join(issuerDir, 'tls.key'), root.keyPem);
    await writeFile(join(issuerDir, 'ca.crt'), root.pem);
    const bad = await started(test, { GATEHOUSE_ISSUER_DIR: issuerDir });
    const refused = (await ask(`${bad.service.admin}/v1/issuer`, { token: bad.adminToken })).json;
    assert.equal(refused.usable, false);
    assert.equal(refused.issuer, null);
    assert.match(refused.rejected.problems[0].found, /private key belongs to another/);
    assert.equal((await ask(`${bad.service.admin}/v1/trust-bundle`, { token: bad.adminToken })).status, 503);
    await writeFile(join(issuerDir, 'tls.key'), issuer.keyPem);
    const good = await started(test, { GATEHOUSE_ISSUER_DIR: issuerDir });
    const report = (await ask(`${good.service.admin}/v1/issuer`, { token: good.adminToken })).json;
    assert.equal(report.usable, true);
    assert.equal(report.rejected, null);
    assert.equal(report.issuer.subject, 'CN=issuer');
    assert.equal(report.issuer.key, 'P-256');
    assert.equal(report.issuer.algorithm, 'ecdsa-with-SHA256');
    assert.equal(report.issuer.anchor.subject, 'CN=root');
    assert.ok(report.issuer.lifeLeft > 0.9 && report.issuer.lifeLeft <= 1);
  });

  it('says in time what ends, which end counts, and what to do', async (test) => {
    const issuerDir = await temporaryFolder(test);
    const day = 86_400_000;
    const root = await aCa({ notBefore: Date.now() - 90 * day, notAfter: Date.now() + 10.5 * day });
    const times = { notBefore: Date.now() - 9 * day, notAfter: Date.now() + day / 2 };
    const issuer = await aCa({ parent: root, ...times });
    const old = await aCa({ name: 'old root', notAfter: Date.now() - 1_000 });
    await writeFile(join(issuerDir, 'tls.crt'), issuer.pem);
    await writeFile(join(issuerDir, 'tls.key'), issuer.keyPem);
    await writeFile(join(issuerDir, 'ca.crt'), root.pem + old.pem);
    const { service, adminToken: token } = await started(test, { GATEHOUSE_ISSUER_DIR: issuerDir });
    const report = (await ask(`${service.admin}/v1/issuer`, { token })).json;
    assert.equal(report.usable, true);
    const said = report.warnings.map(({ role, found, fix }: Record<string, string>) =>
      [role, found, fix].join('; ').replace(/20\d\d-\S+Z/g, '…'),
    );
    assert.deepEqual(said, [
      'issuer; issuer CN=issuer ends in 11 hours, at …: certificates are already cut to it; put a new tls.crt and tls.key into the issuer folder or Secret',
      "root; root CN=root ends in 10 days, at …: no issuer below it is accepted from then on, also by an identity that restarts, and the control plane's services cannot renew; rotate the root (docs/identity.md)",
      'other-root; root CN=old root expired at …: the issuer in use does not need it; take it out of the bundle once no certificate below it is left',
    ]);
    const health = (await ask(`${service.admin}/v1/health`, { token })).json;
    assert.equal(health.warnings.length, 3);
    const { text } = await ask(`${service.admin}/metrics`);
    assert.match(text, /gatehouse_identity_expiry_warnings\{[^}]*\} 3/);
    assert.match(text, /ca_life_left_ratio\{role="other-root",subject="CN=old root",[^}]*\} 0\n/);
    assert.match(text, /issuer_changes_total\{result="accepted"[^}]*\} 1/);
  });
});
