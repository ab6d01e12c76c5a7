import { type IdentityMatch, suffixParts } from '@gatehouse/core/mesh/identity-match';
import { identityOf, isDnsName, parseIdentity, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { intern } from '../intern.ts';
import { spend } from './budget.ts';
import { describe, type Fields } from './fields.ts';

/** SPIFFE-ID §2: a trust domain, then segments without `.`, `..`, empty ones or a trailing slash; 2,048 bytes at most. */
const spiffeId = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)*$/;
const isSpiffeId = (text: string): boolean => text.length <= 2048 && spiffeId.test(text);

const example = identityOf(
  { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
  'demo',
  'web',
);
const fix = `a DNS name such as ${printIdentity(example)}, \`*\`, \`*.a.b\` or a SPIFFE id`;

/**
 * One identity as MeshTLSAuthentication has it: `*` is anybody with a DNS identity, `*.a.b` all below `a.b`, anything
 * else exactly itself. Names are lower case, since the proxy compares bytes with a lower-cased SAN (contract §6.2).
 */
export const readIdentity = (
  value: unknown,
): IdentityMatch | { readonly found: string; readonly fix: string } => {
  if (typeof value !== 'string') return { found: `${describe(value)} is not text`, fix };
  if (value === '*') return { kind: 'suffix', parts: [] };
  if (value.startsWith('spiffe:')) {
    return isSpiffeId(value)
      ? { kind: 'exact', identity: parseIdentity(intern(value)) }
      : {
          found: `${describe(value)} is not a valid SPIFFE id`,
          fix: 'spiffe://trust-domain/path, without trailing slash',
        };
  }
  const suffix = value.startsWith('*.') ? value.slice(2) : undefined;
  const name = suffix ?? value;
  if (isDnsName(name)) {
    return suffix === undefined
      ? { kind: 'exact', identity: parseIdentity(intern(name)) }
      : { kind: 'suffix', parts: suffixParts(suffix).map(intern) };
  }
  const lower = isDnsName(name.toLowerCase());
  return { found: `${describe(value)} is not a valid identity`, fix: lower ? 'write it in lower case' : fix };
};

export const readIdentities = (fields: Fields, name: string): readonly IdentityMatch[] | undefined =>
  fields.each(name, (value, item) => {
    if (!spend(fields, 'identities')) return undefined;
    const identity = readIdentity(value);
    return 'kind' in identity ? identity : fields.refuse(item, identity.found, identity.fix);
  });
