import type { Authorization, Meta } from '@gatehouse/core/inbound/inbound-server';
import { isRejected } from '@gatehouse/core/resources/kinds';
import { commonGrant } from './common-grant.ts';
import type { Governance } from './govern.ts';
import { grantsOnPort } from './grants-on-port.ts';
import { type Audit, type Counting, type PortInput, refOf } from './model.ts';
import { type Steps, stepsToWrite } from './row-budgets.ts';
import type { SelectingPolicy } from './select-policies.ts';

interface AuditParts {
  readonly governance: Governance;
  /** The Audit policies that select the port, oldest first. */
  readonly audited: readonly SelectingPolicy[];
  /** What the base policy admits. */
  readonly base: readonly Authorization[];
  readonly steps: Steps;
}

/** What a base policy becomes where Audit policies select the port. */
interface AuditedBase {
  /** They admit the same clients as the base policy, with labels by which the proxy tells them apart. */
  readonly authorizations: readonly Authorization[];
  readonly audit: Audit | undefined;
}

/**
 * Has the proxy count for whom Audit policies are (design §6.7): it takes the first authorization that admits a client, so
 * those that the policies would admit come first, each no wider than the base policy, and the base policy's own comes last
 * under a label that says so. Nothing opens, nothing closes, and no route is added: what only `rules` would admit is counted
 * with what would be refused.
 */
export const auditPort = ({ governance, audited, base, steps }: AuditParts): AuditedBase => {
  if (audited.length === 0) return { authorizations: base, audit: undefined };
  const policies = audited.map(({ object }) => refOf(object));
  const uncounted = (why: Extract<Counting, { kind: 'none' }>['why']): AuditedBase => ({
    authorizations: base,
    audit: { policies, counting: { kind: 'none', why } },
  });
  if (governance.governedBy.kind === 'server') return uncounted('server');
  if (governance.governedBy.kind !== 'default-policy' || base.length === 0) return uncounted('closed');
  // In the order, and with the budget, of a port on which they are enforced.
  const granted = grantsOnPort(audited, steps).authorizations;
  const admitted = granted.flatMap((grant) =>
    base.flatMap((open) => {
      const common = commonGrant(grant, open);
      return common === undefined ? [] : [{ ...common, meta: grant.meta }];
    }),
  );
  if (!steps.take(stepsToWrite(admitted))) return uncounted('too-many-steps');
  const refused = refusedBy(audited);
  const kind = audited.some(({ grantsOn }) => grantsOn === 'requests') ? 'upper-bound' : 'exact';
  return {
    authorizations: [...admitted, ...base.map((open) => ({ ...open, meta: refused }))],
    audit: { policies, counting: { kind, refused, grants: base } },
  };
};

/** `audit` is the name by which a proxy also logs each request that it admits (`contract/proxy.md` §6.7). */
const refusedBy = ([one, ...others]: readonly SelectingPolicy[]): Meta =>
  one === undefined || others.length > 0
    ? { kind: 'default', name: 'audit' }
    : {
        kind: 'resource',
        resource: {
          group: 'policy.linkerd.io',
          kind: 'networkauthenticationpolicy-audit',
          name: one.object.meta.name,
        },
      };

/** The same port if all Audit policies were enforced. */
export const enforcingAudits = (input: PortInput): PortInput => ({
  ...input,
  policies: {
    ...input.policies,
    networkAuthenticationPolicies: input.policies.networkAuthenticationPolicies.map((policy) => {
      const { object } = policy;
      if (isRejected(object.spec) || object.spec.mode === 'Enforce') return policy;
      return {
        object: { ...object, spec: { ...object.spec, mode: 'Enforce' } },
        get sources() {
          return policy.sources;
        },
      };
    }),
  },
});
