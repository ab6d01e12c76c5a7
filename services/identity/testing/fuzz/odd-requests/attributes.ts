import { derBoolean, derInteger, derNull, derOid, derSequence, derTag } from '@gatehouse/core/der/der';
import { anAttribute, anExtension, extensionRequest, subjectAltName } from '../../csr-builder.ts';
import { anExtensionRequest, dns, sanOf } from '../request-parts.ts';

import { type Asker, extension, type Rows, text } from './rows.ts';

/** basicConstraints, keyUsage and others that a leaf must not get from its request. */
const otherExtensions: Readonly<Record<string, Uint8Array>> = {
  'CA:TRUE': anExtension('2.5.29.19', derSequence(derBoolean(true)), true),
  'keyUsage keyCertSign': anExtension('2.5.29.15', Uint8Array.fromHex('03020106'), true),
  'extendedKeyUsage any': anExtension('2.5.29.37', derSequence(derOid('2.5.29.37.0'))),
  'an issuerAltName': anExtension('2.5.29.18', derSequence(dns('issuer'))),
  nameConstraints: anExtension('2.5.29.30', derSequence()),
  'an unknown critical extension': anExtension('1.3.6.1.4.1.55555.1', derNull(), true),
  'an unknown extension': anExtension('1.3.6.1.4.1.55555.1', derNull()),
  'TLS feature (must staple)': anExtension('1.3.6.1.5.5.7.1.24', derSequence(derInteger(5))),
};

export const oddAttributes: Rows = {
  ...Object.fromEntries(
    Object.entries(otherExtensions).flatMap(([title, other]) => [
      [
        `${title} after the SAN`,
        ['failed-precondition', ({ identity }: Asker) => extension(sanOf(dns(identity)), other)] as const,
      ],
      [
        `${title} before the SAN`,
        ['failed-precondition', ({ identity }: Asker) => extension(other, sanOf(dns(identity)))] as const,
      ],
    ]),
  ),
  'a critical SAN': [
    'certified',
    ({ identity }) => extension(anExtension(subjectAltName, derSequence(dns(identity)), true)),
  ],
  'a SAN whose `critical` is written out as FALSE': [
    'invalid-argument',
    ({ identity }) => extension(anExtension(subjectAltName, derSequence(dns(identity)), false)),
  ],
  'a second SAN extension, the same': [
    'failed-precondition',
    ({ identity }) => extension(sanOf(dns(identity)), sanOf(dns(identity))),
  ],
  'a second SAN extension, for another workload': [
    'failed-precondition',
    ({ identity, other }) => extension(sanOf(dns(identity)), sanOf(dns(other.identity))),
  ],
  'a first SAN extension for another workload': [
    'failed-precondition',
    ({ identity, other }) => extension(sanOf(dns(other.identity)), sanOf(dns(identity))),
  ],
  'no extension': ['failed-precondition', () => extension()],
  'no attribute': ['failed-precondition', () => ({ attributes: [] })],
  'two extension requests': [
    'failed-precondition',
    ({ identity, other }) => ({
      attributes: [anExtensionRequest(sanOf(dns(identity))), anExtensionRequest(sanOf(dns(other.identity)))],
    }),
  ],
  'two extension requests in the other order': [
    'failed-precondition',
    ({ identity, other }) => ({
      attributes: [anExtensionRequest(sanOf(dns(other.identity))), anExtensionRequest(sanOf(dns(identity)))],
    }),
  ],
  'two lists in one extension request': [
    'failed-precondition',
    ({ identity }) => ({
      attributes: [
        anAttribute(extensionRequest, derSequence(sanOf(dns(identity))), derSequence(sanOf(dns(identity)))),
      ],
    }),
  ],
  'an extension request without a list': [
    'invalid-argument',
    () => ({ attributes: [anAttribute(extensionRequest)] }),
  ],
  "Microsoft's extension request": [
    'failed-precondition',
    ({ identity }) => ({
      attributes: [anAttribute('1.3.6.1.4.1.311.2.1.14', derSequence(sanOf(dns(identity))))],
    }),
  ],
  ...Object.fromEntries(
    ['1.2.840.113549.1.9.7', '1.2.840.113549.1.9.2', '1.3.6.1.4.1.55555.2'].flatMap((oid) =>
      (['before', 'after'] as const).map((where) => {
        const more = anAttribute(oid, text(derTag.utf8String, 'secret'));
        return [
          `attribute ${oid} ${where} the extension request`,
          [
            'failed-precondition',
            ({ identity }: Asker) => {
              const asked = anExtensionRequest(sanOf(dns(identity)));
              return { attributes: where === 'before' ? [more, asked] : [asked, more] };
            },
          ] as const,
        ];
      }),
    ),
  ),
};

export const oddVersions: Rows = Object.fromEntries(
  (
    [
      ['version 2', derInteger(1), 'failed-precondition'],
      ['version 3', derInteger(2), 'failed-precondition'],
      ['a negative version', derInteger(-1), 'failed-precondition'],
      ['a version of 30 digits', derInteger(10n ** 30n), 'failed-precondition'],
      ['a padded version', Uint8Array.of(2, 2, 0, 0), 'invalid-argument'],
      ['an empty version', Uint8Array.of(2, 0), 'invalid-argument'],
      ['a version that is text', text(derTag.utf8String, '0'), 'invalid-argument'],
      ['no version', new Uint8Array(), 'invalid-argument'],
    ] as const
  ).map(([title, version, answer]) => [title, [answer, () => ({ version })] as const]),
);
