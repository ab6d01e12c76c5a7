import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  contextTag,
  derBitString,
  derBoolean,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derText,
  derTime,
  writeDer,
} from '@gatehouse/core/der/der';
import { parseIdentity, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import fc from 'fast-check';
import { aKey, aName, anExtension, commonName, dnsSan, spkiOf } from '../../../testing/csr-builder.ts';
import { fillTemplate, type LeafIssuer, type LeafOrder, makeLeafTemplate } from './leaf-template.ts';
import { signatureAlgorithmOf } from './signature-algorithm.ts';
import { CheckedLeaf, leafRules } from './template-rules.ts';

const now = 1_780_000_000;

const issuer: LeafIssuer = {
  name: commonName('issuer'),
  keyId: new Uint8Array(20).fill(7),
  algorithm: signatureAlgorithmOf('P-256'),
  chainBegins: now - 864_000,
  chainEnds: now + 864_000,
};

const order: LeafOrder = {
  identity: parseIdentity(aName),
  spki: spkiOf(aKey),
  serial: new Uint8Array(16).fill(0x55),
  keyId: new Uint8Array(20).fill(9),
  validity: { notBefore: now - 20, notAfter: now + 86_420 },
};

const good = {
  version: writeDer(contextTag(0, 'constructed'), derInteger(2)),
  serial: derInteger(order.serial),
  algorithm: issuer.algorithm.identifier,
  issuer: issuer.name,
  validity: derSequence(derTime(order.validity.notBefore), derTime(order.validity.notAfter)),
  subject: derSequence(),
  spki: order.spki,
  uniqueId: new Uint8Array(),
  keyUsage: anExtension('2.5.29.15', derBitString(Uint8Array.of(0x80), 7), true),
  purposes: anExtension('2.5.29.37', derSequence(derOid('1.3.6.1.5.5.7.3.1'), derOid('1.3.6.1.5.5.7.3.2'))),
  constraints: anExtension('2.5.29.19', derSequence(), true),
  authorityKey: anExtension('2.5.29.35', derSequence(writeDer(contextTag(0, 'primitive'), issuer.keyId))),
  subjectKey: anExtension('2.5.29.14', derOctetString(order.keyId)),
  names: anExtension('2.5.29.17', dnsSan(aName), true),
  extra: new Uint8Array(),
};

/** A TBSCertificate written field by field, beside the template. */
const tbsWith = (change: Partial<Record<keyof typeof good, Uint8Array>>): Uint8Array => {
  const f = { ...good, ...change };
  return derSequence(
    f.version,
    f.serial,
    f.algorithm,
    f.issuer,
    f.validity,
    f.subject,
    f.spki,
    f.uniqueId,
    writeDer(
      contextTag(3, 'constructed'),
      derSequence(f.keyUsage, f.purposes, f.constraints, f.authorityKey, f.subjectKey, f.names, f.extra),
    ),
  );
};

const brokenRules = (
  tbs: Uint8Array,
  asked: LeafOrder = order,
  by: LeafIssuer = issuer,
): readonly string[] => {
  const outcome = CheckedLeaf.check(tbs, asked, by);
  return outcome.ok ? [] : outcome.problems.map(({ fix }) => /\((.*)\)$/.exec(fix)?.[1] ?? fix);
};

const other = { identity: parseIdentity('admin.demo.serviceaccount.identity.gatehouse.cluster.local') };

describe('a leaf template', () => {
  it('once filled, is what X.509 writers would write, and keeps every rule', () => {
    const tbs = fillTemplate(makeLeafTemplate(issuer), order);
    assert.deepEqual(tbs, tbsWith({}));
    assert.deepEqual(brokenRules(tbs), []);
  });

  it('keeps every rule for names of every length, keys, serials and times on both sides of 2050', () => {
    const template = makeLeafTemplate({ ...issuer, chainEnds: 4_000_000_000 });
    const label = fc.integer({ min: 1, max: 63 }).map((length) => 'a'.repeat(length));
    const name = fc
      .array(label, { minLength: 1, maxLength: 4 })
      .map((labels) => labels.join('.'))
      .filter((text) => text.length <= 253);
    fc.assert(
      fc.property(
        name,
        fc.uint8Array({ minLength: 15, maxLength: 15 }),
        fc.integer({ min: 0x01, max: 0x7f }),
        fc.uint8Array({ minLength: 20, maxLength: 20 }),
        fc.integer({ min: now, max: 3_000_000_000 }),
        fc.integer({ min: 1, max: 900_000_000 }),
        (identity, tail, first, keyId, notBefore, life) => {
          const asked: LeafOrder = {
            identity: parseIdentity(identity),
            spki: order.spki,
            serial: Uint8Array.of(first, ...tail),
            keyId,
            validity: { notBefore, notAfter: notBefore + life },
          };
          const tbs = fillTemplate(template, asked);
          assert.deepEqual(brokenRules(tbs, asked, template.issuer), []);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is not spoiled by what was filled in before', () => {
    const template = makeLeafTemplate(issuer);
    const before = fillTemplate(template, order);
    fillTemplate(template, { ...order, serial: new Uint8Array(16).fill(0x11) });
    assert.deepEqual(fillTemplate(template, order), before);
  });
});

describe('the rules of a leaf', () => {
  const broken: readonly [string, string, () => readonly string[]][] = [
    ['is of version 1', '§4.1.2.1', () => brokenRules(tbsWith({ version: writeDer(0xa0, derInteger(0)) }))],
    ['has another serial', '§4.1.2.2', () => brokenRules(tbsWith({ serial: derInteger(7) }))],
    [
      'has a negative serial',
      '§4.1.2.2',
      () => {
        const serial = new Uint8Array(16).fill(0x85);
        return brokenRules(tbsWith({ serial: writeDer(2, serial) }), { ...order, serial });
      },
    ],
    [
      'has a short serial',
      '§4.1.2.2',
      () => brokenRules(tbsWith({ serial: derInteger(7) }), { ...order, serial: Uint8Array.of(7) }),
    ],
    [
      'names another algorithm',
      '§4.1.2.3',
      () => brokenRules(tbsWith({ algorithm: signatureAlgorithmOf('RSA').identifier })),
    ],
    ['has another issuer', '§4.1.2.4', () => brokenRules(tbsWith({ issuer: commonName('Issuer') }))],
    [
      'has an issuer without a name',
      '§4.1.2.4',
      () => brokenRules(tbsWith({ issuer: derSequence() }), order, { ...issuer, name: derSequence() }),
    ],
    [
      'is valid for longer than ordered',
      '§4.1.2.5',
      () => brokenRules(tbsWith({ validity: derSequence(derTime(now - 20), derTime(now + 86_421)) })),
    ],
    [
      'ends before it begins',
      '§4.1.2.5',
      () => {
        const validity = { notBefore: now, notAfter: now };
        const tbs = tbsWith({ validity: derSequence(derTime(now), derTime(now)) });
        return brokenRules(tbs, { ...order, validity });
      },
    ],
    [
      'outlives its issuer',
      'design §4.5',
      () => brokenRules(tbsWith({}), order, { ...issuer, chainEnds: now + 86_419 }),
    ],
    [
      'begins before its issuer',
      'design §4.5',
      () => brokenRules(tbsWith({}), order, { ...issuer, chainBegins: now - 19 }),
    ],
    ['has a subject', '§4.1.2.6', () => brokenRules(tbsWith({ subject: commonName(aName) }))],
    [
      'has another key',
      '§4.1.2.7, RFC 5480 §2',
      () => brokenRules(tbsWith({ spki: order.spki.with(90, (order.spki[90] ?? 0) ^ 1) })),
    ],
    [
      'has a key that is no point of the curve',
      '§4.1.2.7, RFC 5480 §2',
      () => {
        const spki = order.spki.with(90, (order.spki[90] ?? 0) ^ 1);
        return brokenRules(tbsWith({ spki }), { ...order, spki });
      },
    ],
    [
      'has a unique identifier',
      '§4.1.2.8',
      () => brokenRules(tbsWith({ uniqueId: writeDer(contextTag(1, 'primitive'), Uint8Array.of(0, 1)) })),
    ],
    [
      'has an extension more',
      '§4.2',
      () => brokenRules(tbsWith({ extra: anExtension('1.3.6.1.5.5.7.1.24', derSequence()) })),
    ],
    ['has an extension twice', '§4.2', () => brokenRules(tbsWith({ extra: good.names }))],
    [
      "points to another issuer's key",
      '§4.2.1.1',
      () => brokenRules(tbsWith({}), order, { ...issuer, keyId: new Uint8Array(20) }),
    ],
    [
      'points to its issuer critically',
      '§4.2.1.1',
      () =>
        brokenRules(
          tbsWith({
            authorityKey: anExtension('2.5.29.35', derSequence(writeDer(0x80, issuer.keyId)), true),
          }),
        ),
    ],
    [
      'names another key of its own',
      '§4.2.1.2',
      () => brokenRules(tbsWith({ subjectKey: anExtension('2.5.29.14', derOctetString(issuer.keyId)) })),
    ],
    [
      'has a key that may sign certificates',
      '§4.2.1.3',
      () =>
        brokenRules(
          tbsWith({ keyUsage: anExtension('2.5.29.15', derBitString(Uint8Array.of(0x84), 2), true) }),
        ),
    ],
    [
      'has a key usage that may be ignored',
      '§4.2.1.3',
      () =>
        brokenRules(tbsWith({ keyUsage: anExtension('2.5.29.15', derBitString(Uint8Array.of(0x80), 7)) })),
    ],
    ['has another name', '§4.2.1.6', () => brokenRules(tbsWith({}), { ...order, ...other })],
    [
      'has a second name',
      '§4.2.1.6',
      () =>
        brokenRules(
          tbsWith({ names: anExtension('2.5.29.17', dnsSan(aName, printIdentity(other.identity)), true) }),
        ),
    ],
    [
      'has names that may be ignored',
      '§4.2.1.6',
      () => brokenRules(tbsWith({ names: anExtension('2.5.29.17', dnsSan(aName)) })),
    ],
    [
      'has a URI for a name',
      '§4.2.1.6',
      () =>
        brokenRules(tbsWith({ names: anExtension('2.5.29.17', derSequence(derText(0x86, aName)), true) })),
    ],
    [
      'has a name that is not a valid DNS name',
      '§4.2.1.6',
      () => {
        const identity = `*.${aName}`;
        const names = anExtension('2.5.29.17', dnsSan(identity), true);
        return brokenRules(tbsWith({ names }), { ...order, identity: parseIdentity(identity) });
      },
    ],
    [
      'is a CA',
      '§4.2.1.9',
      () =>
        brokenRules(tbsWith({ constraints: anExtension('2.5.29.19', derSequence(derBoolean(true)), true) })),
    ],
    [
      'is for signing code',
      '§4.2.1.12',
      () =>
        brokenRules(
          tbsWith({ purposes: anExtension('2.5.29.37', derSequence(derOid('1.3.6.1.5.5.7.3.3'))) }),
        ),
    ],
  ];

  for (const [title, clause, brokenBy] of broken) {
    it(`are broken by one that ${title}`, () => assert.deepEqual(brokenBy(), [clause]));
  }

  it('have each a case here that breaks it alone', () => {
    assert.equal(leafRules.length, 16);
    const tried = new Set(broken.map(([, clause]) => clause));
    assert.deepEqual(tried, new Set(leafRules.map(({ clause }) => clause)));
  });

  it('are not kept by bytes that are not a certificate', () => {
    const tbs = tbsWith({});
    assert.equal(CheckedLeaf.check(tbs.subarray(0, -1), order, issuer).ok, false);
    assert.equal(CheckedLeaf.check(new Uint8Array(), order, issuer).ok, false);
  });

  it('are not kept by any certificate in which a byte was changed', () => {
    const tbs = fillTemplate(makeLeafTemplate(issuer), order);
    for (let at = 0; at < tbs.length; at += 1) {
      const changed = tbs.with(at, (tbs[at] ?? 0) ^ 1);
      assert.equal(CheckedLeaf.check(changed, order, issuer).ok, false, `byte ${at}`);
    }
  });
});
