import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatehouseError } from '@gatehouse/shared/error';
import { silentLog } from '@gatehouse/shared/log';
import type { TlsMaterial } from '@gatehouse/shared/tls/material';
import type { ProvedWorkload } from '../certify.ts';
import { OwnLeaf } from './own-leaf.ts';

const identity = 'gatehouse-identity.gatehouse.serviceaccount.identity.gatehouse.cluster.local';

/** A leaf that is valid for `lifeMs`, from an issuer that can be broken. */
const anOwnLeaf = (test: TestContext, lifeMs: number) => {
  const asked: ProvedWorkload[] = [];
  const renewed: TlsMaterial[] = [];
  let broken = false;
  const leaf = new OwnLeaf({
    identity,
    issue: async (workload) => {
      asked.push(workload);
      if (broken) throw new GatehouseError('unavailable', 'there is no usable issuer');
      return {
        leaf: Uint8Array.of(asked.length),
        intermediates: [Uint8Array.of(0xff)],
        validUntil: (Date.now() + lifeMs) / 1000,
      };
    },
    trustAnchors: () => 'anchors',
    log: silentLog,
    now: Date.now,
    retryMs: 5,
  });
  leaf.onRenewed((material) => void renewed.push(material));
  const end = new AbortController();
  let running = Promise.resolve();
  test.after(() => {
    end.abort();
    return running;
  });
  return {
    leaf,
    asked,
    renewed,
    run: () => {
      running = leaf.run(end.signal);
    },
    end: async () => {
      end.abort();
      await running;
    },
    breakIssuer: (is: boolean) => {
      broken = is;
    },
    until: async (condition: () => boolean) => {
      while (!condition()) await sleep(1);
    },
  };
};

const dayMs = 86_400_000;

describe('the own leaf', () => {
  it('is for our mesh name and a key that stays here', async (test) => {
    const { leaf, asked } = anOwnLeaf(test, dayMs);
    const before: TlsMaterial | undefined = leaf.material;
    await leaf.renew();
    const { material } = leaf;
    assert.equal(before, undefined);
    assert.ok(material);
    assert.deepEqual(material.chain, [Uint8Array.of(1), Uint8Array.of(0xff)]);
    assert.equal(material.trustAnchors, 'anchors');
    const spki = createPublicKey(material.key).export({ format: 'der', type: 'spki' });
    assert.deepEqual(asked, [{ identity, spki, pod: undefined }]);
  });

  it('is renewed again and again, each time with a new key', async (test) => {
    const { run, renewed, until } = anOwnLeaf(test, 20);
    run();
    await until(() => renewed.length >= 3);
    const keys = new Set(renewed.map(({ key }) => key.export({ format: 'pem', type: 'pkcs8' })));
    assert.equal(keys.size, renewed.length);
  });

  it('is not renewed before its time', async (test) => {
    const { run, renewed, until, end } = anOwnLeaf(test, dayMs);
    run();
    await until(() => renewed.length === 1);
    await sleep(20);
    await end();
    assert.equal(renewed.length, 1);
  });

  it('is renewed at once when the issuer has changed', async (test) => {
    const { leaf, run, renewed, until } = anOwnLeaf(test, dayMs);
    run();
    await until(() => renewed.length === 1);
    leaf.renewSoon();
    await until(() => renewed.length === 2);
  });

  it('stays as it is while it cannot be renewed, and is renewed once it can', async (test) => {
    const { leaf, run, renewed, asked, until, breakIssuer } = anOwnLeaf(test, dayMs);
    await leaf.renew();
    const { material } = leaf;
    breakIssuer(true);
    leaf.renewSoon();
    run();
    await until(() => asked.length >= 4);
    assert.equal(leaf.material, material);
    breakIssuer(false);
    await until(() => renewed.length === 2);
    assert.notEqual(leaf.material, material);
  });
});
