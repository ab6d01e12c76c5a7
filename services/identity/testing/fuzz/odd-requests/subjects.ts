import { derSet, derTag } from '@gatehouse/core/der/der';
import { commonName } from '../../csr-builder.ts';
import { attributeOf, commonNameTags, nameOf } from '../request-parts.ts';
import { lookalikes } from './lookalikes.ts';
import type { Asker, Rows } from './rows.ts';
export const oddSubjects: Rows = {
  ...Object.fromEntries(
    Object.entries(lookalikes).map(([title, change]) => [
      `a common name ${title}`,
      ['failed-precondition', ({ identity }: Asker) => ({ subject: commonName(change(identity)) })] as const,
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(commonNameTags).map(([name, tag]) => [
      `its common name as ${name}`,
      [
        name === 'UTF8String' || name === 'PrintableString' ? 'certified' : 'failed-precondition',
        ({ identity }: Asker) => ({ subject: commonName(identity, tag) }),
      ] as const,
    ]),
  ),
  'a common name of another workload': [
    'failed-precondition',
    ({ other }) => ({ subject: commonName(other.identity) }),
  ],
  'its common name twice': [
    'failed-precondition',
    ({ identity }) => {
      const one = derSet(attributeOf('2.5.4.3', derTag.utf8String, identity));
      return { subject: nameOf(one, one) };
    },
  ],
  'a second name in the same RDN': [
    'failed-precondition',
    ({ identity, other }) => ({
      subject: nameOf(
        derSet(
          attributeOf('2.5.4.3', derTag.utf8String, identity),
          attributeOf('2.5.4.3', derTag.utf8String, other.identity),
        ),
      ),
    }),
  ],
  'an organisation': [
    'failed-precondition',
    ({ identity }) => ({
      subject: nameOf(
        derSet(attributeOf('2.5.4.10', derTag.utf8String, 'system:masters')),
        derSet(attributeOf('2.5.4.3', derTag.utf8String, identity)),
      ),
    }),
  ],
  'its name as a serialNumber': [
    'failed-precondition',
    ({ identity }) => ({
      subject: nameOf(derSet(attributeOf('2.5.4.5', derTag.printableString, identity))),
    }),
  ],
  'an RDN without attributes': ['invalid-argument', () => ({ subject: nameOf(derSet()) })],
  'a subject that is a SET': ['invalid-argument', () => ({ subject: derSet() })],
};
