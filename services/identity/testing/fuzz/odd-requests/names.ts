import { contextTag, derOid, derTag, writeDer } from '@gatehouse/core/der/der';
import { commonName } from '../../csr-builder.ts';
import { dns, sanOf } from '../request-parts.ts';
import { lookalikes } from './lookalikes.ts';
import { type Asker, extension, type Rows, text } from './rows.ts';
export const oddSans: Rows = {
  ...Object.fromEntries(
    Object.entries(lookalikes).map(([title, change]) => [
      `a SAN ${title}`,
      ['failed-precondition', ({ identity }: Asker) => extension(sanOf(dns(change(identity))))] as const,
    ]),
  ),
  'a SAN of another workload': ['failed-precondition', ({ other }) => extension(sanOf(dns(other.identity)))],
  'a SAN with no name': ['failed-precondition', () => extension(sanOf())],
  'a SAN with its name twice': [
    'failed-precondition',
    ({ identity }) => extension(sanOf(dns(identity), dns(identity))),
  ],
  'a SAN with another name after its own': [
    'failed-precondition',
    ({ identity, other }) => extension(sanOf(dns(identity), dns(other.identity))),
  ],
  'a SAN with another name before its own': [
    'failed-precondition',
    ({ identity, other }) => extension(sanOf(dns(other.identity), dns(identity))),
  ],
  ...Object.fromEntries(
    Object.entries({
      'an e-mail address': 1,
      'a URI': 6,
      'an IP address': 7,
      'a registered OID': 8,
      'an EDI party': 5,
    }).flatMap(([title, tag]) => [
      [
        `a SAN with ${title} beside its name`,
        [
          'failed-precondition',
          ({ identity }: Asker) =>
            extension(
              sanOf(dns(identity), writeDer(contextTag(tag, 'primitive'), Uint8Array.of(10, 0, 0, 1))),
            ),
        ] as const,
      ],
      [
        `a SAN with its name as ${title}`,
        [
          'failed-precondition',
          ({ identity }: Asker) => extension(sanOf(text(contextTag(tag, 'primitive'), identity))),
        ] as const,
      ],
    ]),
  ),
  'a SAN with a SPIFFE ID beside its name': [
    'failed-precondition',
    ({ identity }) =>
      extension(
        sanOf(dns(identity), text(contextTag(6, 'primitive'), 'spiffe://cluster.local/ns/demo/sa/default')),
      ),
  ],
  'a SAN with its name in constructed form': [
    'failed-precondition',
    ({ identity }) =>
      extension(sanOf(writeDer(contextTag(2, 'constructed'), text(derTag.ia5String, identity)))),
  ],
  'a SAN with an otherName': [
    'failed-precondition',
    ({ identity }) =>
      extension(
        sanOf(
          dns(identity),
          writeDer(
            contextTag(0, 'constructed'),
            derOid('1.3.6.1.4.1.311.20.2.3'),
            writeDer(contextTag(0, 'constructed'), text(derTag.utf8String, 'root@demo')),
          ),
        ),
      ),
  ],
  'a SAN with a directoryName': [
    'failed-precondition',
    ({ identity, other }) =>
      extension(sanOf(dns(identity), writeDer(contextTag(4, 'constructed'), commonName(other.identity)))),
  ],
};
