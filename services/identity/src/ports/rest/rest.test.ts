import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '@gatehouse/testing/started-admin';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { aName } from '../../../testing/csr-builder.ts';
import { pod, ready, type Started, started } from '../../../testing/started-identity.ts';
import { sha256 } from '../issuer/x509.ts';

describe('the REST API of identity', () => {
  it('is closed without the token of the state directory', async (test) => {
    const { service } = await started(test);
    for (const path of [
      '/v1/trust-bundle',
      '/v1/issuer',
      '/v1/certificates',
      '/v1/health',
      '/v1/openapi.json',
    ]) {
      assert.equal((await ask(service.admin + path)).status, 401, path);
      assert.equal((await ask(service.admin + path, { token: 'wrong' })).status, 401, path);
    }
  });

  it('tells what was issued, newest first, by identity, pod and serial, page by page', async (test) => {
    const identity = await started(test, { GATEHOUSE_GRPC_TLS: 'auto' });
    const { service, adminToken: token } = identity;
    for (let count = 0; count < 3; count += 1) await identity.certify();
    const list = async (query: string) =>
      (await ask(`${service.admin}/v1/certificates${query}`, { token })).json;
    const { items } = await list('');
    assert.equal(items.length, 3);
    assert.deepEqual(
      items.map((item: { issuedAt: string }) => item.issuedAt),
      items
        .map((item: { issuedAt: string }) => item.issuedAt)
        .toSorted()
        .toReversed(),
    );
    const [newest] = items;
    assert.equal(newest.identity, aName);
    assert.deepEqual(newest.pod, { namespace: 'demo', name: 'frontend-0', uid: pod.meta.uid });
    assert.deepEqual((await list(`?serial=${newest.serial}`)).items, [newest]);
    assert.equal((await list(`?identity=${aName}&pod=demo/frontend-0`)).items.length, 3);
    assert.equal((await list(`?pod=${pod.meta.uid}`)).items.length, 3);
    assert.equal((await list('?namespace=demo&pod=frontend-0&active=true')).items.length, 3);
    assert.deepEqual((await list(`?identity=x${aName}`)).items, []);
    assert.deepEqual((await list('?active=false')).items, []);
    assert.deepEqual((await list(`?since=${newest.issuedAt}`)).items[0], newest);
    assert.deepEqual((await list(`?until=${items.at(-1).issuedAt}`)).items, []);
    assert.deepEqual((await list(`?serial=${newest.serial.toUpperCase()}`)).items, [newest]);
    const first = await list('?limit=2');
    const second = await list(`?limit=2&continue=${first.continue}`);
    assert.deepEqual([...first.items, ...second.items], items);
    assert.equal(second.continue, undefined);
  });

  it('says each certificate once while new ones are issued between the pages', async (test) => {
    const identity = await started(test, { GATEHOUSE_GRPC_TLS: 'auto' });
    const { service, adminToken: token } = identity;
    const page = async (query: string) =>
      (await ask(`${service.admin}/v1/certificates?limit=2${query}`, { token })).json;
    for (let count = 0; count < 5; count += 1) await identity.certify();
    const before: { items: { serial: string }[] } = (
      await ask(`${service.admin}/v1/certificates?limit=1000`, { token })
    ).json;
    const seen: string[] = [];
    for (let mark: string | undefined = ''; mark !== undefined; ) {
      const { items, continue: next } = await page(mark === '' ? '' : `&continue=${mark}`);
      seen.push(...items.map(({ serial }: { serial: string }) => serial));
      await identity.certify();
      mark = next;
    }
    assert.deepEqual(
      seen,
      before.items.map(({ serial }) => serial),
    );
  });

  it('tells of a pod that goes on with an older key than its newest, and of no other', async (test) => {
    const identity = await started(test, { GATEHOUSE_GRPC_TLS: 'auto' });
    const { service, adminToken: token } = identity;
    const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const [old, fresh] = [newKey(), newKey()];
    for (const key of [old, old, fresh, old, fresh]) await identity.certify({ key });
    const list = async (query: string) =>
      (await ask(`${service.admin}/v1/certificates${query}`, { token })).json.items;
    const keyOf = (key: KeyObject): string =>
      sha256(createPublicKey(key).export({ format: 'der', type: 'spki' })).toHex();
    const [only, ...others] = await list('?suspicious=true');
    assert.deepEqual(others, []);
    assert.equal(only.spkiSha256, keyOf(old));
    const since = (await list('')).filter((item: { spkiSha256: string }) => item.spkiSha256 === keyOf(fresh));
    assert.deepEqual(only.suspicious, { newerSpkiSha256: keyOf(fresh), newerSince: since.at(-1).issuedAt });
    assert.equal((await list('?suspicious=false')).length, 4);
    const { text } = await ask(`${service.admin}/metrics`);
    assert.match(text, /gatehouse_identity_older_keys_total\{service="identity"\} 1/);
  });

  it('tells how the issuance log is, with a file and without', async (test) => {
    const report = async ({ service, adminToken: token }: Started) =>
      (await ask(`${service.admin}/v1/issuance-log`, { token })).json;
    const rest = { writable: true, failure: null, damagedLines: 0, firstDamageAt: null };
    const memory = await started(test);
    const { since, ...told } = await report(memory);
    assert.deepEqual(told, { file: null, bytes: 0, ...rest });
    assert.ok(Date.parse(since) <= Date.now(), 'since when it remembers');
    const file = join(await temporaryFolder(test), 'issuance.log');
    const identity = await started(test, { GATEHOUSE_ISSUANCE_LOG: file });
    await ready(identity);
    assert.equal((await report(identity)).writable, true);
    await identity.service.stop('the file is changed');
    // Its own leaf is in it.
    const text = await readFile(file, 'utf8');
    assert.match(text, /"kind":"intent".*"identity":"gatehouse-identity\./);
    assert.match(text, /"kind":"signed"/);
    await writeFile(file, text.replace('"kind":"intent"', '"kind":"Intent"'));
    const again = await started(test, { GATEHOUSE_ISSUANCE_LOG: file });
    const { damagedLines, firstDamageAt } = await report(again);
    assert.deepEqual([damagedLines, firstDamageAt], [1, text.indexOf('\n') + 1]);
  });

  it('refuses filters that could never match, naming each with what would', async (test) => {
    const { service, adminToken: token } = await started(test);
    const cases: readonly (readonly [string, RegExp])[] = [
      ['?name=x', /query\.name is not a parameter of this path/],
      ['?serial=XYZ', /query\.serial `XYZ` is not hexadecimal/],
      ['?limit=0', /query\.limit/],
      ['?identity=frontend', /query\.identity `frontend` is not a valid identity: use \{serviceaccount\}/],
      ['?pod=a/b/c', /query\.pod `a\/b\/c` names no pod: use namespace\/name/],
      ['?namespace=', /query\.namespace is empty/],
      ['?since=yesterday', /query\.since `yesterday` is not a valid time: use a time such as 2026/],
      ['?until=2026-11-22T10:00:00', /query\.until `2026-11-22T10:00:00` is not a valid time/],
      ['?since=2026-11-22T10:00:00Z&until=2026-11-22T09:00:00Z', /query\.until is not after since/],
      ['?active=yes', /query\.active/],
    ];
    assert.equal(cases.length, 10);
    for (const [query, detail] of cases) {
      const { status, json } = await ask(`${service.admin}/v1/certificates${query}`, { token });
      assert.equal(status, 400, query);
      assert.match(json.detail, detail);
      assert.ok(json.problems.length > 0);
    }
    const { json } = await ask(`${service.admin}/v1/certificates?serial=z&pod=/`, { token });
    assert.deepEqual(
      json.problems.map(({ field }: { field: string }) => field),
      ['query.serial', 'query.pod'],
    );
  });

  it('counts certificates by outcome and shows expiries among the metrics', async (test) => {
    const identity = await started(test, { GATEHOUSE_GRPC_TLS: 'auto' });
    await identity.certify();
    await assert.rejects(identity.certify({ token: 'garbage' }));
    const { text } = await ask(`${identity.service.admin}/metrics`);
    for (const line of [
      'gatehouse_identity_certificates_total{result="issued",service="identity"} 1',
      'gatehouse_identity_certificates_total{result="invalid-argument",service="identity"} 1',
      'gatehouse_identity_issuer_usable{service="identity"} 1',
      'gatehouse_identity_issuer_rejected{service="identity"} 0',
    ]) {
      assert.ok(text.includes(line), line);
    }
    assert.match(text, /gatehouse_identity_issuer_expiry_timestamp_seconds\{service="identity"\} \d{10}/);
    assert.match(
      text,
      /gatehouse_identity_ca_expiry_timestamp_seconds\{role="root",subject="CN=root\.cluster\.local",fingerprint="[0-9a-f]{16}"/,
    );
  });
});
