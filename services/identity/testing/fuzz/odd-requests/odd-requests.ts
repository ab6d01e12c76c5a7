import { commonName } from '../../csr-builder.ts';
import { writeRequest } from '../request-parts.ts';
import { oddAttributes, oddVersions } from './attributes.ts';
import { oddKeys } from './keys.ts';
import { oddSans } from './names.ts';
import type { Asker, ExpectedAnswer, Rows } from './rows.ts';
import { oddAlgorithms, oddSignatures } from './signatures.ts';
import { oddSubjects } from './subjects.ts';

export interface OddRequest {
  readonly title: string;
  readonly answer: ExpectedAnswer;
  readonly write: (asker: Asker) => Uint8Array;
}

/** Requests that are well written and odd, with the one answer that Certify may give. */
export const oddRequests: readonly OddRequest[] = Object.entries({
  'nothing odd': ['certified', () => ({})],
  'its common name and SAN': ['certified', ({ identity }: Asker) => ({ subject: commonName(identity) })],
  ...oddSans,
  ...oddSubjects,
  ...oddAttributes,
  ...oddVersions,
  ...oddKeys,
  ...oddAlgorithms,
  ...oddSignatures,
} satisfies Rows).map(([title, [answer, change]]) => ({
  title,
  answer,
  write: (asker) => writeRequest({ identity: asker.identity, key: asker.key, ...change(asker) }),
}));
